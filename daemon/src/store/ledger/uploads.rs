//! What the bucket holds, as far as this ledger has seen to it. All of it can be found out again by asking the bucket.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::store::Checksum;

/// A file that is in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct UploadRow {
    pub year: i16,
    pub checksum: Checksum,
    /// What the bucket calls this version of it.
    pub version: String,
}

/// The bucket that the rows speak of.
pub(in crate::store) fn address(connection: &Connection) -> Result<Option<String>> {
    connection.query_row("SELECT address FROM bucket", [], |row| row.get(0)).optional()
}

/// From now on they speak of this one, of which nothing is known.
pub(in crate::store) fn link(connection: &Connection, address: &str) -> Result<()> {
    connection.execute("DELETE FROM upload", [])?;
    connection.execute("INSERT OR REPLACE INTO bucket (id, address) VALUES (1, ?1)", [address]).map(drop)
}

pub(in crate::store) fn put(connection: &Connection, series: i64, row: &UploadRow) -> Result<()> {
    let length = i64::try_from(row.checksum.length).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO upload (series_id, year, length, crc, version) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![series, row.year, length, row.checksum.crc, row.version])
        .map(drop)
}

pub(in crate::store) fn forget(connection: &Connection, series: i64, year: i16) -> Result<()> {
    connection.execute("DELETE FROM upload WHERE series_id = ?1 AND year = ?2", params![series, year]).map(drop)
}

pub(in crate::store) fn all(connection: &Connection) -> Result<Vec<(i64, UploadRow)>> {
    let mut statement = connection.prepare("SELECT series_id, year, length, crc, version FROM upload")?;
    let rows = statement.query_map([], |row| {
        let length = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        let checksum = Checksum { length, crc: row.get(3)? };
        Ok((row.get(0)?, UploadRow { year: row.get(1)?, checksum, version: row.get(4)? }))
    })?;
    rows.collect()
}
