//! The same process, started again with the program that is at its path now. The socket listens all the while, so nobody is
//! refused: who calls meanwhile waits.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::PathBuf,
    process::Command,
};

use command_fds::{CommandFdExt, FdMapping};

use super::socket::OWN;

/// The first descriptor that is passed, as service managers have it.
const FIRST: i32 = 3;

/// What the next life needs.
#[derive(Debug)]
pub struct Handover {
    listener: OwnedFd,
    own: bool,
    program: PathBuf,
}

impl Handover {
    /// `own`: the socket's file is the daemon's to remove. `program`: where it was when it started; the file may have been
    /// replaced since.
    pub(super) fn new(listener: OwnedFd, own: bool, program: PathBuf) -> Self {
        Self { listener, own, program }
    }

    /// Becomes the next one; comes back only when that fails. Locks and everything else must have been given up.
    pub fn exec(self) -> io::Error {
        let mut command = Command::new(&self.program);
        command
            .args(std::env::args_os().skip(1))
            .env("LISTEN_PID", std::process::id().to_string())
            .env("LISTEN_FDS", "1");
        if self.own {
            command.env(OWN, "1");
        } else {
            command.env_remove(OWN);
        }
        match command.fd_mappings(vec![FdMapping { parent_fd: self.listener, child_fd: FIRST }]) {
            Ok(command) => command.exec(),
            Err(error) => io::Error::other(error),
        }
    }
}
