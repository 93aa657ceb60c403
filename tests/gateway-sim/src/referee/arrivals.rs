//! How clients come: how many at once, how often, and under which ids.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::{Broken, Slack};

/// Between the starts of two attempts, when the first one failed or was ended by the gateway: two seconds are the
/// first of the pauses of ib.md §5 row 7, and they may be spread by 20 %.
const PAUSE: Duration = Duration::from_millis(1600);
/// Ids that may be tried in a row. ib.md §5 row 5.
const CLIENT_IDS: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Arrivals {
    last: Option<Attempt>,
    /// The ids of the last starts, one more than may differ.
    client_ids: VecDeque<i32>,
}

#[derive(Debug)]
struct Attempt {
    connection: u64,
    arrived: Duration,
    /// It was a session, and its client has left by itself. Whoever comes next may be another client.
    is_done: bool,
}

impl Arrivals {
    pub(super) fn opened(&mut self, slack: Slack, connection: u64, open_now: usize, arrived: Duration) -> Vec<Broken> {
        let mut broken = Vec::new();
        if open_now > 1 {
            broken.push(("second_connection", format!("{open_now} connections open at once")));
        }
        let last = self.last.replace(Attempt { connection, arrived, is_done: false });
        if let Some(last) = last.filter(|last| !last.is_done) {
            let pause = arrived.saturating_sub(last.arrived);
            if pause < slack.shortened(PAUSE) {
                broken.push(("knocking_too_fast", format!("{} ms after the last attempt", pause.as_millis())));
            }
        }
        broken
    }

    /// `is_done`: it was a session and its client left by itself.
    pub(super) fn closed(&mut self, connection: u64, is_done: bool) {
        if let Some(last) = self.last.as_mut().filter(|last| last.connection == connection) {
            last.is_done = is_done;
        }
    }

    pub(super) fn started(&mut self, client_id: i32) -> Vec<Broken> {
        let mut broken = Vec::new();
        if client_id == 0 {
            broken.push(("client_id_zero", "startApi with client id 0".to_owned()));
        }
        self.client_ids.push_back(client_id);
        if self.client_ids.len() > CLIENT_IDS + 1 {
            self.client_ids.pop_front();
        }
        if self.client_ids.iter().collect::<HashSet<_>>().len() > CLIENT_IDS {
            broken.push(("client_id_storm", format!("{:?} in a row", self.client_ids)));
        }
        broken
    }
}
