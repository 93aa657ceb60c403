//! What can go wrong between us and IB.

use std::time::Duration;

use ktrdr_proto::reason::{self, Reason};

use super::{Class, Verdict};
use crate::{clock, error::Reasoned, host_service::HostError, model::Nanos};

/// An error of the gateway layer. `Clone`, because one lost connection answers many requests.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GatewayError {
    /// By configuration.
    #[error("the IB Gateway connection is switched off")]
    Disabled,
    /// No TCP connection.
    #[error("the IB Gateway at {address} is not reachable")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// Until the next attempt.
        retry_after: Duration,
        /// The system's answer.
        source: ibapi::Error,
    },
    /// No usable answer of the service in front of it.
    #[error("the IB host service at {address} cannot be used")]
    HostAway {
        /// Its URL.
        address: String,
        /// Until the next attempt.
        retry_after: Duration,
        /// What came of the last call.
        source: HostError,
    },
    /// The service in front of the gateway has no such thing.
    #[error("the IB host service does not offer {what}")]
    NotOffered {
        /// What was asked for.
        what: String,
    },
    /// It accepts connections, and then closes them or says nothing.
    #[error("the IB Gateway at {address} is not ready: {why}")]
    NotReady {
        /// `host:port`.
        address: String,
        /// What was missing.
        why: String,
    },
    /// Older than the protocol needs.
    #[error("the IB Gateway speaks version {found}; 213 or newer is needed")]
    TooOld {
        /// Its server version.
        found: i32,
    },
    /// Another program has our client id.
    #[error("client id {id} is in use at the IB Gateway")]
    ClientIdInUse {
        /// The last one tried.
        id: i32,
    },
    /// Open requests end with this when the connection does.
    #[error("the connection to the IB Gateway was lost")]
    Lost,
    /// TCP is up, IB's servers are away.
    #[error("the IB Gateway has lost its connection to IB")]
    UpstreamLost,
    /// "No data" at a time when that means nothing.
    #[error("IB's servers for historical data are away")]
    HistoryDown,
    /// The queue is full.
    #[error("too many requests wait for the IB Gateway")]
    Busy,
    /// Subscriptions: IB allows fifty of them and of requests for history together.
    #[error("{max} subscriptions are open at the IB Gateway, which is all we allow ourselves")]
    Subscriptions {
        /// How many.
        max: usize,
    },
    /// Bars of a subscription came faster than they were read, and some were left out.
    #[error("bars came faster than they could be taken")]
    Behind,
    /// A configured quiet time.
    #[error("the IB Gateway is left alone until {}", clock::text(*until))]
    Resting {
        /// Its end.
        until: Nanos,
    },
    /// It accepts connections and says nothing, again and again.
    #[error("the IB Gateway at {address} accepts connections and says nothing: {why}")]
    Wedged {
        /// `host:port`.
        address: String,
        /// What was missing last.
        why: String,
        /// Until the next attempt.
        retry_after: Duration,
    },
    /// It has been away for long, at the time of IB's weekly logout.
    #[error("the IB Gateway at {address} waits for somebody to log in")]
    LoginNeeded {
        /// `host:port`.
        address: String,
    },
    /// No answer in time; withdrawn at the gateway.
    #[error("the IB Gateway did not answer {what} within {} s{}", after.as_secs_f64().ceil(), said.as_deref().map(|said| format!("; {said}")).unwrap_or_default())]
    TimedOut {
        /// Such as "a request for bars".
        what: &'static str,
        /// How long we waited.
        after: Duration,
        /// What it said to the request instead, account numbers masked.
        said: Option<String>,
    },
    /// An error message of the gateway's own.
    #[error("the IB Gateway refused: {text} (code {code})")]
    Refused {
        /// IB's code.
        code: i32,
        /// IB's text, account numbers masked.
        text: String,
        /// What it means.
        verdict: Verdict,
    },
    /// Nothing has that name.
    #[error("the IB Gateway knows no contract {symbol}")]
    ContractNotFound {
        /// As asked.
        symbol: String,
    },
    /// Several things have that name.
    #[error("{symbol} fits several contracts")]
    ContractAmbiguous {
        /// As asked.
        symbol: String,
        /// Exchange and currency of each.
        candidates: String,
    },
    /// An answer that cannot be read.
    #[error("the IB Gateway's answer cannot be read: {0}")]
    Protocol(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopped,
}

impl GatewayError {
    /// The gateway may have seen the request.
    pub fn was_sent(&self) -> bool {
        match self {
            Self::Lost
            | Self::Behind
            | Self::HistoryDown
            | Self::TimedOut { .. }
            | Self::Refused { .. }
            | Self::ContractNotFound { .. }
            | Self::ContractAmbiguous { .. }
            | Self::Protocol(_) => true,
            Self::HostAway { source, .. } => !source.not_sent(),
            Self::Disabled
            | Self::Unreachable { .. }
            | Self::NotReady { .. }
            | Self::TooOld { .. }
            | Self::ClientIdInUse { .. }
            | Self::UpstreamLost
            | Self::Resting { .. }
            | Self::Wedged { .. }
            | Self::LoginNeeded { .. }
            | Self::NotOffered { .. }
            | Self::Busy
            | Self::Subscriptions { .. }
            | Self::Stopped => false,
        }
    }

    /// The gateway does not know the contract that it was asked about.
    pub fn is_unknown_contract(&self) -> bool {
        *self.reason() == reason::CONTRACT_NOT_FOUND
    }

    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. }
            | Self::HostAway { .. }
            | Self::NotReady { .. }
            | Self::ClientIdInUse { .. }
            | Self::Lost
            | Self::Resting { .. }
            | Self::Wedged { .. }
            | Self::LoginNeeded { .. }
            | Self::UpstreamLost => Class::Connection,
            Self::TimedOut { .. } | Self::HistoryDown | Self::Busy | Self::Behind => Class::Transient,
            Self::Refused { verdict, .. } => verdict.class,
            Self::Disabled
            | Self::NotOffered { .. }
            | Self::Subscriptions { .. }
            | Self::TooOld { .. }
            | Self::ContractNotFound { .. }
            | Self::ContractAmbiguous { .. }
            | Self::Protocol(_)
            | Self::Stopped => Class::Permanent,
        }
    }
}

impl Reasoned for GatewayError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Disabled => &reason::GATEWAY_DISABLED,
            Self::Unreachable { .. } => &reason::GATEWAY_UNREACHABLE,
            Self::HostAway { source, .. } => source.reason(),
            Self::NotOffered { .. } => &reason::SOURCE_CANNOT,
            Self::NotReady { .. } => &reason::GATEWAY_NOT_READY,
            Self::TooOld { .. } => &reason::GATEWAY_TOO_OLD,
            Self::ClientIdInUse { .. } => &reason::CLIENT_ID_IN_USE,
            Self::Lost => &reason::GATEWAY_LOST,
            Self::UpstreamLost => &reason::UPSTREAM_LOST,
            Self::Resting { .. } => &reason::GATEWAY_RESTING,
            Self::Wedged { .. } => &reason::GATEWAY_WEDGED,
            Self::LoginNeeded { .. } => &reason::GATEWAY_LOGIN_NEEDED,
            Self::HistoryDown => &reason::HMDS_UNAVAILABLE,
            Self::Busy => &reason::GATEWAY_BUSY,
            Self::Subscriptions { .. } => &reason::TICKER_LIMIT,
            Self::Behind => &reason::STREAM_LOST,
            Self::TimedOut { .. } => &reason::REQUEST_TIMED_OUT,
            Self::Refused { verdict, .. } => verdict.reason,
            Self::ContractNotFound { .. } => &reason::CONTRACT_NOT_FOUND,
            Self::ContractAmbiguous { .. } => &reason::CONTRACT_AMBIGUOUS,
            Self::Protocol(_) => &reason::PROTOCOL_ERROR,
            Self::Stopped => &reason::SHUTTING_DOWN,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::ContractNotFound { symbol } => vec![("symbol", symbol.clone())],
            Self::ContractAmbiguous { symbol, candidates } => {
                vec![("symbol", symbol.clone()), ("candidates", candidates.clone())]
            }
            Self::Refused { code, .. } => vec![("gatewayCode", code.to_string())],
            Self::HostAway { source, .. } => source.metadata(),
            Self::Resting { until } => vec![("until", clock::text(*until))],
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable { retry_after, .. }
            | Self::HostAway { retry_after, .. }
            | Self::Wedged { retry_after, .. } => Some(*retry_after),
            Self::Resting { until } => u64::try_from(until.saturating_sub(clock::now())).ok().map(Duration::from_nanos),
            _ => None,
        }
    }
}
