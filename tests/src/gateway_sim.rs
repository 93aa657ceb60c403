//! The real `ktrdr-gateway-sim`, and what it says about its clients.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::mpsc,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{data_folder, process::Process, programs::programs, wait};

/// A simulated gateway at work.
#[derive(Debug)]
pub struct GatewaySim {
    process: Process,
    port: u16,
    folder: TempDir,
}

/// What a gateway notes of a client that dies: its kernel resets the connection or ends it with requests open.
pub const LEFT_WITHOUT_A_WORD: [&str; 2] = ["abrupt_close", "uncancelled_at_disconnect"];

/// What a simulated gateway saw.
#[derive(Debug, Clone)]
pub struct Report(Value);

impl GatewaySim {
    /// On a free port; `flags` are those of its command line.
    pub fn start(flags: &str) -> Result<Self> {
        Self::start_on(0, flags)
    }

    /// With the price files of the tests.
    pub fn replaying(flags: &str) -> Result<Self> {
        Self::start(&format!("--replay {} {flags}", data_folder().display()))
    }

    /// With what is to go wrong, as `--faults` reads it.
    pub fn with_faults(rules: &str, flags: &str) -> Result<Self> {
        Self::with_faults_on(0, rules, flags)
    }

    /// The same on a port of one's own.
    pub fn with_faults_on(port: u16, rules: &str, flags: &str) -> Result<Self> {
        let file = tempfile::Builder::new().prefix("ktrdr-faults-").tempfile_in("/tmp")?;
        fs::write(file.path(), rules)?;
        Self::start_on(port, &format!("--faults {} {flags}", file.path().display()))
    }

    /// On a port of one's own, such as that of a gateway that is no more.
    pub fn start_on(port: u16, flags: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ktrdr-sim-").tempdir_in("/tmp")?;
        let mut command = std::process::Command::new(&programs()?.gateway_sim);
        command
            .env_clear()
            .args(["--listen", &format!("127.0.0.1:{port}"), "--report"])
            .arg(folder.path().join("report.json"))
            .args(flags.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process::start(command)?;
        let port = ready_line(&mut process).context("the simulated gateway did not come up")?;
        Ok(Self { process, port, folder })
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Faults that it has played so far, by its last report.
    pub fn faults(&self) -> u64 {
        let text = fs::read_to_string(self.folder.path().join("report.json")).unwrap_or_default();
        let report: Value = serde_json::from_str(&text).unwrap_or_default();
        report["faults"].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// Stops it in its tracks: connections stay, and nothing answers.
    pub fn freeze(&mut self) -> Result<()> {
        self.process.freeze()
    }

    /// Gone at once, without a report.
    pub fn kill(mut self) -> Result<()> {
        self.end()
    }

    /// The same for one that is to be replaced.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Stops it; what it saw, when nobody misbehaved.
    pub fn report(self) -> Result<Report> {
        let report = self.report_unjudged()?;
        report.judge()?;
        Ok(report)
    }

    /// Stops it; what it saw, when nobody misbehaved but by dying: who is killed leaves without a word.
    pub fn report_after_kills(self) -> Result<Report> {
        let report = self.report_unjudged()?;
        report.judge_but(|violation| LEFT_WITHOUT_A_WORD.contains(&violation["rule"].as_str().unwrap_or_default()))?;
        Ok(report)
    }

    /// Stops it; what it saw.
    pub fn report_unjudged(mut self) -> Result<Report> {
        self.process.signal(Signal::TERM)?;
        let status = self.process.ended_within(wait::LIMIT)?;
        ensure!(status.success(), "the simulated gateway ended with {status}");
        let text = fs::read_to_string(self.folder.path().join("report.json")).context("no report")?;
        Ok(Report(serde_json::from_str(&text)?))
    }
}

/// The first line of its stdout tells the port.
pub(crate) fn ready_line(process: &mut Process) -> Result<u16> {
    let stdout = process.child().stdout.take().context("no stdout")?;
    let (send, line) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // nobody listens when the wait below was over before
        send.send(read.map(|_| line)).ok();
    });
    let line = line.recv_timeout(wait::LIMIT)??;
    let ready: Value = serde_json::from_str(&line).with_context(|| format!("it said {line:?}"))?;
    let address = ready["listening"].as_str().unwrap_or_default();
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
    port.with_context(|| format!("it said {line:?}"))
}

impl Report {
    /// Requests of a kind.
    pub fn requests(&self, kind: &str) -> u64 {
        self.0["requests"][kind].as_u64().unwrap_or(0)
    }

    /// Requests for bars.
    pub fn historical(&self) -> u64 {
        self.requests("historical_data")
    }

    /// Requests of the kinds that an operation counts.
    pub fn made(&self) -> u64 {
        ["historical_data", "contract_details", "head_timestamp", "matching_symbols"]
            .iter()
            .map(|kind| self.requests(kind))
            .sum()
    }

    /// Connections in all.
    pub fn connections(&self) -> u64 {
        self.0["connections"]["total"].as_u64().unwrap_or(0)
    }

    /// The document.
    pub fn document(&self) -> &Value {
        &self.0
    }

    /// Never two connections at once, and nothing a well-behaved client does not do.
    pub fn judge(&self) -> Result<()> {
        self.judge_but(|_| false)
    }

    fn judge_but(&self, excused: impl Fn(&Value) -> bool) -> Result<()> {
        let at_once = self.0["connections"]["most_at_once"].as_u64();
        let violations = self.0["violations"].as_array();
        let violations = violations.map(|all| all.iter().filter(|violation| !excused(violation)).count());
        if at_once.is_none_or(|count| count > 1) || violations != Some(0) {
            bail!("the gateway complains: {:#}", self.0);
        }
        Ok(())
    }
}
