//! Prices of the run, made here and served by the gateway from files: so it is known what must be stored.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::Result;
use fastrand::Rng;
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use ktrdr_proto::v1::{SeriesId, TimeRange, Timeframe};

use crate::sessions::is_session;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Small bars are older than this, so that none is still running, and younger than half a year, when IB forgets them.
const DAYS_AGO: i64 = 10;
/// Trading days of each timeframe, with their seconds: one that pacing binds hard, two that it does not.
const SIZES: [(Timeframe, &str, i64, usize); 3] =
    [(Timeframe::Seconds30, "30s", 30, 6), (Timeframe::Minutes1, "1m", 60, 24), (Timeframe::Hours1, "1h", 3_600, 60)];

/// Open, high, low, close, volume.
pub(crate) type Figures = [f64; 5];

/// One series and all its bars.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) id: SeriesId,
    name: String,
    /// By start, nanoseconds since the epoch.
    pub(crate) bars: BTreeMap<i64, Figures>,
    days: Vec<i64>,
}

/// A range of one series, to be loaded as one operation.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Index into [`Market::series`].
    pub(crate) series: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Piece {
    pub(crate) fn range(&self) -> TimeRange {
        TimeRange { start_ns: Some(self.start), end_ns: Some(self.end) }
    }
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) series: Vec<Series>,
}

impl Market {
    /// Three series of each symbol.
    pub(crate) fn draw(seed: u64, symbols: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let all = (0..symbols).flat_map(|number| SIZES.map(|size| (symbol('Q', number), size)));
        Self { series: all.map(|(symbol, size)| Series::draw(&mut rng, symbol, size)).collect() }
    }

    /// As the gateway reads them.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        self.series.iter().try_for_each(|series| Ok(fs::write(folder.join(series.file()), series.csv()?)?))
    }

    /// All ranges once, in an order of chance: one to four days each.
    pub(crate) fn pieces(&self, rng: &mut Rng) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (number, series) in self.series.iter().enumerate() {
            let mut days = series.days.as_slice();
            while !days.is_empty() {
                let (these, rest) = days.split_at(rng.usize(1..=4).min(days.len()));
                pieces.push(Piece { series: number, start: these[0], end: these[these.len() - 1] + DAY });
                days = rest;
            }
        }
        rng.shuffle(&mut pieces);
        pieces
    }
}

impl Series {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Hours of some weeks, of a symbol that no gateway has.
    pub(crate) fn imported(rng: &mut Rng, number: usize) -> Self {
        Self::draw(rng, symbol('Z', number), SIZES[2])
    }

    /// As the gateway and an import take them.
    pub(crate) fn csv(&self) -> Result<String> {
        let mut text = String::from("timestamp,open,high,low,close,volume\n");
        for (start, [open, high, low, close, volume]) in &self.bars {
            let at = jiff::Timestamp::from_nanosecond(i128::from(*start))?;
            writeln!(text, "{at},{open},{high},{low},{close},{volume}")?;
        }
        Ok(text)
    }

    pub(crate) fn file(&self) -> String {
        format!("{}.csv", self.name)
    }

    fn draw(rng: &mut Rng, symbol: String, (timeframe, size, seconds, days): (Timeframe, &str, i64, usize)) -> Self {
        let last = TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date().saturating_sub(DAYS_AGO.days());
        let sessions = last.series(-1.days()).filter(|day| is_session(*day));
        let mut days: Vec<i64> = sessions.take(days).map(midnight).collect();
        days.reverse();
        let (mut bars, mut price) = (BTreeMap::new(), rng.i64(2_000..40_000));
        for day in &days {
            // 14:00 to 21:00 UTC
            for at in (14 * 3_600..21 * 3_600).step_by(usize::try_from(seconds).unwrap_or(1)) {
                price = (price + rng.i64(-20..=20)).max(500);
                let close = (price + rng.i64(-9..=9)).max(500);
                let cents = [price, price.max(close) + rng.i64(0..9), price.min(close) - rng.i64(0..9), close];
                let [open, high, low, close] = cents.map(in_units);
                bars.insert(day + at * SECOND, [open, high, low, close, in_units(rng.i64(1..99_999) * 100)]);
            }
        }
        let name = format!("{symbol}_{size}");
        Self { id: SeriesId { symbol, timeframe: timeframe.into() }, name, bars, days }
    }
}

/// `QAAX`, `QABX`, …
fn symbol(first: char, number: usize) -> String {
    let letter = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    format!("{first}{}{}{}X", letter(number / 676), letter(number / 26), letter(number))
}

fn midnight(day: Date) -> i64 {
    let at = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or_default();
    at.as_second() * SECOND
}

/// The nearest number to so many hundredths, which is also what their decimal text is read as.
fn in_units(cents: i64) -> f64 {
    f64::from(i32::try_from(cents).unwrap_or(i32::MAX)) / 100.0
}
