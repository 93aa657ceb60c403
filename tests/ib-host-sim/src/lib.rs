//! A simulated IB host service: the HTTP and JSON of the Python service that sits in front of IB Gateway.
//!
//! Contracts and bars come from the market of `ktrdr-gateway-sim`: with equal settings both serve the same. It counts
//! what was asked, and plays faults of the network and of the service.
//!
//! ```no_run
//! # async fn example() -> Result<(), ktrdr_ib_host_sim::StartError> {
//! use ktrdr_ib_host_sim::{Config, start};
//!
//! let simulator = start(Config::default()).await?;
//! println!("point a client at http://{}", simulator.address());
//! assert_eq!(simulator.report().requested("POST /data/historical"), 0);
//! # Ok(())
//! # }
//! ```
//!
//! `api` answers the routes in the service's words. The port and what goes wrong on it are those of `ktrdr-http-sim`.

mod api;
mod args;
mod config;
mod control;
mod report;
mod route;
mod service;

pub use args::main;
pub use config::Config;
pub use ktrdr_http_sim::{Connections, FaultKind, Rule, WrongRule};
pub use report::Report;
pub use route::Route;
pub use service::{IbHost, StartError, start};
