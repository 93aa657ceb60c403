//! Recorded exchanges with the real services, as files.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::program;

/// One request and what the real service answered.
pub(crate) struct Transcript {
    /// Method and path.
    line: String,
    headers: String,
    body: String,
    pub(crate) answer: Recorded,
}

pub(crate) struct Recorded {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

/// The names of all files.
pub(crate) fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter_map(|name| name.strip_suffix(".http").map(str::to_owned)).collect();
    names.sort();
    names
}

impl Transcript {
    pub(crate) fn read(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(format!("{name}.http"))).unwrap_or_else(|_| panic!("no {name}"));
        let (request, response) = text.split_once("--- response").unwrap();
        let request = request.lines().skip_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let mut head = head.lines();
        let line = head.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        let kept = head.filter(|line| !line.starts_with("Host"));
        let headers = kept.flat_map(|line| [line, "\r\n"]).collect();
        let answer = response.split_once('\n').unwrap().1;
        Self { line, headers, body: body.trim_end().to_owned(), answer: Recorded::read(answer) }
    }

    pub(crate) fn request(&self) -> String {
        program::request(&self.line, &self.headers, &self.body)
    }
}

impl Recorded {
    fn read(text: &str) -> Self {
        let status = text.strip_prefix("HTTP/1.1 ").unwrap().split(' ').next().unwrap().parse().unwrap();
        let (head, body) = text.split_once("\n\n").unwrap();
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: serde_json::from_str(body).unwrap() }
    }
}
