//! A daemon under a small service manager: a socket that listens all the while, and a process that is started again whenever it
//! has ended.

use std::{
    fs::{self, File},
    os::{fd::AsFd as _, unix::net::UnixListener},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use command_fds::{CommandFdExt as _, FdMapping};

use crate::{daemon::status_of, home::Home, process::Process, programs::programs, wait};

/// The first descriptor that is passed, as service managers have it.
const FIRST: i32 = 3;

/// The socket, and who serves it.
#[derive(Debug)]
pub(super) struct Supervised {
    process: Process,
    listener: UnixListener,
    home: Arc<Home>,
}

impl Supervised {
    /// Makes the socket and starts the first; how long it took to its first answer.
    pub(super) fn start(home: Home) -> Result<(Self, Duration)> {
        let socket = home.socket();
        fs::create_dir_all(socket.parent().context("a folder")?)?;
        let listener = UnixListener::bind(&socket)?;
        let began = Instant::now();
        let mut supervised = Self { process: spawn(&home, &listener)?, listener, home: Arc::new(home) };
        supervised.answers()?;
        Ok((supervised, began.elapsed()))
    }

    pub(super) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(super) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts the next one, at once; the one before has ended.
    pub(super) fn again(&mut self) -> Result<()> {
        self.process = spawn(&self.home, &self.listener)?;
        Ok(())
    }

    /// Waits for its first answer. The socket listens, so there is nothing to ask twice.
    pub(super) fn answers(&mut self) -> Result<()> {
        let answered = status_of(&self.home.socket());
        if answered.is_err() {
            ensure!(self.process.ended()?.is_none(), "the daemon did not start: {}", log_end(&self.home));
            wait::until_true("an answer", wait::LIMIT, || Ok(status_of(&self.home.socket()).is_ok()))?;
        }
        Ok(())
    }
}

/// The shell becomes the daemon, so that it knows the pid that the socket is for.
fn spawn(home: &Home, listener: &UnixListener) -> Result<Process> {
    let log = File::options().create(true).append(true).open(home.daemon_log())?;
    let mut command = home.command(Path::new("sh"));
    command.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\""]).arg(&programs()?.ktrdrd);
    command.stdout(log.try_clone()?).stderr(log);
    let parent_fd = listener.as_fd().try_clone_to_owned()?;
    command.fd_mappings(vec![FdMapping { parent_fd, child_fd: FIRST }])?;
    Process::start(command)
}

fn log_end(home: &Home) -> String {
    let log = fs::read_to_string(home.daemon_log()).unwrap_or_default();
    log.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
}
