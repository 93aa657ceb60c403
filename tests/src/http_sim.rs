//! A simulated HTTP service of the old system as a process, and how it is told what to do.
//!
//! Here is what all of them understand; what only one does stands with that one.

use std::{
    marker::PhantomData,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{
    gateway_sim::ready_line,
    http,
    process::Process,
    programs::{Programs, programs},
};

/// Which service it is.
pub trait Kind {
    /// For messages.
    const NAME: &'static str;

    /// Its program.
    fn program(programs: &Programs) -> &Path;
}

/// A simulated service at work.
#[derive(Debug)]
pub struct HttpSim<K> {
    process: Process,
    port: u16,
    kind: PhantomData<K>,
}

impl<K: Kind> HttpSim<K> {
    /// On a free port; `flags` are those of its command line.
    pub fn start(flags: &str) -> Result<Self> {
        Self::start_on(0, flags)
    }

    /// On a port of one's own, such as that of a service that is no more.
    pub fn start_on(port: u16, flags: &str) -> Result<Self> {
        let mut command = Command::new(K::program(programs()?));
        command
            .env_clear()
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(flags.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process::start(command)?;
        let port = ready_line(&mut process).with_context(|| format!("the simulated {} did not come up", K::NAME))?;
        Ok(Self { process, port, kind: PhantomData })
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Gone at once.
    pub fn kill(mut self) -> Result<()> {
        self.end()
    }

    /// The same for one that is to be replaced.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Lets something go wrong: `route`, `kind`, and how often.
    pub fn fault(&self, route: &str, kind: &str, count: u32, ms: u64) -> Result<()> {
        self.tell("/_sim/fault", &json!({"route": route, "kind": kind, "count": count, "ms": ms}))
    }

    /// What it saw.
    pub fn report(&self) -> Result<Value> {
        self.ask("GET", "/_sim/report", None)
    }

    /// Requests of a route, such as `GET /training/sessions`.
    pub fn requests(&self, route: &str) -> Result<u64> {
        Ok(self.report()?["requests"][route].as_u64().unwrap_or(0))
    }

    /// One exchange, as any client could make it.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        http::ask(self.port, method, path, body)
    }

    pub(crate) fn tell(&self, path: &str, body: &Value) -> Result<()> {
        self.ask("POST", path, Some(body)).map(drop)
    }
}
