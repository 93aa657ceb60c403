//! The base of every client of a host service: pooled HTTP/1.1 connections, time-outs and repeats by route, a circuit
//! breaker, health, and one error that keeps the whole context.
//!
//! A typed client is a list of [`Route`]s and the shapes of their answers on top of [`HostService::call`]; what a
//! service is for is not known here. No connection is opened before somebody asks for something.

mod address;
mod attempt;
mod breaker;
mod call;
mod connection;
mod error;
mod health;
mod pool;
mod probe;
mod reply;
mod retry;
mod route;
mod service;
mod status;
mod tls;
#[cfg(test)]
mod tls_tests;

pub use address::Address;
pub use call::Call;
pub use error::{At, HostError, Trouble};
pub use health::Health;
pub use reply::{Detail, Reply};
pub use route::{Method, Repeat, Route};
pub use service::{HostConfig, HostService};
pub use status::{HostStatus, PoolStatus};
pub use tls::tls_config;
