//! A running simulator, as tests hold it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Clock;
use crate::config::{Chaos, Config};
use crate::faults::{Fault, Rule};
use crate::market::Market;
use crate::referee::Referee;
use crate::report::Report;
use crate::server::{self, Faults, Ledger, Shared, play};

/// A simulator at work. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: DropGuard,
    server: JoinHandle<()>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StartError {
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Simulator {
    /// Reads the replay folder, binds the address, and serves from then on. Needs a tokio runtime with I/O and time.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (clock, market) = open(&config)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| StartError::new(&format!("cannot listen on {}", config.listen), error))?;
        let address = listener.local_addr().map_err(|error| StartError::new("the address is not known", error))?;
        let shared = Arc::new(Shared {
            market,
            clock,
            ledger: Ledger::new(Referee::new(config.time_scale)),
            refusals_left: AtomicU32::new(config.knobs.client_ids_taken),
            client_ids: Mutex::new(HashMap::new()),
            server_version: config.server_version,
            faults: Faults::new(&config.knobs),
            knobs: config.knobs,
        });
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared), stop.clone()));
        config.rules.into_iter().for_each(|rule| play::inject(&shared, rule));
        if let Some(Chaos { level, seed, lasting }) = config.chaos {
            play::unleash(&shared, level, seed, lasting);
        }
        Ok(Self { address, shared, stop: stop.drop_guard(), server })
    }

    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets a rule wait for its occasion. One that names nobody, and whose fault hits more than a request or an opening
    /// connection, is played by the clock: at once, or at its time.
    pub fn inject(&self, rule: Rule) {
        play::inject(&self.shared, rule);
    }

    /// Plays a fault on everyone now; one of a request hits the next request of its kinds, one of an opening connection
    /// the next connection. False if there was no connection to hit, or the port is closed by another one already.
    pub fn play(&self, fault: &Fault) -> bool {
        play::play(&self.shared, fault)
    }

    /// Forgets all rules and ends all faults: the simulator is well again. Connections that were cut stay cut.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// What has happened so far.
    pub fn report(&self) -> Report {
        self.shared.ledger.report(&self.shared.clock)
    }

    /// Waits until the report fulfils a condition. Unbounded: put a time limit around it.
    pub async fn wait_for(&self, condition: impl Fn(&Report) -> bool) -> Report {
        let look = |ledger: &Ledger| Some(ledger.report(&self.shared.clock)).filter(&condition);
        self.shared.ledger.until(look).await
    }

    /// Closes every connection and returns what happened until then, with the requests that were still open.
    pub async fn stop(self) -> Report {
        let report = self.report();
        self.shared.faults.clear();
        drop(self.stop);
        // A server that panicked still leaves its report.
        drop(self.server.await);
        report
    }
}

/// The clock and the market of a simulator.
pub(crate) fn open(config: &Config) -> Result<(Clock, Market), StartError> {
    if !(config.time_scale.is_finite() && config.time_scale > 0.0) {
        return Err(StartError { what: format!("time scale {} is not positive", config.time_scale), source: None });
    }
    if let Some(speed) = config.knobs.market_speed.filter(|speed| !(speed.is_finite() && *speed > 0.0)) {
        return Err(StartError { what: format!("market speed {speed} is not positive"), source: None });
    }
    let clock = Clock::new(config.time_scale, config.knobs.now, config.knobs.market_speed);
    let market = Market::open(config.seed, config.replay.as_deref(), config.knobs.always_open, clock.now())
        .map_err(|error| StartError::new("the replay folder cannot be used", error))?;
    Ok((clock, market))
}

impl StartError {
    fn new(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { what: what.to_owned(), source: Some(Box::new(source)) }
    }
}
