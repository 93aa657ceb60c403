//! Price files: one header, a stamp and five figures a row, in any of the layouts in use.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Names of the stamp's column; it is the first one if none of them occurs.
const STAMPS: [&str; 5] = ["timestamp", "date", "datetime", "time", "index"];
const ZONED: [&str; 4] = ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M%:z", "%Y-%m-%d %H:%M%z"];
const NAIVE: [&str; 3] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M:%S"];
const DATES: [&str; 3] = ["%Y-%m-%d", "%Y%m%d", "%m/%d/%Y"];

/// One row with finite prices. A stamp without a zone is UTC, a date alone its midnight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) second: i64,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: Option<f64>,
}

/// Every usable row in the file's order; `None` if it has no header with the four prices.
pub(crate) fn rows(text: &str) -> Option<Vec<Row>> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let columns = Columns::of(lines.next()?)?;
    Some(lines.filter_map(|line| columns.read(line)).collect())
}

struct Columns {
    stamp: usize,
    prices: [usize; 4],
    volume: Option<usize>,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<String> = header.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let prices = [place("open")?, place("high")?, place("low")?, place("close")?];
        let stamp = STAMPS.iter().find_map(|name| place(name)).unwrap_or(0);
        (!prices.contains(&stamp)).then(|| Self { stamp, prices, volume: place("volume") })
    }

    fn read(&self, line: &str) -> Option<Row> {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        let figure = |place: usize| cells.get(place)?.parse::<f64>().ok().filter(|figure| figure.is_finite());
        let [open, high, low, close] = self.prices;
        Some(Row {
            second: second(cells.get(self.stamp)?)?,
            open: figure(open)?,
            high: figure(high)?,
            low: figure(low)?,
            close: figure(close)?,
            volume: self.volume.and_then(figure),
        })
    }
}

fn second(stamp: &str) -> Option<i64> {
    let stamp = stamp.replacen('T', " ", 1);
    let stamp = stamp.strip_suffix(['Z', 'z']).map_or_else(|| stamp.clone(), |naive| naive.trim_end().to_owned());
    let zoned = ZONED.iter().find_map(|form| Timestamp::strptime(form, &stamp).ok());
    let naive = || NAIVE.iter().find_map(|form| DateTime::strptime(form, &stamp).ok());
    let date = || DATES.iter().find_map(|form| Date::strptime(form, &stamp).ok()).map(|date| date.at(0, 0, 0, 0));
    let at = zoned.or_else(|| TimeZone::UTC.to_timestamp(naive().or_else(date)?).ok());
    at.map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 1_672_531_200;

    #[test]
    fn every_layout_is_read() {
        for (header, stamp, second) in [
            ("date", "2023-01-01", DAY),
            ("timestamp", "2023-01-01 08:00:00+00:00", DAY + 8 * 3600),
            ("", "2023-01-01 08:00:00-05:00", DAY + 13 * 3600),
            ("timestamp", "2023-01-01T08:00:00Z", DAY + 8 * 3600),
            ("Date", "2023-01-01 08:00", DAY + 8 * 3600),
            ("Time", "2023-01-01T08:00:00.000", DAY + 8 * 3600),
        ] {
            let text = format!("{header},open,high,low,close,volume\n{stamp},1,2,0.5,1.5,15812.0\n");
            let row = Row { second, open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: Some(15812.0) };
            assert_eq!(rows(&text), Some(vec![row]), "{stamp}");
        }
    }

    #[test]
    fn rows_without_finite_prices_are_left_out() {
        let text = "date,open,high,low,close,volume\n2023-01-01,1,2,1,,5\n2023-01-02,1,2,1,inf,5\n2023-01-03,1,2,1,1,\nx,1,2,1,1,1\n";
        let kept = rows(text).unwrap();
        assert_eq!((kept.len(), kept[0].volume), (1, None));
        assert_eq!(rows("a,b\n1,2\n"), None);
    }
}
