//! Rows of operations. What their JSON columns mean is the operations layer's business.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use crate::model::Nanos;

/// An operation as the ledger keeps it.
#[derive(Debug, Clone)]
pub struct OperationRow {
    pub id: String,
    pub kind: String,
    pub state: String,
    pub subject: String,
    pub request_id: String,
    pub spec: String,
    pub created: Nanos,
    pub started: Option<Nanos>,
    pub ended: Option<Nanos>,
    pub progress: String,
    pub failure: Option<String>,
    pub result: Option<String>,
    pub retry_of: Option<String>,
}

/// What finds one that has ended.
#[derive(Debug, Clone)]
pub struct EndedRow {
    pub id: String,
    pub kind: String,
    pub state: String,
    pub created: Nanos,
    pub ended: Nanos,
}

pub(in crate::store) fn put(connection: &Connection, row: &OperationRow) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO operation (id, kind, state, subject, request_id, spec, created_ns, started_ns, ended_ns,
                                    progress, failure, result, retry_of)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_ns = excluded.started_ns,
                 ended_ns = excluded.ended_ns, progress = excluded.progress, failure = excluded.failure,
                 result = excluded.result",
        )?
        .execute(params![
            row.id,
            row.kind,
            row.state,
            row.subject,
            row.request_id,
            row.spec,
            row.created,
            row.started,
            row.ended,
            row.progress,
            row.failure,
            row.result,
            row.retry_of
        ])
        .map(drop)
}

const COLUMNS: &str =
    "id, kind, state, subject, request_id, spec, created_ns, started_ns, ended_ns, progress, failure, result, retry_of";

pub(in crate::store) fn unfinished(connection: &Connection) -> Result<Vec<OperationRow>> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM operation WHERE ended_ns IS NULL"))?;
    let rows = statement.query_map([], read)?;
    rows.collect()
}

pub(in crate::store) fn ended(connection: &Connection) -> Result<Vec<EndedRow>> {
    let mut statement =
        connection.prepare("SELECT id, kind, state, created_ns, ended_ns FROM operation WHERE ended_ns IS NOT NULL")?;
    let rows = statement.query_map([], |row| {
        Ok(EndedRow {
            id: row.get(0)?,
            kind: row.get(1)?,
            state: row.get(2)?,
            created: row.get(3)?,
            ended: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Those of these ids that are there.
pub(in crate::store) fn some(connection: &Connection, ids: &[String]) -> Result<Vec<OperationRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM operation WHERE id = ?1"))?;
    ids.iter().filter_map(|id| statement.query_row([id], read).optional().transpose()).collect()
}

pub(in crate::store) fn of_request(connection: &Connection, request_id: &str) -> Result<Option<OperationRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM operation WHERE request_id = ?1"))?;
    statement.query_row([request_id], read).optional()
}

pub(in crate::store) fn forget(connection: &Connection, ids: &[String]) -> Result<()> {
    let mut operation = connection.prepare_cached("DELETE FROM operation WHERE id = ?1")?;
    let mut session = connection.prepare_cached("DELETE FROM session WHERE operation = ?1")?;
    ids.iter().try_for_each(|id| operation.execute([id]).and(session.execute([id])).map(drop))
}

fn read(row: &Row<'_>) -> Result<OperationRow> {
    Ok(OperationRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        state: row.get(2)?,
        subject: row.get(3)?,
        request_id: row.get(4)?,
        spec: row.get(5)?,
        created: row.get(6)?,
        started: row.get(7)?,
        ended: row.get(8)?,
        progress: row.get(9)?,
        failure: row.get(10)?,
        result: row.get(11)?,
        retry_of: row.get(12)?,
    })
}
