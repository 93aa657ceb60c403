//! Contracts resolved once, and how far back the gateway's history goes.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::model::Nanos;

/// A resolved contract; the body belongs to the gateway layer.
#[derive(Debug, Clone)]
pub struct ContractRow {
    pub symbol: String,
    pub body: String,
    pub as_of: Nanos,
}

/// The earliest bar of a contract and kind of price.
#[derive(Debug, Clone)]
pub struct HeadRow {
    pub contract_id: i32,
    pub what: &'static str,
    /// `None`: the gateway said there is no history.
    pub head: Option<Nanos>,
    pub as_of: Nanos,
}

pub(in crate::store) fn contract(connection: &Connection, symbol: &str) -> Result<Option<ContractRow>> {
    connection
        .query_row("SELECT symbol, body, as_of_ns FROM contract WHERE symbol = ?1", [symbol], |row| {
            Ok(ContractRow { symbol: row.get(0)?, body: row.get(1)?, as_of: row.get(2)? })
        })
        .optional()
}

pub(in crate::store) fn put_contract(connection: &Connection, row: &ContractRow) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO contract (symbol, body, as_of_ns) VALUES (?1, ?2, ?3)",
            params![row.symbol, row.body, row.as_of],
        )
        .map(drop)
}

/// `None`: never asked; `Some(None)`: asked, and there is no history.
#[expect(clippy::option_option, reason = "two different absences")]
pub(in crate::store) fn head(connection: &Connection, contract_id: i32, what: &str) -> Result<Option<Option<Nanos>>> {
    connection
        .query_row("SELECT head_ns FROM head WHERE contract_id = ?1 AND what = ?2", params![contract_id, what], |row| {
            row.get(0)
        })
        .optional()
}

pub(in crate::store) fn put_head(connection: &Connection, row: &HeadRow) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO head (contract_id, what, head_ns, as_of_ns) VALUES (?1, ?2, ?3, ?4)",
            params![row.contract_id, row.what, row.head, row.as_of],
        )
        .map(drop)
}
