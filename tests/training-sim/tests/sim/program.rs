//! A simulator as a process, and the plainest of clients.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Long for everything that is not meant to hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
    /// The client's patience ended first.
    Open,
}

/// Everything that came until then.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) end: End,
    pub(crate) took: Duration,
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn read(end: End, took: Duration, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let head = text.split_once("\r\n\r\n").map_or_else(String::new, |(head, _)| head.to_lowercase());
        let body = if head.is_empty() { bytes } else { &bytes[head.len() + 4..] }.to_vec();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { end, took, status, head, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends one request on a connection of its own, and reads until it ends.
pub(crate) fn exchange(address: &str, request: &str, patience: Duration) -> Reply {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let end = match stream.read_to_end(&mut bytes) {
        Ok(_) => End::Closed,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
        Err(_) => End::Open,
    };
    Reply::read(end, begun.elapsed(), &bytes)
}

pub(crate) fn request(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{line} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

/// Three maps that start a session.
pub(crate) fn maps(id: &str, epochs: &Value) -> Value {
    json!({
        "session_id": id, "model_configuration": {}, "training_configuration": { "epochs": epochs },
        "data_configuration": { "symbols": ["AAPL"], "timeframes": ["1h"] },
    })
}

/// A strategy that starts a session.
pub(crate) fn strategy(id: &str, epochs: u32) -> Value {
    let yaml = format!("name: demo\nmodel:\n  training:\n    epochs: {epochs}\n");
    json!({ "task_id": id, "strategy_yaml": yaml, "symbols": ["AAPL"], "timeframes": ["1h"] })
}

impl Program {
    pub(crate) fn start(arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ktrdr-training-sim"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments.split_whitespace());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, address: ready["listening"].as_str().unwrap().to_owned() }
    }

    /// Its exit code after a signal.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        exchange(&self.address, &request(&format!("GET {path}"), "", ""), PATIENCE)
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        exchange(&self.address, &request(&format!("DELETE {path}"), "", ""), PATIENCE)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_for(path, body, PATIENCE)
    }

    pub(crate) fn post_for(&self, path: &str, body: &Value, patience: Duration) -> Reply {
        let headers = "content-type: application/json\r\n";
        exchange(&self.address, &request(&format!("POST {path}"), headers, &body.to_string()), patience)
    }

    pub(crate) fn steer(&self, path: &str, body: &Value) {
        let reply = self.post(&format!("/_sim/{path}"), body);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }

    pub(crate) fn report(&self) -> Value {
        self.get("/_sim/report").json()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.report()["requests"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
    }

    /// Waits until a session has a status.
    pub(crate) fn until(&self, id: &str, status: &str) {
        until(&format!("{id:?} to be {status}"), || {
            let report = self.report();
            let rows = report["sessions"].as_array().unwrap();
            rows.iter().any(|row| row["id"] == id && row["status"] == status)
        });
    }
}

/// The only wait.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
