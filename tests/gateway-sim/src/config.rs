//! How a simulator is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

/// The newest protocol version there is.
pub const NEWEST_VERSION: i32 = 226;

#[derive(Clone, Debug)]
pub struct Config {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// A folder of `SYMBOL_TIMEFRAME.csv` files to serve as they are.
    pub replay: Option<PathBuf>,
    /// Of all generated prices.
    pub seed: u64,
    /// The highest version to agree to.
    pub server_version: i32,
    /// Simulated seconds per real second.
    pub time_scale: f64,
    pub knobs: Knobs,
}

/// Conditions a test sets before the start.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// Before each historical answer, in simulated time; a cancel ends it.
    pub answer_delay: Duration,
    /// Accept, read what the client says first, and close.
    pub close_in_handshake: bool,
    /// Refuse this many starts: client id in use.
    pub client_ids_taken: u32,
    /// Where the market's clock stands: for generated prices, trading hours, empty end dates and live bars. Without
    /// `market_speed` it stands still there; otherwise it is the real clock.
    pub now: Option<Timestamp>,
    /// Lets the market's clock move so many seconds in a real second, from `now` or the real present on.
    pub market_speed: Option<f64>,
    /// Generated contracts trade at all hours of every day, so that there are live bars at any time.
    pub always_open: bool,
    /// Pacing binds bars of every size, not only small ones.
    pub strict_pacing: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            replay: None,
            seed: 0,
            server_version: NEWEST_VERSION,
            time_scale: 1.0,
            knobs: Knobs::default(),
        }
    }
}
