//! What was asked of the gateway lately: IB counts on when the daemon restarts.

use rusqlite::{Connection, Result, params};

use crate::model::Nanos;

/// One request that left for the gateway. What its texts mean is the gateway layer's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartureRow {
    /// When, on the wall's clock.
    pub at: Nanos,
    /// Equal for equal requests.
    pub request: String,
    /// Equal for equal contract and kind of price.
    pub subject: String,
    /// For bars of 30 s and less.
    pub small: bool,
    /// How often IB counts it.
    pub weight: u32,
    /// Who sent it.
    pub origin: String,
}

/// Adds one and forgets those older than `since`.
pub(in crate::store) fn put(connection: &Connection, row: &DepartureRow, since: Nanos) -> Result<()> {
    connection.prepare_cached("DELETE FROM departure WHERE at_ns < ?1")?.execute([since])?;
    connection
        .prepare_cached(
            "INSERT INTO departure (at_ns, request, subject, small, weight, origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![row.at, row.request, row.subject, row.small, row.weight, row.origin])
        .map(drop)
}

/// Those since an instant, oldest first. One of the future left before the clock was set back; nobody knows how long before, so
/// it counts as leaving now, once: the next time it is as old as it is then.
pub(in crate::store) fn since(connection: &Connection, since: Nanos, now: Nanos) -> Result<Vec<DepartureRow>> {
    connection.execute("UPDATE departure SET at_ns = ?1 WHERE at_ns > ?1", [now])?;
    let mut statement = connection.prepare(
        "SELECT at_ns, request, subject, small, weight, origin FROM departure WHERE at_ns >= ?1 ORDER BY at_ns",
    )?;
    let rows = statement.query_map([since], |row| {
        Ok(DepartureRow {
            at: row.get(0)?,
            request: row.get(1)?,
            subject: row.get(2)?,
            small: row.get(3)?,
            weight: row.get(4)?,
            origin: row.get(5)?,
        })
    })?;
    rows.collect()
}
