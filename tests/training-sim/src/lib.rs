//! A simulated training host service: the HTTP and JSON of the Python services, generation by generation.
//!
//! Sessions train by the clock and nothing is computed. It counts what was asked, above all how often each session was
//! really started, and plays faults of the network and of the service. It shares no code with the programs it tests.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use ktrdr_training_sim::{Config, start};
//!
//! let simulator = start(Config::default()).await?;
//! println!("point a client at http://{}", simulator.address());
//! assert!(simulator.report().starts.values().all(|times| *times == 1));
//! # Ok(())
//! # }
//! ```
//!
//! `plan` reads what a start asks for, `course` is what happens to it as time passes, and `book` keeps the sessions.
//! `api` tells them in the words of a generation. The port and what goes wrong on it are those of `ktrdr-http-sim`.

mod api;
mod args;
mod book;
mod config;
mod control;
mod course;
mod generation;
mod metrics;
mod pace;
mod plan;
mod report;
mod route;
mod service;
mod stamps;
mod yaml;

pub use args::main;
pub use config::Config;
pub use generation::Generation;
pub use ktrdr_http_sim::{Connections, FaultKind, Rule, WrongRule};
pub use report::{Report, SessionRow};
pub use route::Route;
pub use service::{Training, start};
