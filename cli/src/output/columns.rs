//! Which columns of bars are written; their order is always the same.

use clap::ValueEnum;

/// A column of bars, beside the time that each row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    Open,
    High,
    Low,
    Close,
    Volume,
}

/// Some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns([bool; 5]);

impl Columns {
    /// Every one.
    pub(crate) const ALL: Self = Self([true; 5]);

    /// Those that are named; all when none is.
    pub(crate) fn of(named: &[Column]) -> Self {
        if named.is_empty() {
            return Self::ALL;
        }
        Self([Column::Open, Column::High, Column::Low, Column::Close, Column::Volume].map(|one| named.contains(&one)))
    }

    pub(crate) fn has(self, column: Column) -> bool {
        self.0[column as usize]
    }

    /// Of a row whose first cell is the time, the cells that are wanted.
    pub(crate) fn pick<T>(self, row: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        let wanted = std::iter::once(true).chain(self.0);
        row.into_iter().zip(wanted).filter_map(|(cell, wanted)| wanted.then_some(cell))
    }
}
