//! Rows of series: what they are, their files, their coverage, where imports came from.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::{
    model::{Basis, Nanos, SeriesKey, Session, Source, Symbol, TimeRange, Timeframe, WhatToShow},
    store::{Checksum, CoverageKind},
};

/// A series as the ledger knows it.
#[derive(Debug, Clone)]
pub(in crate::store) struct SeriesRow {
    pub id: i64,
    pub key: SeriesKey,
    pub basis: Basis,
    pub source: Source,
    pub assumed: bool,
}

/// A file of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct PartitionRow {
    pub year: i16,
    pub checksum: Checksum,
    pub rows: u64,
    pub first: Nanos,
    pub last: Nanos,
}

impl PartitionRow {
    /// A year that holds no bars any more.
    pub(in crate::store) fn nothing(year: i16) -> Self {
        Self { year, checksum: Checksum { length: 0, crc: 0 }, rows: 0, first: 0, last: 0 }
    }

    pub(in crate::store) fn is_nothing(&self) -> bool {
        self.rows == 0
    }
}

/// Where the bars of one imported file came from.
#[derive(Debug, Clone)]
pub struct ImportRow {
    pub operation: String,
    pub label: String,
    pub checksum: Checksum,
    pub rows: u64,
    pub added: u64,
    pub revised: u64,
    pub at: Nanos,
}

/// All series. A row this daemon cannot read (of a later version) is left out with a warning.
pub(in crate::store) fn all(connection: &Connection) -> Result<Vec<SeriesRow>> {
    let mut statement =
        connection.prepare("SELECT id, symbol, timeframe, session, what, source, assumed FROM series")?;
    let rows = statement.query_map([], |row| {
        let text = |index| row.get::<_, String>(index);
        let (symbol, timeframe) = (text(1)?, text(2)?);
        let key = Symbol::parse(&symbol).ok().zip(Timeframe::parse(&timeframe));
        let basis = Session::parse(&text(3)?).zip(WhatToShow::parse(&text(4)?));
        let source = Source::parse(&text(5)?);
        let (Some((symbol, timeframe)), Some((session, what)), Some(source)) = (key, basis, source) else {
            tracing::warn!(symbol, timeframe, "a series in the ledger cannot be read");
            return Ok(None);
        };
        Ok(Some(SeriesRow {
            id: row.get(0)?,
            key: SeriesKey { symbol, timeframe },
            basis: Basis { session, what },
            source,
            assumed: row.get(6)?,
        }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

/// Inserts or updates; returns the id.
pub(in crate::store) fn upsert(
    connection: &Connection,
    key: &SeriesKey,
    basis: Basis,
    source: Source,
    assumed: bool,
) -> Result<i64> {
    connection.query_row(
        "INSERT INTO series (symbol, timeframe, session, what, source, assumed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (symbol, timeframe) DO UPDATE
         SET session = excluded.session, what = excluded.what, source = excluded.source, assumed = excluded.assumed
         RETURNING id",
        params![
            key.symbol.as_str(),
            key.timeframe.name(),
            basis.session.name(),
            basis.what.name(),
            source.name(),
            assumed
        ],
        |row| row.get(0),
    )
}

/// Which of the two tables of files.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Files {
    /// What is.
    Partition,
    /// What is about to be.
    Pending,
}

impl Files {
    fn table(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Pending => "pending",
        }
    }
}

pub(in crate::store) fn put_file(connection: &Connection, files: Files, series: i64, row: &PartitionRow) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO {} (series_id, year, length, crc, rows, first_ns, last_ns, seal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, seal(?1, ?2, ?3, ?4, ?5, ?6, ?7))",
        files.table()
    );
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let values =
        params![series, row.year, count(row.checksum.length), row.checksum.crc, count(row.rows), row.first, row.last];
    connection.prepare_cached(&sql)?.execute(values).map(drop)
}

pub(in crate::store) fn files(connection: &Connection, files: Files) -> Result<Vec<(i64, PartitionRow)>> {
    let sql = format!("SELECT series_id, year, length, crc, rows, first_ns, last_ns FROM {}", files.table());
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let count = |index| row.get::<_, i64>(index).map(|value| u64::try_from(value).unwrap_or(0));
        let checksum = Checksum { length: count(2)?, crc: row.get(3)? };
        let file = PartitionRow { year: row.get(1)?, checksum, rows: count(4)?, first: row.get(5)?, last: row.get(6)? };
        Ok((row.get(0)?, file))
    })?;
    rows.collect()
}

/// Other years of the series may have announcements that are not settled yet; they stay.
pub(in crate::store) fn drop_pending(connection: &Connection, series: i64, year: i16) -> Result<()> {
    connection.execute("DELETE FROM pending WHERE series_id = ?1 AND year = ?2", params![series, year]).map(drop)
}

pub(in crate::store) fn coverage(connection: &Connection) -> Result<Vec<(i64, TimeRange)>> {
    let mut statement = connection.prepare("SELECT series_id, start_ns, end_ns FROM coverage")?;
    let rows = statement.query_map([], |row| {
        let range = TimeRange::new(row.get(1)?, row.get(2)?).ok();
        Ok(range.map(|range| (row.get(0), range)))
    })?;
    rows.filter_map(Result::transpose).map(|row| row.and_then(|(series, range)| Ok((series?, range)))).collect()
}

/// Adds an interval, joined with neighbours that touch it and agree in kind and source.
pub(in crate::store) fn cover(
    connection: &Connection,
    series: i64,
    range: TimeRange,
    kind: CoverageKind,
    source: Source,
    as_of: Nanos,
) -> Result<()> {
    let touching = params![series, kind.name(), source.name(), range.start(), range.end()];
    let hull: Option<(Option<Nanos>, Option<Nanos>)> = connection
        .query_row(
            "SELECT min(start_ns), max(end_ns) FROM coverage
             WHERE series_id = ?1 AND kind = ?2 AND source = ?3 AND start_ns <= ?5 AND end_ns >= ?4",
            touching,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (start, end) = hull.unwrap_or_default();
    connection.execute(
        "DELETE FROM coverage
         WHERE series_id = ?1 AND kind = ?2 AND source = ?3 AND start_ns <= ?5 AND end_ns >= ?4",
        touching,
    )?;
    connection
        .execute(
            "INSERT INTO coverage (series_id, start_ns, end_ns, kind, source, as_of_ns, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, seal(?1, ?2, ?3, ?4, ?5, ?6))",
            params![
                series,
                start.unwrap_or(range.start()).min(range.start()),
                end.unwrap_or(range.end()).max(range.end()),
                kind.name(),
                source.name(),
                as_of
            ],
        )
        .map(drop)
}

/// Takes an interval out, whatever its kind and source.
pub(in crate::store) fn uncover(connection: &Connection, series: i64, range: TimeRange) -> Result<()> {
    let cut = params![series, range.start(), range.end()];
    // the parts that stick out on either side, first
    connection.execute(
        "INSERT INTO coverage (series_id, start_ns, end_ns, kind, source, as_of_ns, seal)
         SELECT series_id, ?3, end_ns, kind, source, as_of_ns, seal(series_id, ?3, end_ns, kind, source, as_of_ns)
         FROM coverage
         WHERE series_id = ?1 AND start_ns < ?3 AND end_ns > ?3",
        cut,
    )?;
    connection.execute(
        "UPDATE coverage SET end_ns = ?2, seal = seal(series_id, start_ns, ?2, kind, source, as_of_ns)
         WHERE series_id = ?1 AND start_ns < ?2 AND end_ns > ?2",
        params![series, range.start()],
    )?;
    connection
        .execute("DELETE FROM coverage WHERE series_id = ?1 AND start_ns >= ?2 AND end_ns <= ?3", cut)
        .map(drop)?;
    connection.execute("DELETE FROM coverage WHERE series_id = ?1 AND start_ns >= ?2 AND start_ns < ?3", cut).map(drop)
}

/// What is known of an interval, with its kind and source.
pub(in crate::store) fn covered_in(
    connection: &Connection,
    series: i64,
    range: TimeRange,
) -> Result<Vec<(TimeRange, CoverageKind, Source)>> {
    let mut statement = connection.prepare(
        "SELECT start_ns, end_ns, kind, source FROM coverage WHERE series_id = ?1 AND start_ns < ?3 AND end_ns > ?2",
    )?;
    let rows = statement.query_map(params![series, range.start(), range.end()], |row| {
        let part = TimeRange::new(row.get(0)?, row.get(1)?).ok().and_then(|part| part.intersection(&range));
        let kind = CoverageKind::parse(&row.get::<_, String>(2)?).zip(Source::parse(&row.get::<_, String>(3)?));
        Ok(part.zip(kind).map(|(part, (kind, source))| (part, kind, source)))
    })?;
    rows.filter_map(Result::transpose).collect()
}

/// Takes out the rows that are not as they were written: how many of files, and how many of coverage.
pub(in crate::store) fn drop_broken(connection: &Connection) -> Result<(i64, i64)> {
    // a row whose key has changed is not found where it should be: so the good ones are put in again, instead
    let broken = |table: &str, columns: &str| {
        let count = format!("SELECT count(*) FROM {table} WHERE seal <> seal({columns})");
        let broken: i64 = connection.query_row(&count, [], |row| row.get(0))?;
        if broken > 0 {
            connection.execute_batch(&format!(
                "CREATE TEMP TABLE good AS SELECT * FROM {table} WHERE seal = seal({columns});
                 DELETE FROM {table};
                 INSERT OR REPLACE INTO {table} SELECT * FROM good;
                 DROP TABLE good;"
            ))?;
        }
        Ok::<_, rusqlite::Error>(broken)
    };
    let file = "series_id, year, length, crc, rows, first_ns, last_ns";
    let files = broken("partition", file)? + broken("pending", file)?;
    Ok((files, broken("coverage", "series_id, start_ns, end_ns, kind, source, as_of_ns")?))
}

/// Takes a file out of the list.
pub(in crate::store) fn drop_file(connection: &Connection, series: i64, year: i16) -> Result<()> {
    connection.execute("DELETE FROM partition WHERE series_id = ?1 AND year = ?2", params![series, year]).map(drop)
}

/// The id of a series.
pub(in crate::store) fn id(connection: &Connection, key: &SeriesKey) -> Result<Option<i64>> {
    connection
        .query_row(
            "SELECT id FROM series WHERE symbol = ?1 AND timeframe = ?2",
            params![key.symbol.as_str(), key.timeframe.name()],
            |row| row.get(0),
        )
        .optional()
}

pub(in crate::store) fn last_import(connection: &Connection, series: i64) -> Result<Option<Nanos>> {
    connection.query_row("SELECT max(at_ns) FROM import WHERE series_id = ?1", [series], |row| row.get(0))
}

pub(in crate::store) fn add_import(connection: &Connection, series: i64, row: &ImportRow) -> Result<()> {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    connection
        .execute(
            "INSERT INTO import (operation_id, series_id, label, length, crc, rows, added, revised, at_ns)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                row.operation,
                series,
                row.label,
                count(row.checksum.length),
                row.checksum.crc,
                count(row.rows),
                count(row.added),
                count(row.revised),
                row.at
            ],
        )
        .map(drop)
}
