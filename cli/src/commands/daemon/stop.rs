//! `ktrdr daemon stop`: stop the daemon and wait until it is gone.

use std::{fs, time::Duration};

use ktrdr_proto::{reason, v1::ShutdownRequest};
use rustix::{io::Errno, process::Pid};
use serde::Serialize;
use tokio::{
    net::UnixStream,
    time::{Instant, sleep},
};

use crate::{
    context::Context,
    failure::{Failure, Stop},
};

/// The daemon's own grace is 10 s unless it is configured.
const LONGEST_STOP: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Stop the daemon and wait until it is gone
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon stop

Running loads are interrupted and keep what they stored. Exits 0 when no daemon runs.")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    stopped: bool,
    pid: Option<u32>,
}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client_of_running()?;
    let request = client.request(ShutdownRequest { restart: false });
    let pid = match client.answer_of_any(client.daemon().shutdown(request)).await {
        Ok(answer) => Some(answer.pid),
        // Somebody else has asked already; its socket tells when it is gone.
        Err(failure) if failure.reason() == reason::SHUTTING_DOWN.name => None,
        Err(failure) if failure.reason() == reason::DAEMON_UNREACHABLE.name => {
            context.talk.say(&format!("ktrdrd is not running at {}", client.socket()));
            return print(context, json, false, None);
        }
        Err(failure) => return Err(failure.into()),
    };
    let name = pid.map_or_else(|| "ktrdrd".to_owned(), |pid| format!("ktrdrd (pid {pid})"));
    let deadline = Instant::now() + LONGEST_STOP;
    // a socket that systemd holds goes on answering, and would start the next one: only without a pid it is asked
    while match pid {
        Some(pid) => lives(pid),
        None => answers(client.socket()).await,
    } {
        if Instant::now() >= deadline {
            let text = format!("{name} has not stopped within {} s", LONGEST_STOP.as_secs());
            return Err(Failure::new(&reason::DAEMON_STOP_FAILED, text).into());
        }
        sleep(BETWEEN_LOOKS).await;
    }
    context.talk.say(&format!("Stopped {name}"));
    print(context, json, true, pid)
}

fn print(context: &mut Context, json: bool, stopped: bool, pid: Option<u32>) -> Result<(), Stop> {
    if json {
        context.out.document(&View { stopped, pid })?;
    }
    Ok(())
}

async fn answers(socket: &str) -> bool {
    UnixStream::connect(socket).await.is_ok()
}

/// Whether the process is still there. One that waits for its parent to look after it has ended already; one that we
/// may not see counts as gone, as its socket does not answer.
fn lives(pid: u32) -> bool {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    match rustix::process::test_kill_process(process) {
        Ok(()) => state_of(pid) != Some('Z'),
        // another user's
        Err(Errno::PERM) => state_of(pid).is_some_and(|state| state != 'Z'),
        Err(_) => false,
    }
}

/// As `/proc` has it; `None` where it does not say.
fn state_of(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The state follows the name, which stands in parentheses and may contain some.
    stat.rsplit_once(") ")?.1.chars().next()
}
