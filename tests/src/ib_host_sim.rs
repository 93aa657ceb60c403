//! The real `ktrdr-ib-host-sim`: the old HTTP service in front of a gateway, with the market of the simulated one.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{gateway_sim::ready_line, http, process::Process, programs::programs};

/// A simulated IB host service at work.
#[derive(Debug)]
pub struct IbHostSim {
    process: Process,
    port: u16,
}

impl IbHostSim {
    /// On a free port; `flags` are those of its command line.
    pub fn start(flags: &str) -> Result<Self> {
        Self::start_on(0, flags)
    }

    /// On a port of one's own.
    pub fn start_on(port: u16, flags: &str) -> Result<Self> {
        let mut command = std::process::Command::new(&programs()?.ib_host_sim);
        command
            .env_clear()
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(flags.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process::start(command)?;
        let port = ready_line(&mut process).context("the simulated IB host service did not come up")?;
        Ok(Self { process, port })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Gone at once.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// Its gateway goes away, or comes back.
    pub fn gateway_down(&self, down: bool) -> Result<()> {
        http::ask(self.port, "POST", "/_sim/gateway", Some(&json!({"down": down}))).map(drop)
    }

    /// Lets something go wrong.
    pub fn fault(&self, route: &str, kind: &str, count: u32, ms: u64) -> Result<()> {
        let fault = json!({"route": route, "kind": kind, "count": count, "ms": ms});
        http::ask(self.port, "POST", "/_sim/fault", Some(&fault)).map(drop)
    }

    /// Requests of a route, such as `POST /data/historical`.
    pub fn requests(&self, route: &str) -> Result<u64> {
        let report: Value = http::ask(self.port, "GET", "/_sim/report", None)?;
        Ok(report["requests"][route].as_u64().unwrap_or(0))
    }
}
