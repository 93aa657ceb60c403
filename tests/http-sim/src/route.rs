//! Which route a request asks for, with the answers of the Python framework to wrong ones.

use std::fmt::Debug;

use crate::faults::FaultKind;

/// Route, method, path, and the name faults know it by.
pub type Row<R> = (R, &'static str, &'static str, &'static str);

/// The routes of a service.
pub trait Route: Copy + Eq + Debug + Send + Sync + 'static {
    const ROWS: &'static [Row<Self>];
    /// What can go wrong on them.
    const FAULTS: &'static [FaultKind];

    /// Method and path, as the report counts it.
    fn key(self) -> String {
        row(self).map_or_else(String::new, |row| format!("{} {}", row.1, row.2))
    }

    fn fault_name(self) -> &'static str {
        row(self).map_or("", |row| row.3)
    }

    /// Counts for the most requests that were open at once.
    fn weighs(self) -> bool {
        false
    }
}

fn row<R: Route>(route: R) -> Option<&'static Row<R>> {
    R::ROWS.iter().find(|row| row.0 == route)
}

/// What a request line leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<R> {
    /// A route, and what stands for the part of its path that is in braces.
    Route(R, String),
    Nowhere,
    MethodNotAllowed {
        allow: String,
    },
    /// To the same path without its slash at the end.
    Redirect {
        location: String,
    },
}

impl<R: Route> Found<R> {
    /// The path as it was sent. It is decoded before it is matched, so an id with a slash leads nowhere.
    pub fn of(serves: impl Fn(R) -> bool, method: &str, path: &str) -> Self {
        let path = decode(path);
        let matching = matches_of(&serves, &path);
        match matching.iter().find(|(row, _)| row.1 == method) {
            Some((row, part)) => Self::Route(row.0, part.clone()),
            None if !matching.is_empty() => {
                Self::MethodNotAllowed { allow: matching.iter().map(|(row, _)| row.1).collect::<Vec<_>>().join(", ") }
            }
            None => elsewhere(&serves, &path),
        }
    }

    pub(crate) fn route(&self) -> Option<R> {
        match self {
            Self::Route(route, _) => Some(*route),
            _ => None,
        }
    }
}

fn elsewhere<R: Route>(serves: &impl Fn(R) -> bool, path: &str) -> Found<R> {
    match path.strip_suffix('/') {
        Some(shorter) if shorter != "/health" && !matches_of(serves, shorter).is_empty() => {
            Found::Redirect { location: shorter.to_owned() }
        }
        _ => Found::Nowhere,
    }
}

fn matches_of<R: Route>(serves: &impl Fn(R) -> bool, path: &str) -> Vec<(&'static Row<R>, String)> {
    R::ROWS.iter().filter(|row| serves(row.0)).filter_map(|row| part_in(row.2, path).map(|part| (row, part))).collect()
}

/// What stands where the pattern has braces; empty for a pattern without.
fn part_in(pattern: &str, path: &str) -> Option<String> {
    let braces = pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)));
    let Some((before, after)) = braces else {
        return (pattern == path).then(String::new);
    };
    let part = path.strip_prefix(before)?.strip_suffix(after)?;
    (!part.is_empty() && !part.contains('/')).then(|| part.to_owned())
}

/// Percent-decoding; what does not decode stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        if let Some(escaped) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(escaped);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The value of a key in a query.
pub fn query_value(query: &str, key: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| decode(&value.replace('+', " ")))
}

#[cfg(test)]
mod tests {
    use super::{decode, query_value};

    #[test]
    fn escapes_decode_and_wrong_ones_stay() {
        assert_eq!(decode("a%2Fb%c3%a4%zz%4"), "a/b\u{e4}%zz%4");
        assert_eq!(query_value("a=1&reason=by+the%20user", "reason").as_deref(), Some("by the user"));
        assert_eq!(query_value("a=1&symbol=BRK+B", "symbol").as_deref(), Some("BRK B"));
        assert_eq!(query_value("a=1", "reason"), None);
    }
}
