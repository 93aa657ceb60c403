//! What can go wrong between us and a host service, with everything that helps to find out why.

use std::{sync::Arc, time::Duration};

use ktrdr_proto::reason::{self, Reason};

use super::retry::Failed;
use crate::error::Reasoned;

/// A call that brought no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{at}")]
pub struct HostError {
    /// Which call it was.
    pub at: Box<At>,
    /// Why the last attempt failed.
    #[source]
    pub trouble: Trouble,
}

/// A call that failed, for people and logs.
#[derive(Debug, Clone)]
pub struct At {
    /// `training service gpu1 at http://gpu1:5002`.
    pub service: String,
    /// Its name in the configuration.
    pub name: String,
    /// `GET /training/sessions`.
    pub route: String,
    /// How often it was tried.
    pub attempts: u32,
    /// From the first attempt on.
    pub elapsed: Duration,
    /// Sent along as `x-request-id`, for the service's log.
    pub request_id: String,
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, route, attempts, elapsed, .. } = self;
        let attempts = if *attempts == 1 { "one attempt".into() } else { format!("{attempts} attempts") };
        write!(f, "{service}: {route} failed after {:.1} s ({attempts})", elapsed.as_secs_f64())
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Trouble {
    /// No TCP connection.
    #[error("it is not reachable")]
    Unreachable(#[source] Arc<std::io::Error>),
    /// No TLS session.
    #[error("no trusted connection: {0}")]
    Certificate(String),
    /// All connections are at work.
    #[error("all {size} connections are in use for {} s", waited.as_secs_f64())]
    PoolExhausted {
        /// Connections.
        size: usize,
        /// How long we waited for one.
        waited: Duration,
    },
    /// It failed again and again, and is left alone for a while.
    #[error("it is left alone for {:.0} s more after repeated failures{}", wait.as_secs_f64().ceil(), last.as_deref().map(|last| format!(", the last: {last}")).unwrap_or_default())]
    LeftAlone {
        /// Until the next attempt.
        wait: Duration,
        /// The last failure.
        last: Option<String>,
    },
    /// Connected, and no whole answer in time.
    #[error("no answer within {} s", after.as_secs_f64())]
    TimedOut {
        /// How long we waited.
        after: Duration,
    },
    /// The connection ended before the answer did.
    #[error("the connection broke: {text}")]
    Broken {
        /// What was seen.
        text: String,
        /// The connection had been used before.
        reused: bool,
    },
    /// Longer than any answer of that route can be.
    #[error("the answer is longer than {} MiB", max >> 20)]
    TooLong {
        /// Bytes.
        max: usize,
    },
    /// Not JSON.
    #[error("the answer is not JSON: {start:?}")]
    NotJson {
        /// Its beginning.
        start: String,
    },
    /// JSON of another shape.
    #[error("the answer is not of the expected shape ({why}): {start:?}")]
    Shape {
        /// What was missed.
        why: String,
        /// Its beginning.
        start: String,
    },
    /// An error status.
    #[error("it answered {status}: {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it said.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
}

impl Trouble {
    /// As far as repeating goes.
    pub(super) fn failed(&self) -> Failed {
        match self {
            Self::Unreachable(_) | Self::PoolExhausted { .. } => Failed::NotSent,
            Self::TimedOut { .. } => Failed::TimedOut,
            Self::Broken { reused, .. } => Failed::Broken { reused: *reused },
            Self::Refused { status: 408 | 429 | 502 | 503 | 504, .. } => Failed::Unavailable,
            Self::Certificate(_)
            | Self::LeftAlone { .. }
            | Self::TooLong { .. }
            | Self::NotJson { .. }
            | Self::Shape { .. }
            | Self::Refused { .. } => Failed::ForGood,
        }
    }

    /// It certainly did not reach the service.
    pub fn not_sent(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Certificate(_) | Self::PoolExhausted { .. } | Self::LeftAlone { .. }
        )
    }
}

impl HostError {
    /// It certainly did not reach the service.
    pub fn not_sent(&self) -> bool {
        self.trouble.not_sent()
    }
}

impl Reasoned for HostError {
    fn reason(&self) -> &'static Reason {
        match &self.trouble {
            Trouble::Unreachable(_) => &reason::HOST_UNREACHABLE,
            Trouble::Certificate(_) => &reason::HOST_CERTIFICATE,
            Trouble::PoolExhausted { .. } => &reason::POOL_EXHAUSTED,
            Trouble::LeftAlone { .. } => &reason::HOST_LEFT_ALONE,
            Trouble::TimedOut { .. } => &reason::HOST_TIMED_OUT,
            Trouble::Broken { .. } => &reason::HOST_LOST,
            Trouble::TooLong { .. } | Trouble::NotJson { .. } | Trouble::Shape { .. } => &reason::HOST_UNREADABLE,
            Trouble::Refused { .. } => &reason::HOST_REFUSED,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut values = vec![
            ("host", self.at.name.clone()),
            ("route", self.at.route.clone()),
            ("attempts", self.at.attempts.to_string()),
            ("hostRequestId", self.at.request_id.clone()),
        ];
        if let Trouble::Refused { status, .. } = &self.trouble {
            values.push(("status", status.to_string()));
        }
        values
    }

    fn retry_after(&self) -> Option<Duration> {
        match &self.trouble {
            Trouble::LeftAlone { wait, .. } => Some(*wait),
            Trouble::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
