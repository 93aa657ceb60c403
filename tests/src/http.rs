//! One exchange with a simulated HTTP service, as any client could make it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::wait;

/// On a connection of its own, in JSON; anything but a success is an error.
pub fn ask(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let answer = text(port, method, path, &body.map(Value::to_string).unwrap_or_default())?;
    Ok(serde_json::from_str(&answer).unwrap_or_default())
}

/// Status and body, whatever the status.
pub fn exchange(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, String)> {
    let answer = raw(port, method, path, &body.map(Value::to_string).unwrap_or_default())?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { bail!("no answer to {method} {path}: {answer:?}") };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    Ok((status, body.to_owned()))
}

/// The same in any other form.
pub fn text(port: u16, method: &str, path: &str, body: &str) -> Result<String> {
    let answer = raw(port, method, path, body)?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { bail!("no answer to {method} {path}: {answer:?}") };
    ensure!(head.starts_with("HTTP/1.1 2"), "{method} {path} was answered with {answer}");
    Ok(body.to_owned())
}

fn raw(port: u16, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(wait::LIMIT))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
