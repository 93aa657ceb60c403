//! Fields ended by NUL, taken apart and put together.

use std::fmt::{Display, Write as _};
use std::str::{FromStr, Split};

/// What is missing or does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The fields of a body, one after the other.
pub(super) struct Fields<'a>(Split<'a, char>);

impl<'a> Fields<'a> {
    /// `None` if the body is cut short: its last field has no end.
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(body.strip_suffix(b"\0")?).ok()?;
        Some(Self(text.split('\0')))
    }

    pub(super) fn word(&mut self) -> Result<&'a str, Unreadable> {
        self.0.next().ok_or(Unreadable)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), Unreadable> {
        (0..count).try_for_each(|_| self.word().map(drop))
    }

    pub(super) fn number<T: FromStr>(&mut self) -> Result<T, Unreadable> {
        self.word()?.parse().map_err(|_| Unreadable)
    }

    /// Empty is "not said".
    pub(super) fn text(&mut self) -> Result<Option<String>, Unreadable> {
        Ok(Some(self.word()?).filter(|word| !word.is_empty()).map(str::to_owned))
    }

    /// A number of which zero and empty are "not said".
    pub(super) fn figure(&mut self) -> Result<Option<f64>, Unreadable> {
        let figure = match self.word()? {
            "" => 0.0,
            word => word.parse().map_err(|_| Unreadable)?,
        };
        Ok((figure != 0.0).then_some(figure))
    }

    pub(super) fn flag(&mut self) -> Result<Option<bool>, Unreadable> {
        match self.word()? {
            "1" | "true" => Ok(Some(true)),
            "" | "0" | "false" => Ok(Some(false)),
            _ => Err(Unreadable),
        }
    }
}

/// A message being written.
pub(super) struct Line(String);

impl Line {
    pub(super) fn new(id: u32) -> Self {
        Self(format!("{id}\0"))
    }

    /// One more field. A NUL inside would be two.
    pub(super) fn add(&mut self, field: impl Display) -> &mut Self {
        let start = self.0.len();
        // Writing to memory does not fail.
        write!(self.0, "{field}").ok();
        if self.0[start..].contains('\0') {
            let clean = self.0[start..].replace('\0', " ");
            self.0.replace_range(start.., &clean);
        }
        self.0.push('\0');
        self
    }

    /// Nothing when it is not said.
    pub(super) fn maybe(&mut self, field: Option<&impl Display>) -> &mut Self {
        match field {
            Some(field) => self.add(field),
            None => self.add(""),
        }
    }

    /// Words for people: other letters than ASCII as `\uXXXX`.
    pub(super) fn words(&mut self, text: Option<&String>) -> &mut Self {
        let mut plain = String::new();
        for unit in text.map(String::as_str).unwrap_or_default().encode_utf16() {
            match u8::try_from(unit).ok().filter(u8::is_ascii) {
                Some(letter) => plain.push(char::from(letter)),
                None => {
                    write!(plain, "\\u{unit:04x}").ok();
                }
            }
        }
        self.add(plain)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
