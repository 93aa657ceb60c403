//! What a service manager is told: ready, what goes on, alive, about to stop. Without one, nothing is said.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::{gateway::Gateway, market_data::MarketData, operations::Registry, store::Store};

/// Between two looks where nobody waits for a sign of life.
const LOOK: Duration = Duration::from_secs(15);
/// An idle loop answers in microseconds.
const ANSWER: Duration = Duration::from_secs(10);

/// What is looked at.
pub(super) struct Loops {
    pub(super) store: Store,
    pub(super) gateway: Gateway,
    pub(super) market_data: MarketData,
    pub(super) registry: Registry,
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// It answers requests now.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It is not ready yet, and may take so long.
pub(super) fn starting_takes(longest: Duration) {
    tell(&[NotifyState::ExtendTimeoutUsec(u32::try_from(longest.as_micros()).unwrap_or(u32::MAX))]);
}

/// It leaves.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Tells the state, and gives a sign of life, as long as the loops that everything depends on turn: the ledger's thread and
/// the gateway's session each have to answer. One that does not is not vouched for, and the service manager acts.
pub(super) async fn keep_told(loops: Loops, stop: CancellationToken) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let watched = sd_notify::watchdog_enabled();
    let between = watched.map_or(LOOK, |limit| limit / 3);
    loop {
        if let Ok(true) = tokio::time::timeout(ANSWER, loops.turn()).await {
            tell(&[NotifyState::Watchdog, NotifyState::Status(&loops.status())]);
        } else {
            tracing::error!("a loop of the daemon does not turn; no sign of life is given");
        }
        if stop.run_until_cancelled(tokio::time::sleep(between)).await.is_none() {
            return;
        }
    }
}

impl Loops {
    async fn turn(&self) -> bool {
        self.store.is_alive().await && self.gateway.is_alive().await
    }

    fn status(&self) -> String {
        let (series, running) = (self.market_data.count(), self.registry.running());
        format!("gateway {}; {series} series; {running} operations running", self.gateway.status().state.name())
    }
}
