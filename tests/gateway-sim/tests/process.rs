//! The program as a process: its line on stdout, its report, its exit codes.
#![expect(clippy::unwrap_used, reason = "a test ends where its process fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ktrdr-gateway-sim"))
}

fn start(report: &Path, more: &[&str]) -> Running {
    let mut command = program();
    command.args(["--listen", "127.0.0.1:0", "--report"]).arg(report).args(more);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    Running { child, address: ready["listening"].as_str().unwrap().to_owned() }
}

fn stop(mut running: Running, signal: Signal) -> Option<i32> {
    kill_process(Pid::from_child(&running.child), signal).unwrap();
    running.child.wait().unwrap().code()
}

fn handshake(address: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"API\0\0\0\0\x09v213..226").unwrap();
    let mut length = [0; 4];
    let read = stream.read_exact(&mut length);
    let mut acknowledgement = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    if read.is_ok() {
        stream.read_exact(&mut acknowledgement).unwrap();
    }
    (stream, String::from_utf8(acknowledgement).unwrap())
}

#[test]
fn a_signal_ends_it_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let path = folder.path().join("report.json");
        let running = start(&path, &[]);
        let (_open, acknowledgement) = handshake(&running.address);
        assert!(acknowledgement.starts_with("226\0"));
        assert_eq!(stop(running, signal), Some(0));
        let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(report["connections"]["total"], 1);
        assert_eq!(report["requests"]["historical_data"], 0);
        assert_eq!((&report["open_requests"], &report["violations"]), (&0.into(), &Value::Array(Vec::new())));
        assert!(report["faults"].is_object());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left behind");
}

#[test]
fn knobs_are_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let old = start(&path, &["--server-version", "187"]);
    assert!(handshake(&old.address).1.starts_with("187\0"));
    assert_eq!(stop(old, Signal::TERM), Some(0));

    let closing = start(
        &path,
        &["--close-in-handshake", "--client-ids-taken", "2", "--answer-delay-ms", "5", "--now", "2025-06-06T00:00:00Z"],
    );
    assert_eq!(handshake(&closing.address).1, "");
    assert_eq!(stop(closing, Signal::TERM), Some(0));
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(report["faults"]["accept_then_close"], 1);
}

#[test]
fn one_that_is_killed_leaves_its_last_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let running = start(&path, &["--chaos", "heavy", "--chaos-seed", "3", "--chaos-for", "60", "--open-cap", "50"]);
    let open = handshake(&running.address);
    let counted = || {
        let report: Value = serde_json::from_slice(&std::fs::read(&path).ok()?).unwrap();
        report["connections"]["total"].as_u64().filter(|total| *total == 1)
    };
    // The next one a second later tells of the connection.
    let limit = Instant::now() + Duration::from_secs(10);
    while counted().is_none() {
        assert!(Instant::now() < limit, "no report");
        std::thread::sleep(Duration::from_millis(20));
    }
    stop(running, Signal::KILL);
    drop(open);
    assert_eq!(counted(), Some(1));
}

#[test]
fn faults_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, faults) = (folder.path().join("report.json"), folder.path().join("faults.toml"));
    std::fs::write(&faults, "[[fault]]\nkind = 'accept_then_close'\n").unwrap();
    let running = start(&path, &["--faults", faults.to_str().unwrap()]);
    assert_eq!(handshake(&running.address).1, "");
    assert!(handshake(&running.address).1.starts_with("226\0"));
    assert_eq!(stop(running, Signal::TERM), Some(0));
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(report["faults"]["accept_then_close"], 1);

    std::fs::write(&faults, "[[fault]]\nkind = 'accept_then_close'\n\n[[fault]]\nkind = 'frieze'\n").unwrap();
    let refused =
        program().args(["--listen", "127.0.0.1:0", "--faults"]).arg(&faults).stdout(Stdio::null()).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("line 5: no fault is called \"frieze\"; there are refused, wedge_accept, "), "{said}");
}

#[test]
fn faults_can_be_listed() {
    let listed = program().arg("--list-faults").output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.status.code(), Some(0));
    assert!(text.lines().count() > 40 && text.contains("\nwedge_accept "), "{text}");
}

#[test]
fn failures_have_their_codes() {
    let code = |arguments: &[&str]| {
        program().args(arguments).stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap().code()
    };
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&[]), Some(2));
    assert_eq!(code(&["--listen", "nowhere"]), Some(2));
    assert_eq!(code(&["--listen", "127.0.0.1:0", "--replay", "no such folder"]), Some(1));
    assert_eq!(code(&["--listen", "127.0.0.1:0", "--time-scale", "0"]), Some(1));
    assert_eq!(code(&["--listen", "127.0.0.1:0", "--faults", "no such file"]), Some(1));
    assert_eq!(code(&["--listen", "127.0.0.1:0", "--chaos", "wild"]), Some(2));
    assert_eq!(code(&["--listen", "127.0.0.1:0", "--chaos-for", "3"]), Some(2));
    assert_eq!(code(&["--listen", "127.0.0.1:0", "--pacing", "fast"]), Some(2));
}
