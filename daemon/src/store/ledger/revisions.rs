//! Where a source disagreed with what was stored.

use rusqlite::{Connection, Result, params};

use crate::model::{Nanos, Source};

/// Bars of one commit that disagree in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionRow {
    /// When.
    pub at: Nanos,
    /// Whose commit it was; `live` for live bars.
    pub operation: String,
    /// Who says otherwise.
    pub source: Source,
    /// One of the cases of `market_data::merge`.
    pub kind: String,
    /// How many bars.
    pub bars: u64,
    /// Start of the first of them.
    pub first: Nanos,
    /// Start of the last of them.
    pub last: Nanos,
    /// The first few, as JSON.
    pub examples: String,
}

pub(in crate::store) fn add(connection: &Connection, series: i64, row: &RevisionRow) -> Result<()> {
    let bars = i64::try_from(row.bars).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO revision (series_id, at_ns, operation, source, kind, bars, first_ns, last_ns, examples)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            series,
            row.at,
            row.operation,
            row.source.name(),
            row.kind,
            bars,
            row.first,
            row.last,
            row.examples
        ])
        .map(drop)
}

/// The latest first, at most `limit`.
pub(in crate::store) fn latest(connection: &Connection, series: i64, limit: u32) -> Result<Vec<RevisionRow>> {
    let mut statement = connection.prepare(
        "SELECT at_ns, operation, source, kind, bars, first_ns, last_ns, examples FROM revision
         WHERE series_id = ?1 ORDER BY rowid DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![series, limit], |row| {
        Ok(RevisionRow {
            at: row.get(0)?,
            operation: row.get(1)?,
            source: Source::parse(&row.get::<_, String>(2)?).unwrap_or(Source::Mixed),
            kind: row.get(3)?,
            bars: row.get::<_, i64>(4).map(|bars| u64::try_from(bars).unwrap_or(0))?,
            first: row.get(5)?,
            last: row.get(6)?,
            examples: row.get(7)?,
        })
    })?;
    rows.collect()
}
