//! Recorded exchanges with the real services, as files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program;

/// One request and what the real service answered.
#[derive(Debug)]
pub struct Transcript {
    /// Method and path.
    pub line: String,
    headers: String,
    body: String,
    /// None: the client gave up.
    pub answer: Option<Recorded>,
}

#[derive(Debug)]
pub struct Recorded {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// Only the beginning of the body was kept.
    pub cut: bool,
}

/// The names of all files of a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter_map(|name| name.strip_suffix(".http").map(str::to_owned)).collect();
    names.sort();
    names
}

impl Transcript {
    pub fn read(folder: &Path, name: &str) -> Self {
        let text = fs::read_to_string(folder.join(format!("{name}.http"))).unwrap_or_else(|_| panic!("no {name}"));
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

    /// The request, with texts replaced.
    pub fn request(&self, replaced: &[(String, String)]) -> String {
        let replace = |text: &str| replaced.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        program::request(&replace(&self.line), &self.headers, &replace(&self.body))
    }
}

impl Recorded {
    fn read(text: &str) -> Option<Self> {
        let status = text.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
        let (head, body) = text.split_once("\n\n").unwrap();
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (kept, cut) = body.split_once("\n\u{2026}").map_or((body, false), |(kept, _)| (kept, true));
        Some(Self { status, headers, body: if cut { mended(kept) } else { serde_json::from_str(kept).unwrap() }, cut })
    }
}

/// What remains of a document that was cut: up to the last value that is whole.
fn mended(text: &str) -> Value {
    let ends = text.char_indices().rev().map(|(at, _)| at);
    let mended = ends.filter(|at| matches!(text.as_bytes()[*at], b',' | b'{' | b'[')).find_map(|at| {
        let kept = text[..=at].trim_end_matches(',');
        serde_json::from_str(&format!("{kept}{}", closing(kept))).ok()
    });
    mended.unwrap()
}

fn closing(text: &str) -> String {
    let (mut open, mut quoted, mut escaped) = (Vec::new(), false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => drop(open.pop()),
            _ => {}
        }
    }
    open.iter().rev().collect()
}

#[test]
fn cut_documents_are_mended() {
    assert_eq!(mended(r#"{"a": [1, {"b": "x,y", "c": "un"#), serde_json::json!({"a": [1, {"b": "x,y"}]}));
}
