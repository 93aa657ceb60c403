//! The real `ktrdr` against a daemon that says what the test wants, over a real socket.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly, as tests do")]

mod calendar;
mod check;
mod fake;
mod run;

mod aid;
mod daemon;
mod errors;
mod export;
mod gateway;
mod help;
mod import;
mod load;
mod models;
mod operations;
mod samples;
mod show;
mod top;
mod watch;
