//! Training sessions: which host was asked to run which, so that a restarted daemon knows whom to ask.

use rusqlite::{Connection, Result, params};

use crate::model::Nanos;

/// A session that was, or was about to be, started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The operation; also the id of the session.
    pub operation: String,
    /// In the configuration.
    pub host: String,
    /// The host has it. Otherwise the start may or may not have left.
    pub seen: bool,
    /// A person wants it stopped.
    pub cancelled: bool,
    /// When that was written.
    pub at: Nanos,
}

pub(in crate::store) fn put(connection: &Connection, row: &SessionRow) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO session (operation, host, seen, cancelled, at_ns) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (operation) DO UPDATE SET host = excluded.host, seen = excluded.seen,
                 cancelled = excluded.cancelled, at_ns = excluded.at_ns",
        )?
        .execute(params![row.operation, row.host, row.seen, row.cancelled, row.at])
        .map(drop)
}

pub(in crate::store) fn all(connection: &Connection) -> Result<Vec<SessionRow>> {
    let mut statement = connection.prepare("SELECT operation, host, seen, cancelled, at_ns FROM session")?;
    let rows = statement.query_map([], |row| {
        let (operation, host) = (row.get(0)?, row.get(1)?);
        Ok(SessionRow { operation, host, seen: row.get(2)?, cancelled: row.get(3)?, at: row.get(4)? })
    })?;
    rows.collect()
}

pub(in crate::store) fn forget(connection: &Connection, operation: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM session WHERE operation = ?1")?.execute([operation]).map(drop)
}
