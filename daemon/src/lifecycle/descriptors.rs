//! How many files and connections the process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// For bars, the ledger, the gateway, hosts and the log, whatever comes in.
const OURS: u64 = 256;

/// Takes what the system grants at most, which is often more than it gives without being asked; returns how many connections fit,
/// `wanted` at most.
pub(super) fn most_connections(wanted: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() {
        let asked = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        match setrlimit(Resource::Nofile, asked) {
            Ok(()) => limit = asked,
            Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
        }
    }
    let room = limit.current.map_or(u64::MAX, |limit| limit.saturating_sub(OURS).max(limit / 2));
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
}
