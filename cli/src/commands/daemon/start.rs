//! `ktrdr daemon start`: start the daemon and wait until it answers.

use std::{path::PathBuf, process::Child, time::Duration};

use ktrdr_proto::{reason, v1::GetDaemonStatusResponse};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::ask;
use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    flags::seconds,
    launch::{self, Log, log_path},
    wire::Start,
};

/// How long a daemon that somebody else has just started may take.
const OTHERS_START: Duration = Duration::from_secs(3);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Start the daemon and wait until it answers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon start
  ktrdr daemon start --config ktrdr.toml --wait 30

ktrdrd is looked for beside ktrdr, then on PATH. Exits 0 when one runs already.")]
pub(crate) struct Args {
    /// Configuration file of the daemon, on top of the usual ones
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Longest wait until it answers
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    wait: Duration,
}

#[derive(Serialize)]
struct View {
    started: bool,
    pid: u32,
    socket: String,
    log: Option<String>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    match ask(&context.client_of_running()?).await {
        Ok(status) => {
            context.talk.say("ktrdrd is running already");
            return print(context, json, &View::of(status, None));
        }
        Err(failure) if failure.exit() == reason::exit::UNREACHABLE => {}
        Err(failure) => return Err(failure.into()),
    }
    let log = Log::open(log_path()?)?;
    let child = launch::spawn(args.config.as_deref(), context.socket_flag(), &log)?;
    let status = wait_for(child, context, args.wait, &log).await?;
    print(context, json, &View::of(status, Some(log.path.display().to_string())))
}

impl View {
    fn of(status: GetDaemonStatusResponse, log: Option<String>) -> Self {
        Self { started: log.is_some(), pid: status.pid, socket: status.socket, log }
    }
}

fn print(context: &mut Context, json: bool, view: &View) -> Result<(), Stop> {
    if json {
        return Ok(context.out.document(view)?);
    }
    context.out.line(&format!("pid:    {}", view.pid))?;
    context.out.line(&format!("socket: {}", view.socket))?;
    if let Some(log) = &view.log {
        context.out.line(&format!("log:    {log}"))?;
    }
    Ok(())
}

async fn wait_for(
    mut child: Child,
    context: &Context,
    limit: Duration,
    log: &Log,
) -> Result<GetDaemonStatusResponse, Failure> {
    let mut deadline = Instant::now() + limit;
    let mut ended = None;
    loop {
        // The address is resolved each time: its folder may appear with the daemon.
        let client = Client::new(context.socket_flag(), limit, Start::Never)?;
        let failure = match ask(&client).await {
            Ok(status) => return Ok(status),
            Err(failure) => failure,
        };
        if let (None, Ok(Some(status))) = (ended, child.try_wait()) {
            // Somebody else started one at the same moment: that one will answer.
            if !log.last_words().is_taken() {
                return Err(launch::ended_early(status, log));
            }
            ended = Some(status);
            deadline = deadline.min(Instant::now() + OTHERS_START);
        }
        if Instant::now() >= deadline {
            if let Some(status) = ended {
                return Err(launch::ended_early(status, log));
            }
            let text = format!("ktrdrd (pid {}) does not answer after {} s", child.id(), limit.as_secs_f64());
            let causes = failure.messages().to_vec();
            return Err(Failure::new(&reason::DAEMON_START_FAILED, text)
                .because(causes)
                .because(log.last_words().messages));
        }
        sleep(BETWEEN_LOOKS).await;
    }
}
