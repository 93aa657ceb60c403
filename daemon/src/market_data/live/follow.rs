//! One subscription at the gateway, for as long as somebody watches, made again when it is lost.
//!
//! Not here: which bars are over (`assembly`), what it left out (`fill`), who watches (`feed`, `mod`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    HISTORY_MAX,
    assembly::Assembly,
    feed::{Feed, LivePhase},
};
use crate::{
    clock,
    error::Failure,
    gateway::{Class, Contract, Gateway, GatewayError, LiveAsk, LiveStream, LiveUpdate, State, comes_closed},
    market_data::{
        MarketDataError,
        closing::{is_closed, zone},
        fetch::pass,
        plan::opening,
        reference::Reference,
    },
    model::{Basis, Nanos, SeriesKey},
};

/// Tries of what fails for a reason that may pass, before anything came, and of one request for a hole.
pub(super) const TRIES: u32 = 3;
/// Between two tries; doubled each time. In that time a farm comes back.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long one who waits for the first bar waits for the gateway.
const FIRST_TIME_MAX: Duration = Duration::from_secs(30);
/// A bar of which so long nothing was said, and whose time is over, is over.
const SILENCE: Duration = Duration::from_mins(1);

/// The one that asks the gateway.
pub(super) struct Follower {
    pub(super) key: SeriesKey,
    pub(super) basis: Basis,
    reference: Reference,
    feed: watch::Sender<Feed>,
    pub(super) assembly: Assembly,
    /// Closed bars of five seconds from before the first that comes.
    wants_history: bool,
    flowed: bool,
    last_update: Instant,
    /// Changes on IB's side that were noticed.
    weather_changes: u64,
}

impl Follower {
    pub(super) fn new(
        key: SeriesKey,
        basis: Basis,
        reference: Reference,
        feed: watch::Sender<Feed>,
        wants_history: bool,
    ) -> Self {
        let assembly = Assembly::new(key.timeframe);
        Self {
            key,
            basis,
            reference,
            feed,
            assembly,
            wants_history,
            flowed: false,
            last_update: Instant::now(),
            weather_changes: 0,
        }
    }

    /// Feeds the watchers until nothing more can come.
    pub(super) async fn run(&mut self) -> MarketDataError {
        let mut tries = 0;
        loop {
            let begun = Instant::now();
            let error = match self.subscribe().await {
                Ok((stream, contract)) => self.flow(stream, &contract).await.into(),
                Err(error) => error,
            };
            if self.flowed && begun.elapsed() > PAUSE_MAX {
                tries = 0;
            }
            let is_the_end = match &error {
                MarketDataError::Gateway(error) => self.is_the_end(error, tries),
                // a ledger that cannot be read now
                _ => !self.flowed,
            };
            if is_the_end {
                return error;
            }
            self.interrupted(&error);
            tries += 1;
            if let Err(error) = self.wait(error, tries).await {
                return error;
            }
        }
    }

    async fn subscribe(&self) -> Result<(LiveStream, Arc<Contract>), MarketDataError> {
        let known = self.reference.known(&self.key.symbol).await?;
        let contract = self.reference.current(&self.key.symbol, known, &mut 0).await?.contract;
        let ask = |contract: &Arc<Contract>| LiveAsk {
            contract: contract.clone(),
            timeframe: self.key.timeframe,
            basis: self.basis,
            back: opening(self.key.timeframe, self.length_wanted()),
        };
        match self.gateway().subscribe(ask(&contract)).await {
            Err(error) if error.is_unknown_contract() => {
                let contract = self.reference.resolve(&self.key.symbol, &mut 0).await?.contract;
                Ok((self.gateway().subscribe(ask(&contract)).await?, contract))
            }
            answer => Ok((answer?, contract)),
        }
    }

    pub(super) fn gateway(&self) -> &Gateway {
        &self.reference.gateway
    }

    /// For those who want history, and back to the last bar that was given.
    fn length_wanted(&self) -> Nanos {
        let step = self.key.timeframe.step();
        let history = Nanos::from(HISTORY_MAX) * step;
        let since = self.assembly.given().map_or(0, |given| clock::now().saturating_sub(given));
        history.max(since).saturating_add(2 * step)
    }

    /// Passes on what a subscription tells, to its end.
    async fn flow(&mut self, mut stream: LiveStream, contract: &Arc<Contract>) -> GatewayError {
        if let Err(error) = self.open(&stream, contract).await {
            return error;
        }
        self.flowed = true;
        self.feed.send_modify(|feed| feed.is(LivePhase::Flowing, None));
        self.last_update = Instant::now();
        let zone = zone(&contract.time_zone);
        loop {
            let silent = tokio::time::sleep_until((self.last_update + SILENCE).into());
            let update = tokio::select! {
                update = stream.next() => update,
                () = silent => {
                    self.last_update = Instant::now();
                    let timeframe = self.key.timeframe;
                    let over = |start| is_closed(start, clock::now(), timeframe, &zone);
                    if self.weather_was_bad() {
                        // how it ended was not told: history says
                        self.assembly.interrupted();
                    } else if self.assembly.running().is_some_and(|running| over(running.start)) {
                        let closed = self.assembly.close_running();
                        self.give(closed, false);
                    }
                    continue;
                }
            };
            self.last_update = Instant::now();
            let told = match update {
                Ok(update) => self.take(update, contract).await,
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                return error;
            }
        }
    }

    /// The first answer, and what is missing before it.
    async fn open(&mut self, stream: &LiveStream, contract: &Arc<Contract>) -> Result<(), GatewayError> {
        if std::mem::take(&mut self.wants_history) && comes_closed(self.key.timeframe) {
            self.begin_with_history(contract).await?;
        }
        let bars = stream.opening();
        if let Some(first) = bars.start.first() {
            self.fill_before(*first, contract).await?;
        }
        let closed = self.assembly.opening(bars);
        self.give(closed.iter(), true);
        Ok(())
    }

    async fn take(&mut self, update: LiveUpdate, contract: &Arc<Contract>) -> Result<(), GatewayError> {
        let closed = match update {
            LiveUpdate::Spoiled(start) => {
                tracing::warn!(series = %self.key, start = clock::text(start), "a live bar with prices that cannot be");
                self.assembly.spoil(start)
            }
            LiveUpdate::Bar(bar) => {
                if self.weather_was_bad() || self.assembly.leaves_out_before(bar.start) {
                    self.assembly.interrupted();
                }
                self.fill_before(bar.start, contract).await?;
                self.assembly.bar(bar)
            }
        };
        self.give(closed, false);
        Ok(())
    }

    /// While IB's side is away a subscription stays, and is silent. What was said before is not how a bar ended.
    fn weather_was_bad(&mut self) -> bool {
        let status = self.gateway().status();
        let changed = std::mem::replace(&mut self.weather_changes, status.weather_changes) != status.weather_changes;
        // a farm that stays away may be another market's: its coming and going is enough
        changed || status.state == State::Degraded
    }

    /// Bars that are over, and how the running one is now.
    pub(super) fn give(&mut self, closed: impl IntoIterator<Item = crate::model::Bar>, filled: bool) {
        let mut closed = closed.into_iter().peekable();
        let gap_before = closed.peek().is_some() && self.assembly.take_gap();
        let running = self.assembly.running();
        self.feed.send_modify(|feed| {
            feed.close(closed, filled, gap_before);
            feed.runs(running);
        });
    }

    /// Whether nothing more can come. Before the first bar, who asked is told what is wrong instead of being kept waiting.
    fn is_the_end(&self, error: &GatewayError, tries: u32) -> bool {
        match error.class() {
            _ if matches!(error, GatewayError::Stopped) => true,
            // one answer that cannot be read says nothing of the next
            _ if self.flowed && matches!(error, GatewayError::Protocol(_)) => false,
            Class::Permanent | Class::Fatal => true,
            Class::Connection | Class::NoData => !self.flowed,
            Class::Transient | Class::Pacing | Class::Info | Class::Warning => !self.flowed && tries + 1 >= TRIES,
        }
    }

    fn interrupted(&mut self, error: &MarketDataError) {
        tracing::info!(series = %self.key, error = crate::error::in_line(error), "live bars are interrupted");
        if !self.flowed {
            return;
        }
        self.assembly.interrupted();
        let why = Arc::new(Failure::from(error));
        self.feed.send_modify(|feed| {
            feed.runs(None);
            feed.is(LivePhase::Interrupted, Some(why));
        });
    }

    /// Until another try is worth while. Fails when there will be no session any more, or, before the first bar, none soon.
    async fn wait(&self, error: MarketDataError, tries: u32) -> Result<(), MarketDataError> {
        if let MarketDataError::Gateway(GatewayError::Resting { until }) = error {
            pass(until).await;
        }
        let lost = matches!(&error, MarketDataError::Gateway(error) if error.class() == Class::Connection);
        if tries > 1 || !lost {
            tokio::time::sleep(pause(tries)).await;
        }
        let mut status = self.gateway().watch();
        // what is away may be what another market needs
        let usable = status.wait_for(|status| matches!(status.state, State::Ready | State::Degraded));
        let limit = if self.flowed { Duration::MAX } else { FIRST_TIME_MAX };
        match tokio::time::timeout(limit, usable).await {
            Ok(session) => session.map(drop).map_err(|_| GatewayError::Stopped.into()),
            Err(_) => Err(error),
        }
    }
}

pub(super) fn pause(tries: u32) -> Duration {
    PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(PAUSE_MAX)
}
