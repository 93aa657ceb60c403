//! `ktrdr daemon start`: start the daemon and wait until it answers.

use std::{
    env,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Seek as _, SeekFrom},
    os::unix::{
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use ktrdr_proto::{reason, v1::GetDaemonStatusResponse};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{ask, log_path, logs};
use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    flags::seconds,
};

const PROGRAM: &str = "ktrdrd";
/// How long a daemon that somebody else has just started may take.
const OTHERS_START: Duration = Duration::from_secs(3);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// Lines of the log that an early end is explained with.
const LAST_WORDS: usize = 5;
/// Lines of an error at the most.
const LAST_WORDS_MAX: usize = 40;

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
    match ask(&context.client()?).await {
        Ok(status) => {
            context.talk.say("ktrdrd is running already");
            return print(context, json, &View::of(status, None));
        }
        Err(failure) if failure.exit() == reason::exit::UNREACHABLE => {}
        Err(failure) => return Err(failure.into()),
    }
    let log = Log::open(log_path()?)?;
    let child = spawn(&args, context.socket_flag(), &log)?;
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

/// The daemon gets a process group of its own, so that Ctrl-C in this terminal is not meant for it.
fn spawn(args: &Args, socket: Option<&Path>, log: &Log) -> Result<Child, Failure> {
    let program = program();
    let mut command = Command::new(&program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.writer()?).process_group(0);
    if let Some(socket) = socket {
        command.arg("--socket").arg(socket);
    }
    if let Some(config) = &args.config {
        command.arg("--config").arg(config);
    }
    command.spawn().map_err(|error| {
        let text = format!("cannot start {}", program.display());
        Failure::new(&reason::DAEMON_START_FAILED, text)
            .caused_by(&error)
            .hint("install ktrdrd beside ktrdr or on PATH")
    })
}

/// `ktrdrd` beside this program, else whatever PATH finds.
fn program() -> PathBuf {
    let beside = env::current_exe().ok().map(|own| own.with_file_name(PROGRAM));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(PROGRAM))
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
        let client = Client::new(context.socket_flag(), limit)?;
        let failure = match ask(&client).await {
            Ok(status) => return Ok(status),
            Err(failure) => failure,
        };
        if let (None, Ok(Some(status))) = (ended, child.try_wait()) {
            // Somebody else started one at the same moment: that one will answer.
            if !log.last_words().messages.iter().any(|line| line.contains("already listens")) {
                return Err(ended_early(status, log));
            }
            ended = Some(status);
            deadline = deadline.min(Instant::now() + OTHERS_START);
        }
        if Instant::now() >= deadline {
            if let Some(status) = ended {
                return Err(ended_early(status, log));
            }
            let text = format!("{PROGRAM} (pid {}) does not answer after {} s", child.id(), limit.as_secs_f64());
            let causes = failure.messages().to_vec();
            return Err(Failure::new(&reason::DAEMON_START_FAILED, text)
                .because(causes)
                .because(log.last_words().messages));
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

fn ended_early(status: ExitStatus, log: &Log) -> Failure {
    let LastWords { messages, hint } = log.last_words();
    let failure = Failure::new(&reason::DAEMON_START_FAILED, format!("{PROGRAM} ended at once ({status})"));
    match hint {
        Some(hint) => failure.because(messages).hint(&hint),
        None => failure.because(messages),
    }
}

/// The log file, and where this start begins in it.
struct Log {
    path: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    fn open(path: PathBuf) -> Result<Self, Failure> {
        match open(&path) {
            Ok((file, start)) => Ok(Self { path, file, start }),
            Err(error) => Err(cannot_log(&path, &error)),
        }
    }

    fn writer(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(|error| cannot_log(&self.path, &error))
    }

    /// What the daemon said at the end, and nothing of earlier runs: its error as a whole, else its last lines.
    fn last_words(&self) -> LastWords {
        let read = || {
            let mut file = File::open(&self.path)?;
            let added = file.seek(SeekFrom::End(0))?.saturating_sub(self.start);
            let mut tail = logs::tail(&mut file, LAST_WORDS_MAX)?;
            let surplus = tail.len().saturating_sub(usize::try_from(added).unwrap_or(usize::MAX));
            Ok::<_, io::Error>(tail.split_off(surplus))
        };
        LastWords::of(&String::from_utf8_lossy(&read().unwrap_or_default()))
    }
}

/// An error as `ktrdrd` prints it, taken apart.
struct LastWords {
    messages: Vec<String>,
    hint: Option<String>,
}

impl LastWords {
    fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let error = lines.iter().rposition(|line| line.starts_with("error: "));
        let block = &lines[error.unwrap_or(lines.len().saturating_sub(LAST_WORDS))..];
        let unlabelled = |line: &&&str| {
            let text = ["error: ", "caused by: "].iter().find_map(|label| line.strip_prefix(label));
            text.unwrap_or(line).to_owned()
        };
        Self {
            messages: block.iter().filter(|line| !line.starts_with("hint: ")).map(|line| unlabelled(&line)).collect(),
            hint: block.iter().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned),
        }
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let start = file.seek(SeekFrom::End(0))?;
    Ok((file, start))
}

fn cannot_log(path: &Path, error: &io::Error) -> Failure {
    let text = format!("cannot write the daemon's log {}", path.display());
    Failure::new(&reason::DAEMON_START_FAILED, text).caused_by(error).hint("check the folder, or set XDG_STATE_HOME")
}
