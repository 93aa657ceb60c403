//! Files that were replaced on purpose: what they held, and what was known of their years.

use rusqlite::{Connection, Result, params};

use crate::{
    model::{Nanos, Source, TimeRange},
    store::{Checksum, CoverageKind},
};

/// One year of a series before it was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRow {
    /// Ascending.
    pub id: i64,
    /// Which year.
    pub year: i16,
    /// What replaced it.
    pub operation: String,
    /// For people.
    pub why: String,
    /// When.
    pub at: Nanos,
    /// Of its file below `kept/`; `None` when the year held nothing.
    pub file: Option<(String, Checksum)>,
    /// Its bars.
    pub rows: u64,
    /// Starts of the first of them and the last.
    pub ends: (Nanos, Nanos),
    /// What of the year was known.
    pub coverage: Vec<(TimeRange, CoverageKind, Source)>,
}

/// Adds one; its id is given here.
pub(in crate::store) fn add(connection: &Connection, series: i64, row: &KeptRow) -> Result<()> {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let (name, checksum) = match &row.file {
        Some((name, checksum)) => (name.as_str(), *checksum),
        None => ("", Checksum { length: 0, crc: 0 }),
    };
    let covered = row.coverage.iter();
    let covered: Vec<_> =
        covered.map(|(part, kind, source)| (part.start(), part.end(), kind.name(), source.name())).collect();
    connection
        .execute(
            "INSERT INTO kept (series_id, year, operation, why, at_ns, name, length, crc, rows, first_ns, last_ns, coverage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                series,
                row.year,
                row.operation,
                row.why,
                row.at,
                name,
                count(checksum.length),
                checksum.crc,
                count(row.rows),
                row.ends.0,
                row.ends.1,
                serde_json::to_string(&covered).unwrap_or_default()
            ],
        )
        .map(drop)
}

/// All of a series, oldest first.
pub(in crate::store) fn all(connection: &Connection, series: i64) -> Result<Vec<KeptRow>> {
    chosen(connection, "series_id = ?1", series)
}

/// Of all series, what was replaced before an instant.
pub(in crate::store) fn before(connection: &Connection, at: Nanos) -> Result<Vec<KeptRow>> {
    chosen(connection, "at_ns < ?1", at)
}

fn chosen(connection: &Connection, condition: &str, value: i64) -> Result<Vec<KeptRow>> {
    let mut statement = connection.prepare(&format!(
        "SELECT id, year, operation, why, at_ns, name, length, crc, rows, first_ns, last_ns, coverage FROM kept
         WHERE {condition} ORDER BY id"
    ))?;
    let rows = statement.query_map([value], |row| {
        let count = |index| row.get::<_, i64>(index).map(|value| u64::try_from(value).unwrap_or(0));
        let name: String = row.get(5)?;
        let checksum = Checksum { length: count(6)?, crc: row.get(7)? };
        let covered: String = row.get(11)?;
        let covered: Vec<(Nanos, Nanos, String, String)> = serde_json::from_str(&covered).unwrap_or_default();
        let coverage = covered.into_iter().filter_map(|(start, end, kind, source)| {
            Some((TimeRange::new(start, end).ok()?, CoverageKind::parse(&kind)?, Source::parse(&source)?))
        });
        Ok(KeptRow {
            id: row.get(0)?,
            year: row.get(1)?,
            operation: row.get(2)?,
            why: row.get(3)?,
            at: row.get(4)?,
            file: (!name.is_empty()).then_some((name, checksum)),
            rows: count(8)?,
            ends: (row.get(9)?, row.get(10)?),
            coverage: coverage.collect(),
        })
    })?;
    rows.collect()
}

/// The names of all files that a row speaks of.
pub(in crate::store) fn names(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM kept WHERE name <> ''")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

pub(in crate::store) fn forget(connection: &Connection, ids: &[i64]) -> Result<()> {
    let mut statement = connection.prepare("DELETE FROM kept WHERE id = ?1")?;
    ids.iter().try_for_each(|id| statement.execute([id]).map(drop))
}
