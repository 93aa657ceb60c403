//! The log of departures, kept in the ledger: IB counts on when the daemon restarts.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Command, Footprint, Moment, Progress};
use crate::{
    gateway::{Origin, pacing::Departure},
    model::{MINUTE, Nanos},
    store::{DepartureRow, Store},
};

/// IB's longest window.
const WINDOW: Nanos = 10 * MINUTE;

pub(super) struct Departures {
    store: Store,
}

impl Departures {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }

    /// What left within the window, oldest first. A log that cannot be read is told, and taken for empty.
    pub(super) async fn read(&self, now: Moment) -> VecDeque<Departure> {
        let rows = self.store.departures_since(now.wall - WINDOW, now.wall).await.unwrap_or_else(|error| {
            let error = crate::error::in_line(&error);
            tracing::warn!(error, "what was asked of the gateway before is not known");
            Vec::new()
        });
        rows.into_iter().map(|row| departure(row, now)).collect()
    }

    /// Puts a departure on record; it leaves only then. A record that cannot be made is told; what is asked for is
    /// more than the memory of having asked.
    pub(super) fn record(
        &self,
        command: Command,
        footprint: Footprint,
        origin: &Origin,
        now: Moment,
    ) -> impl Future<Output = Progress> + Send + 'static {
        let row = DepartureRow {
            at: now.wall,
            request: footprint.request.to_string(),
            subject: footprint.subject.to_string(),
            small: footprint.small,
            weight: footprint.weight,
            origin: origin.to_string(),
        };
        let store = self.store.clone();
        async move {
            if let Err(error) = store.put_departure(row, WINDOW).await {
                let error = crate::error::in_line(&error);
                tracing::warn!(error, "a request to the gateway is not on record");
            }
            Progress::Recorded(command, footprint)
        }
    }
}

/// On the clock of this life.
fn departure(row: DepartureRow, now: Moment) -> Departure {
    let ago = Duration::from_nanos(u64::try_from(now.wall - row.at).unwrap_or(0));
    Departure {
        at: now.instant.checked_sub(ago).unwrap_or_else(Instant::now),
        footprint: Footprint {
            request: row.request.into(),
            subject: row.subject.into(),
            small: row.small,
            weight: row.weight,
        },
        origin: row.origin.as_str().into(),
    }
}
