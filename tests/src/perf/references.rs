//! What things are measured against, built or started on the spot: the C floor, redis, bare tonic, Python.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{home::Home, process::Process, wait};

/// The smallest static C program that does a round trip over a Unix socket, and its server.
pub(super) struct Floor {
    pub(super) program: PathBuf,
}

impl Floor {
    pub(super) fn build(home: &Home) -> Result<Self> {
        Self::compiled(home, "cc")?.context("cc is needed for the floor")
    }

    /// Against musl, whose start does not ask the processor anything: on a virtual machine the question alone can take half of glibc's
    /// floor. `None` where it is not installed.
    pub(super) fn with_musl(home: &Home) -> Result<Option<Self>> {
        Self::compiled(home, "musl-gcc")
    }

    fn compiled(home: &Home, compiler: &str) -> Result<Option<Self>> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor.c");
        let (linked, program) = (home.path().join("floor.linked"), home.path().join(format!("floor-{compiler}")));
        let mut compile = Command::new(compiler);
        compile.args(["-O2", "-static", "-o"]).arg(&linked).arg(source);
        let Ok(status) = compile.status() else { return Ok(None) };
        ensure!(status.success(), "{compiler} failed");
        // a copy, as the other programs are
        fs::copy(linked, &program)?;
        Ok(Some(Self { program }))
    }

    /// The server, not waited for.
    pub(super) fn serve(&self, home: &Home, socket: &Path) -> Result<Process> {
        let mut serve = home.command(&self.program);
        serve.arg("serve").arg(socket);
        Process::start(serve)
    }

    /// The client.
    pub(super) fn ask(&self, home: &Home, socket: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().arg(socket).current_dir(home.work());
        command
    }
}

/// A server that everybody knows, over a Unix socket too.
pub(super) struct Redis {
    socket: PathBuf,
    _server: Process,
}

impl Redis {
    /// `None` where it is not installed.
    pub(super) fn start(home: &Home) -> Result<Option<Self>> {
        let socket = home.path().join("redis.sock");
        let mut server = home.command(Path::new("redis-server"));
        server.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket).stdout(Stdio::null());
        let Ok(server) = Process::start(server) else { return Ok(None) };
        wait::until_true("redis", wait::LIMIT, || Ok(socket.exists()))?;
        Ok(Some(Self { socket, _server: server }))
    }

    pub(super) fn ping(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(&self.socket).arg("ping");
        command
    }
}

/// A program that is told what to do a line at a time, and answers each with how many seconds that took.
pub(super) struct Worker {
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
    _process: Process,
}

impl Worker {
    pub(super) fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(command)?;
        let asked = process.child().stdin.take().context("no stdin")?;
        let answers = BufReader::new(process.child().stdout.take().context("no stdout")?);
        Ok(Self { asked, answers, _process: process })
    }

    pub(super) fn seconds(&mut self, line: &str) -> Result<f64> {
        writeln!(self.asked, "{line}")?;
        self.asked.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        answer.trim().parse().with_context(|| format!("{line}: {answer:?}"))
    }
}

/// The interpreter with `pyarrow`, or why there is none.
pub(super) fn python() -> Result<PathBuf, String> {
    crate::python::install("ktrdr-perf-python", &["pyarrow"])
}

/// A worker in Python: `tests/python/peer.py`.
pub(super) fn python_worker(home: &Home, python: &Path) -> Result<Worker> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/peer.py");
    let mut command = home.command(python);
    command.arg("-B").arg(script);
    Worker::start(command)
}
