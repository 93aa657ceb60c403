//! Which column holds what.

use super::{
    CsvError,
    fields::{fields, is_number},
    stamp::Stamp,
};

/// A row's fields in a fixed order: stamp, open, high, low, close, volume, and one place for all that is ignored.
pub(super) type Cells<'a> = [&'a str; 7];

pub(super) const STAMP: usize = 0;
pub(super) const OPEN: usize = 1;
pub(super) const VOLUME: usize = 5;
const IGNORED: usize = 6;

/// What the places are called in a header, in lower case.
const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// What the time column may be called. Where a file has several, one that can hold date and time goes first.
const STAMPS: [&str; 4] = ["timestamp", "datetime", "date", "time"];

/// How an error calls the time column.
const STAMP_SHOWN: &str = "date or timestamp";

/// The header, read.
#[derive(Debug)]
pub(super) struct Columns {
    /// The place of each column in [`Cells`].
    places: Vec<usize>,
    /// Columns that are not stored.
    pub(super) ignored: u64,
    /// There is a column for the volume.
    pub(super) has_volume: bool,
}

/// A row has another number of fields than the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    Missing,
    Extra,
}

impl Columns {
    pub(super) fn parse(line: &str) -> Result<Self, CsvError> {
        let names: Vec<String> = fields(line).map(str::to_ascii_lowercase).collect();
        let column = |wanted: &str| names.iter().position(|name| name == wanted);
        // a table written together with its nameless index has an empty first name
        let unnamed_first = || names.first().filter(|name| name.is_empty()).map(|_| 0);
        let stamp = STAMPS.into_iter().find_map(column).or_else(unnamed_first);

        let mut places = vec![IGNORED; names.len()];
        let mut missing = Vec::new();
        match stamp {
            Some(at) => places[at] = STAMP,
            None => missing.push(STAMP_SHOWN),
        }
        for (name, place) in VALUES.into_iter().zip(OPEN..) {
            match column(name) {
                Some(at) => places[at] = place,
                None if place == VOLUME => {}
                None => missing.push(name),
            }
        }
        if !missing.is_empty() {
            return Err(CsvError::column_missing(missing, line, looks_like_a_row(line)));
        }
        Ok(Self {
            ignored: places.iter().filter(|place| **place == IGNORED).count() as u64,
            has_volume: places.contains(&VOLUME),
            places,
        })
    }

    /// Sorts the fields of a row.
    pub(super) fn cells<'a>(&self, line: &'a str) -> Result<Cells<'a>, Misfit> {
        let mut cells = [""; 7];
        let mut fields = fields(line);
        for place in &self.places {
            cells[*place] = fields.next().ok_or(Misfit::Missing)?;
        }
        if fields.next().is_some() {
            return Err(Misfit::Extra);
        }
        Ok(cells)
    }
}

/// A stamp, then numbers only.
fn looks_like_a_row(line: &str) -> bool {
    let mut fields = fields(line);
    let stamped = fields.next().is_some_and(|first| Stamp::parse(first).is_some());
    stamped && fields.all(|field| field.is_empty() || is_number(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(line: &str) -> (Vec<&'static str>, bool) {
        match Columns::parse(line) {
            Err(CsvError::ColumnMissing { names, headerless, .. }) => (names, headerless),
            other => panic!("{other:?}"),
        }
    }

    fn cells<'a>(header: &str, row: &'a str) -> Result<Cells<'a>, Misfit> {
        Columns::parse(header).unwrap().cells(row)
    }

    #[test]
    fn names_decide_not_positions() {
        for header in [
            "date,open,high,low,close,volume",
            "TIMESTAMP,Open,HIGH,low,Close,Volume",
            ",open,high,low,close,volume",
            "\"DateTime\", \"Open\" ,high,low,close,volume",
        ] {
            assert_eq!(cells(header, "t,o,h,l,c,v"), Ok(["t", "o", "h", "l", "c", "v", ""]), "{header}");
        }
        assert_eq!(cells("volume,close,low,high,open,time", "v,c,l,h,o,t"), Ok(["t", "o", "h", "l", "c", "v", ""]));
        assert_eq!(cells("date,open,high,low,close", "t,o,h,l,c"), Ok(["t", "o", "h", "l", "c", "", ""]));
    }

    #[test]
    fn a_named_time_column_wins_over_a_nameless_one() {
        let columns = Columns::parse(",Date,Open,High,Low,Close,Adj Close,Volume,Time").unwrap();
        assert_eq!((columns.ignored, columns.has_volume), (3, true));
        assert_eq!(columns.cells("0,t,o,h,l,c,a,v,x").unwrap()[..6], ["t", "o", "h", "l", "c", "v"]);
        let columns = Columns::parse("date,time,timestamp,open,high,low,close").unwrap();
        assert_eq!(columns.cells("d,t,s,o,h,l,c").unwrap()[STAMP], "s");
    }

    #[test]
    fn another_number_of_fields_is_a_misfit() {
        let header = "date,open,high,low,close,volume";
        assert_eq!(cells(header, "t,o,h,l,c"), Err(Misfit::Missing));
        assert_eq!(cells(header, "t"), Err(Misfit::Missing));
        assert_eq!(cells(header, "t,o,h,l,c,v,"), Err(Misfit::Extra));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(missing("date,open,close"), (vec!["high", "low"], false));
        assert_eq!(missing("hello"), (vec![STAMP_SHOWN, "open", "high", "low", "close"], false));
        assert_eq!(missing("date;open;high;low;close").0.len(), 5);
        assert!(missing("2023-01-01,1,2,0.5,1.5,100").1);
        assert!(missing("2025-05-22 08:00:00+00:00,1,2,0.5,1.5,").1);
    }
}
