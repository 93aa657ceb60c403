//! Who asks over HTTP cannot take the daemon from the others: crowds, clients that do not read, pages in a browser.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    programs::programs,
    wait,
};
use serde_json::{Value, json};

use crate::{
    old_service::serving,
    support::{SCALE, document},
};

fn connected(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(wait::LIMIT))?;
    Ok(stream)
}

/// What is told on a socket.
pub(crate) fn metrics_on(socket: &Path) -> Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Status, head and body of one exchange; `head` are further lines of the request's.
fn asked(port: u16, line: &str, head: &str, body: &str) -> Result<(u16, String, Vec<u8>)> {
    let mut stream = connected(port)?;
    let length = body.len();
    write!(stream, "{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no end of the head")?;
    let head = String::from_utf8(answer[..end].to_vec())?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, head.to_ascii_lowercase(), answer.split_off(end + 4)))
}

/// The pieces of a body that has no length.
fn pieces(mut body: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").context("cut in the length of a piece")?;
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end])?, 16)?;
        let piece = body.get(end + 2..end + 2 + length).context("cut in a piece")?;
        if length == 0 {
            return Ok(found);
        }
        found.push(piece.to_vec());
        body = &body[end + 2 + length + 2..];
    }
}

#[test]
fn clients_that_ask_and_do_not_read_keep_nobody_from_the_metrics() -> Result<()> {
    let mut home = Home::new()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    home.set("KTRDR_OBSERVE_METRICS", format!("127.0.0.1:{port}"));
    let _daemon = TestDaemon::start_in(home)?;
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500);
    let mut deaf = Vec::new();
    // more than there are places; each asks for far more than a socket holds
    for _ in 0..40 {
        let mut stream = connected(port)?;
        stream.set_nonblocking(true)?;
        // as much as it takes
        drop(stream.write(request.as_bytes()));
        deaf.push(stream);
    }
    let (status, _, body) = asked(port, "GET /metrics", "Host: localhost\r\n", "")?;
    ensure!(status == 200 && body.ends_with(b"# EOF\n"));
    Ok(())
}

#[test]
fn a_long_answer_comes_in_pieces_and_those_who_do_not_take_it_cost_no_memory() -> Result<()> {
    const RANGE: &str = r#"{"symbol":"AAPL","timeframe":"1m","start":"2024-06-03","end":"2024-06-29"}"#;
    const HEAD: &str = "Host: localhost\r\nContent-Type: application/json\r\n";
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let (daemon, port) = serving(home_with(&sim)?)?;
    document(&daemon, "data load AAPL -t 1m --start 2024-06-03 --end 2024-06-30")?;
    let shown = document(&daemon, "data show AAPL -t 1m --start 2024-06-03 --end 2024-06-29 --rows 1")?;

    let (status, head, body) = asked(port, "POST /data/historical", HEAD, RANGE)?;
    ensure!(status == 200 && head.contains("transfer-encoding: chunked"), "{head}");
    let pieces = pieces(&body)?;
    ensure!(pieces.len() > 5 && pieces.iter().all(|piece| piece.len() < 1 << 20), "{} pieces", pieces.len());
    let answer: Value = serde_json::from_slice(&pieces.concat())?;
    let bars: Value = serde_json::from_str(answer["data"].as_str().context("no text")?)?;
    let count = bars.as_object().context("no bars")?.len();
    ensure!(count > 15_000 && answer["rows"] == count && answer["success"] == true, "{count} bars");
    ensure!(count as u64 == shown["total_rows"].as_u64().unwrap_or(u64::MAX), "{count} of {shown}");

    let before = daemon.status()?.memory_bytes;
    let mut deaf = Vec::new();
    for _ in 0..40 {
        let mut stream = connected(port)?;
        let length = RANGE.len();
        write!(stream, "POST /data/historical HTTP/1.1\r\nContent-Length: {length}\r\n{HEAD}\r\n{RANGE}")?;
        deaf.push(stream);
    }
    for stream in &deaf {
        ensure!(stream.peek(&mut [0])? == 1, "one was not answered");
    }
    let grown = daemon.status()?.memory_bytes.saturating_sub(before);
    let text = pieces.iter().map(Vec::len).sum::<usize>() as u64;
    ensure!(grown < text * 20, "{grown} bytes for forty answers of {text}");
    Ok(())
}

#[test]
fn a_page_in_a_browser_cannot_have_bars_loaded() -> Result<()> {
    let (daemon, port) = serving(Home::new()?)?;
    for head in [
        "Host: evil.test\r\n",
        "Host: localhost\r\nOrigin: https://evil.test\r\n",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
    ] {
        let (status, _, body) = asked(port, "GET /data/symbol-info/AAPL", head, "")?;
        let told: Value = serde_json::from_slice(&body)?;
        ensure!(status == 403 && told["detail"].as_str().is_some_and(|why| why.contains("the request")), "{told}");
    }
    let (status, _, body) = asked(port, "GET /health", "Host: 127.0.0.1:5001\r\n", "")?;
    let told: Value = serde_json::from_slice(&body)?;
    ensure!(status == 200 && told["healthy"] == json!(true), "{told}");
    daemon.terminate()?;
    Ok(())
}

#[test]
fn a_socket_on_which_somebody_answers_is_left_to_them() -> Result<()> {
    let mut home = Home::new()?;
    let taken = home.path().join("taken.sock");
    let _other = UnixListener::bind(&taken)?;
    let own = home.socket();
    for (path, why) in [(taken, "somebody listens there"), (own, "the daemon's own socket")] {
        home.set("KTRDR_OBSERVE_METRICS", path.display().to_string());
        let output = home.command(&programs()?.ktrdrd).output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(2) && text.contains(why), "{text}");
    }
    ensure!(home.path().join("taken.sock").exists(), "it was removed");
    Ok(())
}
