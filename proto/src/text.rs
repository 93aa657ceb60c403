//! Texts that may quote a stranger, such as a gateway, a host or a file, on their way to a terminal or a log.

use std::borrow::Cow;

/// What a terminal would obey, and what turns the direction of writing, is escaped. Line ends stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if obeyed(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

/// The same for a name or a remark: on one line.
pub fn one_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// So many characters of it: what follows is told by an ellipsis.
pub fn beginning(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

fn obeyed(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\n') || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert!(matches!(printable("Apple Inc. – é\n2"), Cow::Borrowed(_)));
        assert_eq!(printable("a\u{1b}[31m\tb\u{9b}2J\u{202e}c\r\n"), "a\\u{1b}[31m\\tb\\u{9b}2J\\u{202e}c\\r\n");
        assert_eq!(one_line("a\nb\u{7}"), "a b\\u{7}");
    }

    #[test]
    fn a_beginning_says_that_there_is_more() {
        assert!(matches!(beginning("é1", 2), Cow::Borrowed("é1")));
        assert_eq!(beginning("é12", 2), "é1…");
        assert_eq!(beginning("é", 0), "…");
    }
}
