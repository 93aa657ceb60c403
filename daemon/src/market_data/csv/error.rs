//! Why a whole file is refused.

use ktrdr_proto::reason::{self, Reason};

use crate::error::Reasoned;

/// Characters of a header that an error shows.
const SHOWN_MAX: usize = 200;

/// The file is refused; nothing of it can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// No line with anything on it.
    #[error("the file has no header")]
    Empty,
    /// Bytes that no text has, as in a Parquet, gzip or UTF-16 file.
    #[error("line {line} is not UTF-8 text")]
    NotText {
        /// Where.
        line: u64,
    },
    /// The header does not name what a bar needs.
    #[error("{}: {found}", missing(names, *headerless))]
    ColumnMissing {
        /// What it lacks.
        names: Vec<&'static str>,
        /// The header, cut, its control characters escaped.
        found: String,
        /// The first line looks like a row of bars.
        headerless: bool,
    },
    /// Longer than any row of bars.
    #[error("line {line} is longer than 64 KiB")]
    LineTooLong {
        /// Which.
        line: u64,
    },
    /// An intraday stamp without zone, and nobody said which zone is meant.
    #[error("the time on line {line} has no zone")]
    TimeZoneNeeded {
        /// Which.
        line: u64,
    },
    /// More rows than one file may have.
    #[error("the file has more than {rows} rows")]
    TooLarge {
        /// How many it may have.
        rows: u64,
    },
}

impl CsvError {
    pub(super) fn column_missing(names: Vec<&'static str>, header: &str, headerless: bool) -> Self {
        Self::ColumnMissing { names, found: shown(header), headerless }
    }
}

impl Reasoned for CsvError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Empty => &reason::FILE_EMPTY,
            Self::NotText { .. } => &reason::FILE_NOT_CSV,
            Self::ColumnMissing { .. } => &reason::COLUMN_MISSING,
            Self::LineTooLong { .. } => &reason::LINE_TOO_LONG,
            Self::TimeZoneNeeded { .. } => &reason::TIME_ZONE_NEEDED,
            Self::TooLarge { .. } => &reason::FILE_TOO_LARGE,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::ColumnMissing { names, found, .. } => vec![("columns", names.join(", ")), ("header", found.clone())],
            Self::NotText { line } | Self::LineTooLong { line } | Self::TimeZoneNeeded { line } => {
                vec![("line", line.to_string())]
            }
            Self::TooLarge { rows } => vec![("rows", rows.to_string())],
            Self::Empty => Vec::new(),
        }
    }
}

fn missing(names: &[&str], headerless: bool) -> String {
    if headerless {
        "there is no header, the first line is a row".into()
    } else {
        format!("the header lacks {}", names.join(", "))
    }
}

/// Text of a stranger's file, fit for a terminal and for one line.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        let before = shown.len();
        match c {
            // quotes are harmless, and common in headers
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
        if shown.chars().count() > SHOWN_MAX {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_file_is_short_and_harmless() {
        assert_eq!(shown("\"Date\",Préis"), "\"Date\",Préis");
        assert_eq!(shown("a\u{1b}[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
        let long = shown(&"\u{7}é".repeat(40_000));
        assert!(long.chars().count() <= SHOWN_MAX + 1 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn the_text_names_what_is_missing() {
        let error = CsvError::column_missing(vec!["high", "low"], "date,open,close", false);
        assert_eq!(error.to_string(), "the header lacks high, low: date,open,close");
        assert_eq!(error.reason().name, "COLUMN_MISSING");
        assert_eq!(error.metadata()[0], ("columns", "high, low".into()));
    }
}
