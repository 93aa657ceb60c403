//! A simulated IB host service: the HTTP and JSON of the Python service that sits in front of IB Gateway.
//!
//! Contracts and bars come from the market of `ktrdr-gateway-sim`: with equal settings both serve the same. It counts
//! what was asked, and plays faults of the network and of the service.
//!
//! ```no_run
//! # async fn example() -> Result<(), ktrdr_ib_host_sim::StartError> {
//! use ktrdr_ib_host_sim::{Config, Simulator};
//!
//! let simulator = Simulator::start(Config::default()).await?;
//! println!("point a client at http://{}", simulator.address());
//! assert_eq!(simulator.report().requested("POST /data/historical"), 0);
//! # Ok(())
//! # }
//! ```
//!
//! `api` answers the routes in the service's words. `faults` says what goes wrong and when; `server` lets it happen.

mod answer;
mod api;
mod args;
mod config;
mod control;
mod faults;
mod log;
mod report;
mod route;
mod server;
mod simulator;

pub use args::main;
pub use config::Config;
pub use faults::{FaultKind, Rule, WrongRule};
pub use report::{Connections, Report};
pub use simulator::{Simulator, StartError};
