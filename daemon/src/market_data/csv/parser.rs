//! Lines to bars and findings.

use super::{
    CsvError, CsvOptions, Finding,
    findings::{Findings, kind},
    header::{Columns, Misfit, STAMP},
    row,
    start::{Unusable, start},
    table::Table,
};
use crate::model::{Bar, Bars};

/// Takes the lines of one file in order.
#[derive(Debug)]
pub(super) struct Parser {
    options: CsvOptions,
    rows_max: u64,
    columns: Option<Columns>,
    rows: u64,
    table: Table,
    rejected: Findings,
    notes: Findings,
    /// Line of the first row whose stamp carries no zone, where one is needed.
    zoneless: Option<u64>,
}

/// All that the lines held.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) bars: Bars,
    pub(super) rows: u64,
    pub(super) collapsed: u64,
    pub(super) rejected: Vec<Finding>,
    pub(super) notes: Vec<Finding>,
}

/// Why a row gives no bar.
#[derive(Debug, PartialEq)]
enum Fault {
    Row(&'static str),
    ZoneNeeded,
}

impl Fault {
    fn kind(&self) -> &'static str {
        match self {
            Self::Row(kind) => kind,
            Self::ZoneNeeded => kind::TIMEZONE_AMBIGUOUS,
        }
    }
}

impl Parser {
    pub(super) fn new(options: CsvOptions, rows_max: u64) -> Self {
        Self {
            options,
            rows_max,
            columns: None,
            rows: 0,
            table: Table::default(),
            rejected: Findings::default(),
            notes: Findings::default(),
            zoneless: None,
        }
    }

    /// Blank lines count as lines, not as rows.
    pub(super) fn line(&mut self, number: u64, line: &str) -> Result<(), CsvError> {
        if line.trim_ascii_start().is_empty() {
            return Ok(());
        }
        let Some(columns) = &self.columns else {
            let columns = Columns::parse(line)?;
            if columns.ignored > 0 {
                self.notes.add_many(kind::COLUMN_IGNORED, columns.ignored, number);
            }
            self.columns = Some(columns);
            return Ok(());
        };
        if self.rows == self.rows_max {
            return Err(CsvError::TooLarge { rows: self.rows_max });
        }
        self.rows += 1;
        match bar(line, columns, &self.options) {
            Ok(bar) => {
                // a file without the column reports nothing of any row, which its header says already
                if bar.volume.is_none() && columns.has_volume {
                    self.notes.add(kind::VOLUME_NOT_REPORTED, number);
                }
                self.table.push(bar, number, &mut self.notes);
                Ok(())
            }
            Err(fault) => {
                if fault == Fault::ZoneNeeded {
                    self.zoneless.get_or_insert(number);
                }
                self.rejected.add(fault.kind(), number);
                Ok(())
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<Read, CsvError> {
        if self.columns.is_none() {
            return Err(CsvError::Empty);
        }
        // a file whose stamps all lack the zone wants the question answered, not its rows counted
        if let (Some(line), true) = (self.zoneless, self.table.is_empty()) {
            return Err(CsvError::TimeZoneNeeded { line });
        }
        let settled = self.table.settle(&mut self.rejected, &mut self.notes);
        Ok(Read {
            bars: settled.bars,
            rows: self.rows,
            collapsed: settled.collapsed,
            rejected: self.rejected.into_vec(),
            notes: self.notes.into_vec(),
        })
    }
}

fn bar(line: &str, columns: &Columns, options: &CsvOptions) -> Result<Bar, Fault> {
    let cells = columns.cells(line).map_err(|misfit| {
        Fault::Row(match misfit {
            Misfit::Missing => kind::FIELDS_MISSING,
            Misfit::Extra => kind::FIELDS_EXTRA,
        })
    })?;
    let start = start(cells[STAMP], options).map_err(|unusable| match unusable {
        Unusable::Unparsable => Fault::Row(kind::TIMESTAMP_UNPARSABLE),
        Unusable::Ambiguous => Fault::Row(kind::TIMEZONE_AMBIGUOUS),
        Unusable::ZoneNeeded => Fault::ZoneNeeded,
    })?;
    let [open, high, low, close] = row::prices(&cells).map_err(Fault::Row)?;
    let volume = row::volume(&cells).map_err(Fault::Row)?;
    Ok(Bar { start, open, high, low, close, volume })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timeframe;

    #[test]
    fn one_row_too_many_refuses_the_file() {
        let options = CsvOptions { timeframe: Timeframe::Days1, time_zone: None };
        let mut parser = Parser::new(options, 2);
        assert_eq!(parser.line(1, "date,open,high,low,close"), Ok(()));
        for number in 2..4 {
            assert_eq!(parser.line(number, "rejected rows count too"), Ok(()));
        }
        assert_eq!(parser.line(4, " "), Ok(()));
        assert_eq!(parser.line(5, "2024-01-02,1,1,1,1"), Err(CsvError::TooLarge { rows: 2 }));
    }
}
