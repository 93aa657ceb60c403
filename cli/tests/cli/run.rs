//! Runs the real binary in an environment of its own.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::fake::Fake;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// stdout as a document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error document on stderr.
    pub(crate) fn error(&self) -> serde_json::Value {
        let document: serde_json::Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        document["error"].clone()
    }

    /// Everything at once, for snapshots.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code.unwrap_or(-1), self.stdout, self.stderr)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// `ktrdr` with nothing of the caller's environment.
pub(crate) fn ktrdr<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    program(Path::new(env!("CARGO_BIN_EXE_ktrdr")), arguments)
}

pub(crate) fn program<S: AsRef<OsStr>>(program: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    // no test wants a real daemon beside the program
    command.env_clear().env("KTRDR_AUTOSTART", "0").args(arguments).stdin(Stdio::null());
    command
}

pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    ktrdr(arguments).output().unwrap().into()
}

impl Fake {
    /// `ktrdr` that calls this daemon; the words of `line` are its arguments.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = ktrdr(line.split_whitespace());
        command.env("KTRDR_SOCKET", self.socket()).current_dir(self.folder());
        command
    }

    /// Runs it. The path of the socket reads `[SOCKET]`.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let mut ran = Ran::from(self.command(line).output().unwrap());
        ran.stderr = ran.stderr.replace(&self.socket().display().to_string(), "[SOCKET]");
        ran
    }

    /// Starts it, to be spoken to while it runs.
    pub(crate) fn spawn(&self, line: &str) -> Child {
        self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A file in the folder that commands run in.
    pub(crate) fn file(&self, name: &str, content: &[u8]) {
        std::fs::File::create(self.folder().join(name)).unwrap().write_all(content).unwrap();
    }
}

/// Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// Looks until `reached` holds; the only wait of these tests. What did not come is told by `missing`.
pub(crate) fn wait_until(reached: impl Fn() -> bool, missing: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !reached() {
        assert!(Instant::now() < deadline, "{}", missing());
        thread::sleep(Duration::from_millis(2));
    }
}
