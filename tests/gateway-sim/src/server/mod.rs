//! The server: accepts connections and holds what they share.

mod answer;
mod conditions;
mod connection;
mod contracts;
mod faults;
mod greeting;
mod handshake;
mod historical;
mod ledger;
mod line;
mod live;
mod open;
mod outlet;
mod pen;
pub(crate) mod play;
mod port;
mod session;
mod start;
#[cfg(test)]
mod tests;
mod weather;
mod work;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::Knobs;
use crate::market::Market;

pub(crate) use faults::Faults;
pub(crate) use ledger::Ledger;
pub(crate) use port::serve;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) market: Market,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) knobs: Knobs,
    pub(crate) server_version: i32,
    /// Starts still to be refused.
    pub(crate) refusals_left: AtomicU32,
    /// Those in use; with an end, those of clients that are gone.
    pub(crate) client_ids: Mutex<HashMap<i32, Option<Instant>>>,
    pub(crate) faults: Faults,
}
