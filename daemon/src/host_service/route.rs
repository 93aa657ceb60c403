//! What is known of a route before it is called (pure): how long it may take, whether it may be called again, how long
//! its answer may be.

use std::time::Duration;

/// Whether a call may leave twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Only when it certainly did not leave.
    NotSent,
    /// Also after a broken connection, but not after a time-out: the service may be at work on it for minutes.
    NotAfterTimeOut,
    /// It changes nothing, or the same thing.
    Always,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Begins or changes something.
    Post,
    /// Takes something away.
    Delete,
}

impl Method {
    /// As HTTP spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One route of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// What is done.
    pub method: Method,
    /// The path; `{}` is where the id goes.
    pub path: &'static str,
    /// For one attempt, from the wait for a connection to the last byte.
    pub timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// See [`Repeat`].
    pub repeat: Repeat,
    /// Bytes of an answer.
    pub body_max: usize,
    /// Answers at once when the service is well, so a time-out says that it is not.
    pub cheap: bool,
    /// Leaves also while the breaker is open: a person wants something stopped.
    pub urgent: bool,
}

impl Route {
    /// 1 MiB.
    const BODY_MAX: usize = 1 << 20;

    /// A read: may be repeated.
    pub const fn get(path: &'static str, seconds: u64, retries: u32) -> Self {
        Self {
            method: Method::Get,
            path,
            timeout: Duration::from_secs(seconds),
            retries,
            repeat: Repeat::Always,
            body_max: Self::BODY_MAX,
            cheap: false,
            urgent: false,
        }
    }

    /// Changes something: leaves once.
    pub const fn post(path: &'static str, seconds: u64) -> Self {
        Self { method: Method::Post, repeat: Repeat::NotSent, ..Self::get(path, seconds, 2) }
    }

    /// Takes something away; what is gone already is no error, so it may be repeated.
    pub const fn delete(path: &'static str, seconds: u64, retries: u32) -> Self {
        Self { method: Method::Delete, ..Self::get(path, seconds, retries) }
    }

    /// A time-out of it says that the service is not well.
    #[must_use]
    pub const fn cheap(mut self) -> Self {
        self.cheap = true;
        self
    }

    /// Leaves also while the breaker is open.
    #[must_use]
    pub const fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    /// Its answers may be so long.
    #[must_use]
    pub const fn long(mut self, mib: usize) -> Self {
        self.body_max = mib << 20;
        self
    }

    /// See [`Repeat`].
    #[must_use]
    pub const fn repeat(mut self, repeat: Repeat, retries: u32) -> Self {
        (self.repeat, self.retries) = (repeat, retries);
        self
    }

    /// `GET /training/sessions`, for people and figures.
    pub fn name(&self) -> String {
        format!("{} {}", self.method.name(), self.path)
    }
}
