//! What a simulator is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use ktrdr_gateway_sim::Knobs;

use ktrdr_http_sim::Rule;

/// How a simulator behaves. What concerns the market has the meaning it has in the simulated gateway.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// A folder of `SYMBOL_TIMEFRAME.csv` files to serve as they are.
    pub replay: Option<PathBuf>,
    /// Of all generated prices.
    pub seed: u64,
    /// Simulated seconds per real second; all durations here are simulated ones.
    pub time_scale: f64,
    /// Where the market's clock stands; without it, it is the real one.
    pub now: Option<Timestamp>,
    /// Market seconds per real second.
    pub market_speed: Option<f64>,
    /// Generated contracts trade at all hours.
    pub always_open: bool,
    /// Nothing listens where the service looks for its gateway.
    pub gateway_down: bool,
    /// How long a request for bars takes then; contracts and head timestamps take eight times as long.
    pub down: Duration,
    /// Connections that were idle for so long are closed; in real time.
    pub keep_alive: Duration,
    pub rules: Vec<Rule>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            replay: None,
            seed: 0,
            time_scale: 1.0,
            now: None,
            market_speed: None,
            always_open: false,
            gateway_down: false,
            down: Duration::from_secs(33),
            keep_alive: Duration::from_secs(5),
            rules: Vec::new(),
        }
    }
}

impl Config {
    /// What concerns the market, for the simulated gateway.
    pub(crate) fn market(&self) -> ktrdr_gateway_sim::Config {
        ktrdr_gateway_sim::Config {
            replay: self.replay.clone(),
            seed: self.seed,
            time_scale: self.time_scale,
            knobs: Knobs {
                now: self.now,
                market_speed: self.market_speed,
                always_open: self.always_open,
                ..Knobs::default()
            },
            ..ktrdr_gateway_sim::Config::default()
        }
    }
}
