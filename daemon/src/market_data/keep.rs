//! New bars into the store: read the years they touch, merge, commit.

use super::merge::{Report, merge};
use crate::{
    model::{Bars, Basis, Nanos, SeriesKey, Source, TimeRange},
    store::{Commit, CoverageKind, ImportRow, Store, StoreError, year_of, year_start},
};

/// Writes one series; its owner is the only writer.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Store,
    key: SeriesKey,
    /// The year written last, as it is stored: most steps of a load go on in it.
    recent: Option<(i16, Bars)>,
}

/// What becomes durable together.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) basis: Basis,
    pub(super) source: Source,
    pub(super) assumed: bool,
    pub(super) bars: Bars,
    /// What was asked for; bars outside it are ignored.
    pub(super) range: TimeRange,
    pub(super) cover: Vec<(TimeRange, CoverageKind)>,
    pub(super) as_of: Nanos,
    /// For an import; its counts are filled in here.
    pub(super) import: Option<ImportRow>,
}

impl Keeper {
    pub(super) fn new(store: Store, key: SeriesKey) -> Self {
        Self { store, key, recent: None }
    }

    /// A damaged year is replaced by what is delivered, and what was known of it is void. Blocks.
    pub(super) fn keep(&mut self, delivery: Delivery) -> Result<Report, StoreError> {
        let mut report = Report::default();
        let (mut years, mut uncover) = (Vec::new(), Vec::new());
        for (year, rows) in by_year(&delivery.bars) {
            let (stored, damaged) = self.stored(year)?;
            let (merged, one) = merge(&stored, &delivery.bars.slice(rows), &delivery.range);
            report += one;
            if damaged {
                uncover.extend(TimeRange::new(year_start(year), year_start(year.saturating_add(1))).ok());
            }
            if damaged || one.added + one.revised > 0 {
                years.push((year, merged));
            }
        }
        let last = years.last().cloned();
        self.recent = None; // unknown until the commit has succeeded
        self.store.commit(
            &self.key,
            Commit {
                basis: delivery.basis,
                source: delivery.source,
                assumed: delivery.assumed,
                years,
                cover: delivery.cover,
                uncover,
                import: delivery.import.map(|row| ImportRow { added: report.added, revised: report.revised, ..row }),
                as_of: delivery.as_of,
            },
        )?;
        self.recent = last;
        Ok(report)
    }

    fn stored(&mut self, year: i16) -> Result<(Bars, bool), StoreError> {
        if let Some((_, bars)) = self.recent.take_if(|(recent, _)| *recent == year) {
            return Ok((bars, false));
        }
        match self.store.read_year(&self.key, year) {
            Ok(bars) => Ok((bars, false)),
            Err(StoreError::Damaged { .. }) => {
                tracing::warn!(series = %self.key, year, "replacing a damaged partition");
                Ok((Bars::default(), true))
            }
            Err(error) => Err(error),
        }
    }
}

/// Runs of rows with one year, in order.
fn by_year(bars: &Bars) -> Vec<(i16, std::ops::Range<usize>)> {
    let mut runs = Vec::new();
    let mut from = 0;
    while let Some(start) = bars.start.get(from) {
        let year = year_of(*start);
        let next = year_start(year.saturating_add(1));
        let to = bars.start.partition_point(|start| *start < next).max(from + 1);
        runs.push((year, from..to));
        from = to;
    }
    runs
}
