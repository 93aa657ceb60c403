//! What the bucket holds, as far as this ledger has seen to it. All of it can be found out again by asking the bucket.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::store::Checksum;

/// A file that is in the bucket, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct UploadRow {
    pub year: i16,
    /// What it was told to hold, and what it calls that version.
    pub held: Option<(Checksum, String)>,
    /// What was sent, written before it left: the answer may be lost.
    pub sent: Option<Checksum>,
    /// The file was removed on purpose, so the object goes too. One that is only missing does not.
    pub gone: bool,
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

/// The bucket is to be asked again for all that it has.
pub(in crate::store) fn unlink(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM bucket", []).map(drop)
}

pub(in crate::store) fn put(connection: &Connection, series: i64, row: &UploadRow) -> Result<()> {
    let length = |sum: &Checksum| i64::try_from(sum.length).unwrap_or(i64::MAX);
    let (held, version) = (row.held.as_ref().map(|(sum, _)| sum), row.held.as_ref().map(|(_, version)| version));
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO upload (series_id, year, length, crc, version, sent_length, sent_crc, gone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            series,
            row.year,
            held.map(length),
            held.map(|sum| sum.crc),
            version,
            row.sent.as_ref().map(length),
            row.sent.map(|sum| sum.crc),
            row.gone
        ])
        .map(drop)
}

/// Whether the file was removed on purpose; nothing where the bucket never had it.
pub(in crate::store) fn mark(connection: &Connection, series: i64, year: i16, gone: bool) -> Result<()> {
    let sql = "UPDATE upload SET gone = ?3 WHERE series_id = ?1 AND year = ?2";
    connection.prepare_cached(sql)?.execute(params![series, year, gone]).map(drop)
}

pub(in crate::store) fn forget(connection: &Connection, series: i64, year: i16) -> Result<()> {
    connection.execute("DELETE FROM upload WHERE series_id = ?1 AND year = ?2", params![series, year]).map(drop)
}

pub(in crate::store) fn all(connection: &Connection) -> Result<Vec<(i64, UploadRow)>> {
    let mut statement =
        connection.prepare("SELECT series_id, year, length, crc, version, sent_length, sent_crc, gone FROM upload")?;
    let rows = statement.query_map([], |row| {
        let sum = |length: usize, crc: usize| -> Result<Option<Checksum>> {
            let length: Option<i64> = row.get(length)?;
            let crc: Option<u32> = row.get(crc)?;
            Ok(length.zip(crc).map(|(length, crc)| Checksum { length: u64::try_from(length).unwrap_or(0), crc }))
        };
        let version: Option<String> = row.get(4)?;
        let row_of =
            UploadRow { year: row.get(1)?, held: sum(2, 3)?.zip(version), sent: sum(5, 6)?, gone: row.get(7)? };
        Ok((row.get(0)?, row_of))
    })?;
    rows.collect()
}
