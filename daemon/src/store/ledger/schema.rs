//! Tables and migrations.
//!
//! Instants are INTEGER nanoseconds since the epoch. `user_version` is the schema; each step of [`MIGRATIONS`] leads to
//! the next one and is never edited after a release.

use std::path::Path;

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use super::StoreError;

/// `PRAGMA application_id`, "ktrd": tells our file from another program's.
const APPLICATION_ID: i64 = 0x6b74_7264;

const MIGRATIONS: [&str; 8] = [
    "
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        symbol TEXT NOT NULL,
        timeframe TEXT NOT NULL,
        session TEXT NOT NULL,
        what TEXT NOT NULL,
        source TEXT NOT NULL,
        assumed INTEGER NOT NULL,
        UNIQUE (symbol, timeframe)
    ) STRICT;
    -- what each file of the dataset must be
    CREATE TABLE partition (
        series_id INTEGER NOT NULL REFERENCES series (id),
        year INTEGER NOT NULL,
        length INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        first_ns INTEGER NOT NULL,
        last_ns INTEGER NOT NULL,
        PRIMARY KEY (series_id, year)
    ) STRICT, WITHOUT ROWID;
    -- what it will be after the rename that may or may not have happened
    CREATE TABLE pending (
        series_id INTEGER NOT NULL REFERENCES series (id),
        year INTEGER NOT NULL,
        length INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        first_ns INTEGER NOT NULL,
        last_ns INTEGER NOT NULL,
        PRIMARY KEY (series_id, year)
    ) STRICT, WITHOUT ROWID;
    -- half-open intervals known complete; kind 'bars' or 'none' (asked, and there is nothing)
    CREATE TABLE coverage (
        series_id INTEGER NOT NULL REFERENCES series (id),
        start_ns INTEGER NOT NULL,
        end_ns INTEGER NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        as_of_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX coverage_of_series ON coverage (series_id, start_ns);
    CREATE TABLE contract (
        symbol TEXT PRIMARY KEY,
        body TEXT NOT NULL,
        as_of_ns INTEGER NOT NULL
    ) STRICT;
    -- earliest bar the gateway has; NULL when it answered that there is none
    CREATE TABLE head (
        contract_id INTEGER NOT NULL,
        what TEXT NOT NULL,
        head_ns INTEGER,
        as_of_ns INTEGER NOT NULL,
        PRIMARY KEY (contract_id, what)
    ) STRICT, WITHOUT ROWID;
    -- provenance of imported bars
    CREATE TABLE import (
        operation_id TEXT NOT NULL,
        series_id INTEGER NOT NULL REFERENCES series (id),
        label TEXT NOT NULL,
        length INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        added INTEGER NOT NULL,
        revised INTEGER NOT NULL,
        at_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE operation (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        subject TEXT NOT NULL,
        request_id TEXT NOT NULL UNIQUE,
        spec TEXT NOT NULL,
        created_ns INTEGER NOT NULL,
        started_ns INTEGER,
        ended_ns INTEGER,
        progress TEXT NOT NULL,
        failure TEXT,
        result TEXT,
        retry_of TEXT
    ) STRICT;
",
    "
    CREATE TABLE departure (
        at_ns INTEGER NOT NULL,
        request TEXT NOT NULL,
        subject TEXT NOT NULL,
        small INTEGER NOT NULL,
        weight INTEGER NOT NULL,
        origin TEXT NOT NULL
    ) STRICT;
    CREATE INDEX departure_by_time ON departure (at_ns);
",
    "
    -- where a source disagreed with stored bars, and what was stored then
    CREATE TABLE revision (
        series_id INTEGER NOT NULL REFERENCES series (id),
        at_ns INTEGER NOT NULL,
        operation TEXT NOT NULL,
        source TEXT NOT NULL,
        kind TEXT NOT NULL,
        bars INTEGER NOT NULL,
        first_ns INTEGER NOT NULL,
        last_ns INTEGER NOT NULL,
        examples TEXT NOT NULL
    ) STRICT;
    CREATE INDEX revision_of_series ON revision (series_id, at_ns);
    -- files that were replaced on purpose, so that it can be undone
    CREATE TABLE kept (
        id INTEGER PRIMARY KEY,
        series_id INTEGER NOT NULL REFERENCES series (id),
        year INTEGER NOT NULL,
        operation TEXT NOT NULL,
        why TEXT NOT NULL,
        at_ns INTEGER NOT NULL,
        -- below kept/; empty when the year held nothing
        name TEXT NOT NULL,
        length INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        first_ns INTEGER NOT NULL,
        last_ns INTEGER NOT NULL,
        -- what of the year was known then
        coverage TEXT NOT NULL
    ) STRICT;
    CREATE INDEX kept_of_series ON kept (series_id, id);
",
    // SQLite does not notice a flipped bit in a value
    "
    ALTER TABLE coverage ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
    UPDATE coverage SET seal = seal(series_id, start_ns, end_ns, kind, source, as_of_ns);
    ALTER TABLE partition ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
    UPDATE partition SET seal = seal(series_id, year, length, crc, rows, first_ns, last_ns);
    ALTER TABLE pending ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
    UPDATE pending SET seal = seal(series_id, year, length, crc, rows, first_ns, last_ns);
",
    // written before the start leaves
    "
    CREATE TABLE session (
        operation TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        seen INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        at_ns INTEGER NOT NULL
    ) STRICT;
",
    // where the dataset is as well, and what of it is there
    "
    CREATE TABLE bucket (id INTEGER PRIMARY KEY CHECK (id = 1), address TEXT NOT NULL) STRICT;
    CREATE TABLE upload (
        series_id INTEGER NOT NULL REFERENCES series (id),
        year INTEGER NOT NULL,
        -- what it holds, and what was sent and not confirmed
        length INTEGER,
        crc INTEGER,
        version TEXT,
        sent_length INTEGER,
        sent_crc INTEGER,
        -- removed on purpose
        gone INTEGER NOT NULL,
        PRIMARY KEY (series_id, year)
    ) STRICT, WITHOUT ROWID;
",
    // a start looks for what had not ended, among many that had
    "CREATE INDEX operation_unfinished ON operation (created_ns) WHERE ended_ns IS NULL;",
    // those that have ended, in the order of the lists; it has all that they are chosen, counted and forgotten by
    "
    CREATE INDEX operation_ended ON operation (created_ns, id, kind, state, ended_ns) WHERE ended_ns IS NOT NULL;
",
];

/// Sets the connection up, checks whose file it is, and brings the schema up to date in one transaction.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let failed = |error| StoreError::sqlite(path, error);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreError::NotALedger { path: path.to_path_buf() });
    }
    if found > known {
        return Err(StoreError::LedgerNewer { path: path.to_path_buf(), found, known });
    }
    // pages are cached by the kernel, too: half a MiB here, instead of two that fill within hours
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -512;",
        )
        .map_err(failed)?;
    connection.create_scalar_function("seal", -1, SEALING, |context| Ok(seal(context))).map_err(failed)?;
    migrate(connection, usize::try_from(found).unwrap_or(0)).map_err(failed)
}

const SEALING: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// CRC-32 of values and their kinds.
fn seal(context: &Context<'_>) -> i64 {
    let mut sum = crc32fast::Hasher::new();
    for at in 0..context.len() {
        match context.get_raw(at) {
            ValueRef::Integer(value) => {
                sum.update(b"i");
                sum.update(&value.to_le_bytes());
            }
            ValueRef::Text(text) => {
                sum.update(b"t");
                sum.update(text);
                sum.update(b"\0");
            }
            // no sealed column is of another kind
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => sum.update(b"?"),
        }
    }
    sum.finalize().into()
}

fn migrate(connection: &mut Connection, from: usize) -> rusqlite::Result<()> {
    if from == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in &MIGRATIONS[from..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_ledger_and_a_foreign_file_are_refused_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newer.sqlite");
        let mut connection = Connection::open(&path).unwrap();
        prepare(&mut connection, &path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(prepare(&mut connection, &path), Err(StoreError::LedgerNewer { found: 99, .. })));

        let path = folder.path().join("foreign.sqlite");
        let mut connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
        assert!(matches!(prepare(&mut connection, &path), Err(StoreError::NotALedger { .. })));

        let path = folder.path().join("text.sqlite");
        std::fs::write(&path, "not a database, and long enough to have a header ".repeat(40)).unwrap();
        let mut connection = Connection::open(&path).unwrap();
        assert!(matches!(prepare(&mut connection, &path), Err(StoreError::NotALedger { .. })));
    }
}
