//! The real `ktrdr-training-sim`, how it is told what to do, and what it saw.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{gateway_sim::ready_line, process::Process, programs::programs, wait};

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

    /// One exchange on a connection of its own, as any client could make it.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(wait::LIMIT))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            bail!("no answer to {method} {path}: {answer:?}")
        };
        ensure!(head.starts_with("HTTP/1.1 2"), "{method} {path} was answered with {answer}");
        Ok(serde_json::from_str(body).unwrap_or_default())
    }
}
