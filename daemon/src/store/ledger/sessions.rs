//! Training sessions: which host was asked to run which, so that a restarted daemon knows whom to ask.

use rusqlite::{Connection, OptionalExtension, Result, params};

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
    /// When that was written.
    pub at: Nanos,
}

pub(in crate::store) fn put(connection: &Connection, row: &SessionRow) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO session (operation, host, seen, at_ns) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (operation) DO UPDATE SET host = excluded.host, seen = excluded.seen, at_ns = excluded.at_ns",
        )?
        .execute(params![row.operation, row.host, row.seen, row.at])
        .map(drop)
}

pub(in crate::store) fn get(connection: &Connection, operation: &str) -> Result<Option<SessionRow>> {
    connection
        .prepare_cached("SELECT operation, host, seen, at_ns FROM session WHERE operation = ?1")?
        .query_row([operation], |row| {
            Ok(SessionRow { operation: row.get(0)?, host: row.get(1)?, seen: row.get(2)?, at: row.get(3)? })
        })
        .optional()
}

pub(in crate::store) fn forget(connection: &Connection, operation: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM session WHERE operation = ?1")?.execute([operation]).map(drop)
}
