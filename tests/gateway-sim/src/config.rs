//! How a simulator is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::faults::{Level, Rule};

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
    /// What goes wrong, and when.
    pub rules: Vec<Rule>,
    /// Faults at random.
    pub chaos: Option<Chaos>,
}

/// Faults drawn at random, the same for the same seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chaos {
    pub level: Level,
    pub seed: u64,
    /// Simulated time from the start on; without it, until the end.
    pub lasting: Option<Duration>,
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
    /// What becomes of requests for small bars that come too fast.
    pub pacing: Pacing,
    /// Most messages in a simulated second.
    pub message_rate: Option<u32>,
    /// A second question for the time within a simulated second is not answered.
    pub one_time_request_per_second: bool,
    /// After so many head timestamps there are no more answers to them.
    pub head_timestamp_cap: Option<u32>,
    /// Most historical requests open at once.
    pub open_cap: Option<u32>,
    /// How long the id of a client stays taken that ended uncleanly, in simulated time: by a reset, in the middle of a
    /// frame, with requests open, or because the gateway ended it.
    pub hold_client_id: Duration,
    /// Generated contracts trade at all hours of every day, so that there are live bars at any time.
    pub always_open: bool,
}

/// What becomes of requests for bars that come faster than the rules allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// Refused.
    Strict,
    /// The rules for bars of 30 seconds and less hold for all.
    StrictAll,
    /// Answered, and in the report.
    #[default]
    Lenient,
    /// Nobody looks.
    Off,
}

impl Pacing {
    /// Of the command line and of files.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "strict" => Self::Strict,
            "strict_all" => Self::StrictAll,
            "lenient" => Self::Lenient,
            "off" => Self::Off,
            _ => return None,
        })
    }
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
            rules: Vec::new(),
            chaos: None,
        }
    }
}
