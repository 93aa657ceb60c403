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
//! `referee` judges, `report` tells.

mod args;
mod clock;
mod config;
mod log;
mod market;
mod protocol;
mod referee;
mod report;
mod server;
mod simulator;

pub use args::main;
pub use config::{Config, Knobs, NEWEST_VERSION};
pub use report::{Connections, Pacing, Report, Violation};
pub use simulator::{Simulator, StartError};
