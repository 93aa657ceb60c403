//! `ktrdr daemon restart`: the same process, started again; nobody is refused meanwhile.

use std::time::Duration;

use ktrdr_proto::{
    reason,
    v1::{GetDaemonStatusResponse, ShutdownRequest},
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::ask;
use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    time,
    wire::Start,
};

/// The daemon's own grace is 10 s unless it is configured.
const LONGEST_RESTART: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Start the daemon again, with the program that is installed now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon restart

Commands that are called meanwhile wait. Running loads are interrupted and keep what they stored; trainings go on. A daemon
that does not run is started.")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    restarted: bool,
    pid: u32,
    version: String,
    started_at: time::Instant,
}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client_of_running()?;
    let before = match ask(&client).await {
        Ok(before) => Some(before),
        Err(failure) if failure.reason() == reason::DAEMON_UNREACHABLE.name => None,
        Err(failure) => return Err(failure.into()),
    };
    let now = if let Some(before) = &before {
        let request = client.request(ShutdownRequest { restart: true });
        client.answer_of_any(client.daemon().shutdown(request)).await?;
        again(context, before.started_at_ns).await?
    } else {
        ask(&context.client()?).await?
    };
    let view = View {
        restarted: before.is_some(),
        pid: now.pid,
        version: now.version,
        started_at: time::Instant(now.started_at_ns),
    };
    if json {
        return Ok(context.out.document(&view)?);
    }
    let what = if view.restarted { "Restarted" } else { "Started" };
    context.talk.say(&format!("{what} ktrdrd {} (pid {})", view.version, view.pid));
    Ok(())
}

/// Waits for the next life. A daemon that knows no restart has stopped, and is started.
async fn again(context: &Context, before: i64) -> Result<GetDaemonStatusResponse, Failure> {
    let deadline = Instant::now() + LONGEST_RESTART;
    loop {
        let client = Client::new(context.socket_flag(), LONGEST_RESTART, Start::WhenAbsent)?;
        let not_yet = match ask(&client).await {
            Ok(status) if status.started_at_ns != before => return Ok(status),
            Ok(_) => {
                let text = format!("the daemon has not restarted within {} s", LONGEST_RESTART.as_secs());
                Failure::new(&reason::DAEMON_START_FAILED, text)
            }
            // it is on its way out
            Err(failure) if failure.exit() == reason::exit::UNREACHABLE => failure,
            Err(failure) => return Err(failure),
        };
        if Instant::now() >= deadline {
            return Err(not_yet);
        }
        sleep(BETWEEN_LOOKS).await;
    }
}
