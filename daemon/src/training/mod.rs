//! Training: sessions on host services, from the strategy file to the result in the ledger.
//!
//! A session is an operation whose work happens elsewhere: it is entered here before a host hears of it, gets a slot,
//! is started exactly once, followed, and settled. What a host can do is asked of it once ([`Capabilities`]); how it
//! is spoken to is behind `backend::Backend`. Pure: `strategy/`, `capabilities`, `report`, `progress`, `queue`, `pace`, `answers`.

mod answers;
mod backend;
mod begin;
mod bodies;
mod capabilities;
mod client;
mod data;
mod dispatch;
mod error;
mod follow;
mod handle;
mod host;
mod models;
mod pace;
mod plan;
mod progress;
mod queue;
mod report;
mod request;
mod result;
mod session;
mod settle;
mod start;
mod stop;
mod strategy;
mod wire;

pub use capabilities::Capabilities;
pub use error::TrainingError;
pub use handle::{Training, TrainingConfig};
pub use host::HostFacts;
pub use models::Model;
pub use plan::{Plan, PlannedHost, StoredSeries};
pub use progress::Detail;
pub use request::{StartRequest, TrainingHost};
pub use result::{Curve, TrainingDocument};
pub use strategy::{Format, Mistake, Strategy};
