//! A daemon that is started from here: found, put in the background, and heard when it does not come up.
//!
//! One that nobody asked for by name comes up for a command that finds none; who starts it is decided by a lock beside the socket, so
//! that a hundred commands at once start one.

mod log;

use std::{
    env,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::{
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use ktrdr_proto::{address, reason};
use tokio::{
    net::UnixStream,
    time::{Instant, sleep},
};

use crate::failure::Failure;

use log::LastWords;
pub(crate) use log::{Log, log_path};

const PROGRAM: &str = "ktrdrd";
/// `0` switches it off, and so does `--no-start`.
const VARIABLE: &str = "KTRDR_AUTOSTART";
/// Until it listens.
const LISTENS: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Nobody listens there: no socket, or one that a killed daemon left.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Whether a daemon at that socket is ours to start. The system's is not: systemd starts that one.
pub(crate) fn is_wanted(socket: &Path) -> bool {
    let off = env::var_os(VARIABLE).is_some_and(|value| ["0", "false", "no", "off"].iter().any(|no| value == *no));
    !off && socket != Path::new(address::SYSTEM_SOCKET)
}

/// A connection to a daemon that is started now, by us or by another command at the same moment.
pub(crate) async fn join(socket: &Path) -> Result<UnixStream, Failure> {
    let deadline = Instant::now() + LISTENS;
    let lock = start_lock(socket).map_err(|error| cannot_start(PROGRAM).caused_by(&error))?;
    loop {
        if let Ok(stream) = UnixStream::connect(socket).await {
            return Ok(stream);
        }
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(BETWEEN_LOOKS).await,
            Err(TryLockError::WouldBlock) => return Err(silent(LISTENS)),
            Err(TryLockError::Error(error)) => return Err(cannot_start(PROGRAM).caused_by(&error)),
        }
    }
    // whoever had the lock before may have started one
    if let Ok(stream) = UnixStream::connect(socket).await {
        return Ok(stream);
    }
    let log = Log::open(log_path()?)?;
    let mut child = Some(spawn(None, Some(socket), &log)?);
    loop {
        if let Ok(stream) = UnixStream::connect(socket).await {
            return Ok(stream);
        }
        if let Some(Ok(Some(status))) = child.as_mut().map(Child::try_wait) {
            // somebody else's is on its way: it has its lock before it listens
            if !log.last_words().is_taken() {
                return Err(ended_early(status, &log));
            }
            child = None;
        }
        if Instant::now() >= deadline {
            return Err(silent(LISTENS).because(log.last_words().messages));
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

/// `<socket>.start`, in the folder that the daemon would make.
fn start_lock(socket: &Path) -> io::Result<File> {
    if let Some(folder) = socket.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut path = socket.to_path_buf().into_os_string();
    path.push(".start");
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn silent(limit: Duration) -> Failure {
    Failure::new(&reason::DAEMON_START_FAILED, format!("{PROGRAM} does not listen after {} s", limit.as_secs()))
}

fn cannot_start(program: &str) -> Failure {
    Failure::new(&reason::DAEMON_START_FAILED, format!("cannot start {program}"))
}

/// The daemon gets a process group of its own, so that Ctrl-C in this terminal is not meant for it.
pub(crate) fn spawn(config: Option<&Path>, socket: Option<&Path>, log: &Log) -> Result<Child, Failure> {
    let program = program();
    let mut command = Command::new(&program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.writer()?).process_group(0);
    if let Some(socket) = socket {
        command.arg("--socket").arg(socket);
    }
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.spawn().map_err(|error| {
        cannot_start(&program.display().to_string()).caused_by(&error).hint("install ktrdrd beside ktrdr or on PATH")
    })
}

/// `ktrdrd` beside this program, else whatever PATH finds.
fn program() -> PathBuf {
    let beside = env::current_exe().ok().map(|own| own.with_file_name(PROGRAM));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(PROGRAM))
}

pub(crate) fn ended_early(status: ExitStatus, log: &Log) -> Failure {
    let LastWords { messages, hint } = log.last_words();
    let failure = Failure::new(&reason::DAEMON_START_FAILED, format!("{PROGRAM} ended at once ({status})"));
    match hint {
        Some(hint) => failure.because(messages).hint(&hint),
        None => failure.because(messages),
    }
}
