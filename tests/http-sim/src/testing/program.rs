//! A simulator as a process, and the plainest of clients.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Long for everything that is not meant to hang.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Program {
    child: Child,
    pub address: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
    /// The client's patience ended first.
    Open,
}

/// Everything that came until then.
#[derive(Clone, Debug)]
pub struct Reply {
    pub end: End,
    pub took: Duration,
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    fn read(end: End, took: Duration, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let head = text.split_once("\r\n\r\n").map_or_else(String::new, |(head, _)| head.to_lowercase());
        let body = if head.is_empty() { bytes } else { &bytes[head.len() + 4..] }.to_vec();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { end, took, status, head, body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends one request on a connection of its own, and reads until it ends.
pub fn exchange(address: &str, request: &str, patience: Duration) -> Reply {
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

pub fn request(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{line} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

impl Program {
    /// The program at a path, on a free port.
    pub fn start(path: &str, arguments: &str) -> Self {
        let mut command = Command::new(path);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments.split_whitespace());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, address: ready["listening"].as_str().unwrap().to_owned() }
    }

    /// Its exit code after a signal.
    pub fn stop(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }

    pub fn get(&self, path: &str) -> Reply {
        exchange(&self.address, &request(&format!("GET {path}"), "", ""), PATIENCE)
    }

    pub fn delete(&self, path: &str) -> Reply {
        exchange(&self.address, &request(&format!("DELETE {path}"), "", ""), PATIENCE)
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_for(path, body, PATIENCE)
    }

    pub fn post_for(&self, path: &str, body: &Value, patience: Duration) -> Reply {
        let headers = "content-type: application/json\r\n";
        exchange(&self.address, &request(&format!("POST {path}"), headers, &body.to_string()), patience)
    }

    pub fn steer(&self, path: &str, body: &Value) {
        let reply = self.post(&format!("/_sim/{path}"), body);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }

    pub fn report(&self) -> Value {
        self.get("/_sim/report").json()
    }

    /// All requests so far.
    pub fn requests(&self) -> u64 {
        self.report()["requests"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
    }
}

/// The only wait.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
