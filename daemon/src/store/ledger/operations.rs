//! Rows of operations. What their JSON columns mean is the operations layer's business.

use std::{collections::HashSet, sync::Arc};

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

impl OperationRow {
    /// Of what can be long.
    fn bytes(&self) -> usize {
        let optional = [&self.failure, &self.result].map(|text| text.as_ref().map_or(0, String::len));
        self.spec.len() + self.progress.len() + optional.iter().sum::<usize>()
    }
}

/// Which of those that have ended are looked for; empty means any.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// Names of states.
    pub states: Vec<String>,
    /// Kind.
    pub kind: String,
    /// How the id begins.
    pub id: String,
    /// Ids of those that are not meant, whatever they are.
    pub without: HashSet<Arc<str>>,
}

/// Some of them.
#[derive(Debug)]
pub struct EndedRows {
    /// Newest first.
    pub rows: Vec<OperationRow>,
    /// Of these and of the chunks before.
    pub bytes: usize,
    /// So many that no more should be read for the same page.
    pub is_long: bool,
}

/// Where an operation is in the order of the lists: when it was created, and its id.
pub type Place = (Nanos, String);

/// How many there are that have ended.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Kind, state, how many.
    pub counts: Vec<(String, String, usize)>,
    /// The newest of them.
    pub newest: Option<Place>,
}

/// When an operation was entered and when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    pub created: Nanos,
    /// `None`: it has not.
    pub ended: Option<Nanos>,
}

/// What is known of one that was taken out.
#[derive(Debug, Clone)]
pub struct Forgotten {
    pub id: String,
    pub kind: String,
    pub state: String,
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

/// Those that have ended: what they are chosen by is all in the index.
const CHOSEN: &str = "FROM operation INDEXED BY operation_ended
    WHERE ended_ns IS NOT NULL AND (created_ns, id) < (?1, ?2) AND (?3 = '' OR kind = ?3)
        AND (?4 = '[]' OR state IN (SELECT value FROM json_each(?4))) AND substr(id, 1, length(?5)) = ?5";

/// Bytes of rows that are read at once, and one more row: results can be long, and others wait for the ledger.
const BYTES: usize = 4 << 20;

/// Newest first, those before `before`, at most `most`, and fewer when they are long. The chunks before had so many `bytes`.
pub(in crate::store) fn ended(
    connection: &Connection,
    ended: &Ended,
    before: Option<&Place>,
    most: usize,
    mut bytes: usize,
) -> Result<EndedRows> {
    let sql = format!("SELECT {COLUMNS} {CHOSEN} ORDER BY created_ns DESC, id DESC");
    let mut rows = Vec::new();
    choose(connection, &sql, ended, before, |row| {
        let one = read(row)?;
        bytes += one.bytes();
        rows.push(one);
        Ok(rows.len() < most && bytes < BYTES)
    })?;
    Ok(EndedRows { rows, bytes, is_long: bytes >= BYTES })
}

/// How many there are.
pub(in crate::store) fn count(connection: &Connection, ended: &Ended) -> Result<usize> {
    let mut count = 0;
    choose(connection, &format!("SELECT id {CHOSEN}"), ended, None, |_| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}

/// Shows `each` those that are meant, the id first, until it has enough.
fn choose(
    connection: &Connection,
    sql: &str,
    ended: &Ended,
    before: Option<&Place>,
    mut each: impl FnMut(&Row<'_>) -> Result<bool>,
) -> Result<()> {
    let states: Vec<String> = ended.states.iter().map(|state| format!("\"{state}\"")).collect();
    let (created, id) = before.map_or((Nanos::MAX, ""), |(created, id)| (*created, id));
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![created, id, ended.kind, format!("[{}]", states.join(",")), ended.id])?;
    while let Some(row) = rows.next()? {
        let is_meant = !ended.without.contains(row.get_ref(0)?.as_str()?);
        if is_meant && !each(row)? {
            break;
        }
    }
    Ok(())
}

/// All that have ended, but for `without`.
pub(in crate::store) fn counted(connection: &Connection, without: &HashSet<Arc<str>>) -> Result<Counted> {
    let mut statement = connection.prepare(
        "SELECT kind, state, created_ns, id FROM operation INDEXED BY operation_ended WHERE ended_ns IS NOT NULL
         ORDER BY created_ns DESC, id DESC",
    )?;
    let (mut rows, mut all) = (statement.query([])?, Counted::default());
    while let Some(row) = rows.next()? {
        let id = row.get_ref(3)?.as_str()?;
        if without.contains(id) {
            continue;
        }
        if all.newest.is_none() {
            all.newest = Some((row.get(2)?, id.to_owned()));
        }
        let (kind, state) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
        match all.counts.iter_mut().find(|(of, at, _)| of == kind && at == state) {
            Some((_, _, count)) => *count += 1,
            None => all.counts.push((kind.to_owned(), state.to_owned(), 1)),
        }
    }
    Ok(all)
}

pub(in crate::store) fn one(connection: &Connection, id: &str) -> Result<Option<OperationRow>> {
    let one = format!("SELECT {COLUMNS} FROM operation WHERE id = ?1 AND ended_ns IS NOT NULL");
    let mut statement = connection.prepare_cached(&one)?;
    statement.query_row([id], read).optional()
}

pub(in crate::store) fn of_request(connection: &Connection, request_id: &str) -> Result<Option<OperationRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM operation WHERE request_id = ?1"))?;
    statement.query_row([request_id], read).optional()
}

/// Takes those out that `goes` says, by their positions: it is shown all of them, in any order.
pub(in crate::store) fn forget(
    connection: &Connection,
    goes: impl FnOnce(&[Age]) -> Vec<usize>,
) -> Result<Vec<Forgotten>> {
    let ended =
        "SELECT rowid, created_ns, ended_ns FROM operation INDEXED BY operation_ended WHERE ended_ns IS NOT NULL";
    let unfinished = "SELECT rowid, created_ns, NULL FROM operation WHERE ended_ns IS NULL";
    let (mut numbers, mut ages) = (Vec::<i64>::new(), Vec::new());
    for all in [ended, unfinished] {
        let mut statement = connection.prepare_cached(all)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            numbers.push(row.get(0)?);
            ages.push(Age { created: row.get(1)?, ended: row.get(2)? });
        }
    }
    let mut operation = connection.prepare_cached(FORGET)?;
    let mut session = connection.prepare_cached("DELETE FROM session WHERE operation = ?1")?;
    let mut gone = Vec::new();
    for number in goes(&ages).into_iter().filter_map(|at| numbers.get(at)) {
        let read = |row: &Row<'_>| Ok(Forgotten { id: row.get(0)?, kind: row.get(1)?, state: row.get(2)? });
        if let Some(forgotten) = operation.query_row([number], read).optional()? {
            session.execute([&forgotten.id])?;
            gone.push(forgotten);
        }
    }
    Ok(gone)
}

/// The table decides, whatever the index says.
const FORGET: &str = "DELETE FROM operation WHERE rowid = ?1 AND ended_ns IS NOT NULL RETURNING id, kind, state";

/// Makes the index again out of the table: no check of `SQLite` that takes less than a look at all compares the two.
pub(in crate::store) fn index_again(connection: &Connection) -> Result<()> {
    connection.execute_batch("REINDEX operation_ended")
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
