//! `ktrdr daemon logs`: the log, wherever it is: the file of a daemon that was started from here, or the journal of its unit.

use std::{
    fs::File,
    io::{self, Seek as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use ktrdr_proto::reason;
use serde::Serialize;

use super::ask;
use crate::{
    context::Context,
    failure::{Failure, Stop},
    flags::without_letter,
    launch::log_path,
    output::tail::tail,
};

const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// The daemon only tells where its log is, so nobody waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// There when systemd runs the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// The daemon's log, wherever it is
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("format", without_letter),
    after_help = "Examples:
  ktrdr daemon logs
  ktrdr daemon logs -n 200
  ktrdr daemon logs -f

It is in a file when ktrdr started the daemon, and in the journal when systemd did."
)]
pub(crate) struct Args {
    /// The last N lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,

    /// Go on and print what is added
    #[arg(short, long, visible_short_alias = 'F')]
    follow: bool,
}

#[derive(Serialize)]
struct View {
    path: String,
    lines: Vec<String>,
}

/// Where the log is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    File,
    Journal { unit: String, of_user: bool },
}

pub(crate) async fn run(args: &Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    if json && args.follow {
        let text = "what is followed has no end, and a document needs one";
        return Err(Failure::new(&reason::REQUEST_INVALID, text).hint("leave out --follow or --format json").into());
    }
    match place(context).await? {
        Place::File => file(args, json, context),
        Place::Journal { unit, of_user } => journal(args, json, &unit, of_user, context),
    }
}

/// The daemon knows; without one it is the file, or else the journal of the usual unit.
async fn place(context: &mut Context) -> Result<Place, Failure> {
    let client = context.client_of_running()?;
    match ask(&client.within(client.limit().min(LONGEST_WAIT))).await {
        Ok(status) if !status.unit.is_empty() => {
            return Ok(Place::Journal { unit: status.unit, of_user: status.unit_of_user });
        }
        _ => {}
    }
    if log_path()?.exists() || !Path::new(SYSTEMD).exists() {
        return Ok(Place::File);
    }
    let of_user = client.socket() != ktrdr_proto::address::SYSTEM_SOCKET;
    Ok(Place::Journal { unit: "ktrdrd.service".to_owned(), of_user })
}

fn file(args: &Args, json: bool, context: &mut Context) -> Result<(), Stop> {
    let path = log_path()?;
    let mut file = File::open(&path).map_err(|error| no_log(&path, &error))?;
    let tail = tail(&mut file, args.lines).map_err(|error| no_log(&path, &error))?;
    if json {
        return print(context, path.display().to_string(), &tail);
    }
    context.out.write_all(&tail)?;
    if args.follow { follow(context, &mut file) } else { Ok(()) }
}

/// `journalctl` takes our place, or its lines become the document.
fn journal(args: &Args, json: bool, unit: &str, of_user: bool, context: &mut Context) -> Result<(), Stop> {
    let mut command = Command::new("journalctl");
    if of_user {
        command.arg("--user");
    }
    command.args(["--no-pager", "--output=short-iso-precise", "--unit", unit, "--lines", &args.lines.to_string()]);
    let failed = |error: io::Error| {
        let text = format!("cannot read the journal of {unit}");
        Failure::new(&reason::FILE_UNREADABLE, text).caused_by(&error).hint("install systemd's journalctl")
    };
    if json {
        let output = command.output().map_err(failed)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(failed(io::Error::other(said)).into());
        }
        return print(context, format!("journal of {unit}"), &output.stdout);
    }
    if args.follow {
        command.arg("--follow");
    }
    context.out.flush()?;
    Err(failed(command.exec()).into())
}

fn print(context: &mut Context, path: String, text: &[u8]) -> Result<(), Stop> {
    let lines = String::from_utf8_lossy(text).lines().map(str::to_owned).collect();
    Ok(context.out.document(&View { path, lines })?)
}

/// Prints what is added, until Ctrl-C. A file that shrank was emptied and is read from its beginning.
fn follow(context: &mut Context, file: &mut File) -> Result<(), Stop> {
    loop {
        context.out.flush()?;
        thread::sleep(BETWEEN_LOOKS);
        if file.metadata()?.len() < file.stream_position()? {
            file.rewind()?;
        }
        io::copy(file, &mut context.out)?;
    }
}

fn no_log(path: &Path, error: &io::Error) -> Failure {
    Failure::new(&reason::FILE_UNREADABLE, format!("no log at {}", path.display()))
        .caused_by(error)
        .hint("only a daemon that ktrdr started writes one; one under systemd has its log in the journal")
}
