//! `ktrdr top`: what the daemon is doing, on the whole screen, as it happens.
//!
//! - [`look`] asks the daemon; [`watch`] is the loop of keys, looks and pictures; [`screen`] has the terminal.
//! - [`state`] is what is shown, and what answers and [`keys`] make of it; [`order`], [`cursor`] and [`pace`] are parts of it.
//! - [`draw`] makes a picture of a state.
//!
//! All but the first three know no clock, no terminal and no daemon.

mod cursor;
mod draw;
mod keys;
mod look;
mod order;
mod pace;
mod screen;
mod state;
mod watch;

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use ktrdr_proto::reason;
use serde::Serialize;

use crate::{
    context::Context,
    failure::{Failure, Stop},
    flags::seconds,
    output,
    time::Instant,
    views::{
        daemon::DaemonView, gateway::GatewayView, operation::OperationView, series::SeriesView, services::ServiceView,
    },
};
use look::{Look, look};
use state::State;

/// Fewer than these would be work for nobody's eyes.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// What the daemon is doing, on the whole screen, as it happens
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr top
  ktrdr top --every 0.2
  ktrdr top --once                     one picture as text
  ktrdr top --format json | jq .gateway.state

Keys: q leaves, ? shows all of them. c cancels the operation that is selected, after asking.

It starts no daemon, and exits 3 when none answers; one that goes away later is waited for. For scripts: --once and
--format json print once and end, and need no terminal. The document has what daemon status, ib status, services list and
data list print, and of operations list those that have not ended and the newest that have.")]
pub(crate) struct Args {
    /// Pause between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = pause)]
    every: Duration,

    /// Print one picture as text, and end
    #[arg(long)]
    once: bool,
}

#[derive(Serialize)]
struct View {
    at: Instant,
    daemon: DaemonView,
    gateway: GatewayView,
    operations: Vec<OperationView>,
    services: Vec<ServiceView>,
    series: Vec<SeriesView>,
}

impl From<Look> for View {
    fn from(look: Look) -> Self {
        Self {
            at: Instant(look.at_ns),
            daemon: look.daemon.into(),
            gateway: look.gateway.into(),
            operations: look.operations.iter().map(OperationView::from).collect(),
            services: look.services.iter().map(ServiceView::from).collect(),
            series: look.series.unwrap_or_default().into_iter().map(SeriesView::from).collect(),
        }
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    if !json && !args.once && !has_screen() {
        let text = "stdout is no terminal that could be drawn on";
        let hint = "ktrdr top --once prints one picture, ktrdr top --format json one document";
        return Err(Failure::new(&reason::REQUEST_INVALID, text).hint(hint).into());
    }
    let client = context.client_of_running()?;
    // before anything is drawn: without a daemon there is nothing to see
    let first = Box::pin(look(&client, true)).await?;
    if json {
        return Ok(context.out.document(&View::from(first))?);
    }
    let mut state = State::new(first);
    if args.once {
        for line in draw::text(&state, output::screen::size()) {
            context.out.line(&line)?;
        }
        return Ok(());
    }
    state.colored = context.out.is_colored();
    watch::run(&client, state, args.every).await
}

fn has_screen() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn pause(text: &str) -> Result<Duration, String> {
    let pause = seconds(text)?;
    if pause < SHORTEST_PAUSE { Err("no less than 0.1 seconds".to_owned()) } else { Ok(pause) }
}
