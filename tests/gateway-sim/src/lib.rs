//! A simulated IB Gateway: a real TCP peer that speaks the protocol of TWS and the Gateway.
//!
//! It serves generated or replayed prices to any client of that protocol, counts what was asked, and notes what a
//! well-behaved client never does. It shares no code with the programs it tests.
//!
//! ```no_run
//! # async fn example() -> Result<(), ktrdr_gateway_sim::StartError> {
//! use ktrdr_gateway_sim::{Config, Simulator};
//!
//! let simulator = Simulator::start(Config::default()).await?;
//! println!("point a client at {}", simulator.address());
//! let report = simulator.wait_for(|report| report.received("historical_data") == 1).await;
//! assert!(report.violations.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! `market` knows contracts and prices, `protocol` knows bytes; neither knows the other, and `server` joins them.
//! `referee` judges, `report` tells. `faults` says what can go wrong and when; `server` lets it happen. `feed` is the
//! market alone, for simulators of other services.

mod args;
mod clock;
mod config;
mod fault_args;
pub mod faults;
mod feed;
mod log;
mod market;
mod protocol;
mod referee;
mod report;
mod server;
mod simulator;

pub use args::main;
pub use config::{Chaos, Config, Knobs, NEWEST_VERSION, Pacing};
pub use feed::{Feed, FeedBar, Listing};
pub use report::{Connections, Outage, PacingUse, Report, Violation};
pub use simulator::{Simulator, StartError};
