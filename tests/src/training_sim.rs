//! The real `ktrdr-training-sim`, how it is told what to do, and what it saw.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{gateway_sim::ready_line, http, process::Process, programs::programs};

/// A simulated training service at work.
#[derive(Debug)]
pub struct TrainingSim {
    process: Process,
    port: u16,
}

impl TrainingSim {
    /// On a free port; `flags` are those of its command line.
    pub fn start(flags: &str) -> Result<Self> {
        Self::start_on(0, flags)
    }

    /// On a port of one's own, such as that of a service that is no more.
    pub fn start_on(port: u16, flags: &str) -> Result<Self> {
        let mut command = std::process::Command::new(&programs()?.training_sim);
        command
            .env_clear()
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(flags.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process::start(command)?;
        let port = ready_line(&mut process).context("the simulated training service did not come up")?;
        Ok(Self { process, port })
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As a host of the configuration: `NAME=URL`.
    pub fn host(&self, name: &str) -> String {
        format!("{name}=http://127.0.0.1:{}", self.port)
    }

    /// Gone at once.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// Lets something go wrong: `route`, `kind`, and how often.
    pub fn fault(&self, route: &str, kind: &str, count: u32, ms: u64) -> Result<()> {
        self.tell("/_sim/fault", &json!({"route": route, "kind": kind, "count": count, "ms": ms}))
    }

    /// Forgets its sessions, and is silent for so long.
    pub fn restart(&self, ms: u64) -> Result<()> {
        self.tell("/_sim/restart", &json!({"ms": ms}))
    }

    /// Shows a session as somebody wants it shown.
    pub fn show(&self, id: &str, what: &Value) -> Result<()> {
        self.tell(&format!("/_sim/session/{id}"), what)
    }

    /// From now on.
    pub fn speed(&self, epoch_ms: u64) -> Result<()> {
        self.tell("/_sim/speed", &json!({"epoch_ms": epoch_ms}))
    }

    /// What it saw.
    pub fn report(&self) -> Result<Value> {
        self.ask("GET", "/_sim/report", None)
    }

    /// How often a session was really started.
    pub fn starts(&self, id: &str) -> Result<u64> {
        Ok(self.report()?["starts"][id].as_u64().unwrap_or(0))
    }

    /// Requests of a route, such as `GET /training/sessions`.
    pub fn requests(&self, route: &str) -> Result<u64> {
        Ok(self.report()?["requests"][route].as_u64().unwrap_or(0))
    }

    fn tell(&self, path: &str, body: &Value) -> Result<()> {
        self.ask("POST", path, Some(body)).map(drop)
    }

    /// One exchange, as any client could make it.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        http::ask(self.port, method, path, body)
    }
}
