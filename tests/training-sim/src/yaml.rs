//! The little that is read of a strategy's YAML, line by line.

/// The number after the first line that begins with a key.
pub(crate) fn number(text: &str, key: &str) -> Option<u32> {
    value(text, key)?.parse().ok()
}

/// The text after the first line that begins with a key, without quotes and comments.
pub(crate) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let found = text.lines().find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(':'))?;
    let plain = found.split(" #").next().unwrap_or(found);
    Some(plain.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

/// What the real parser says to a text that is broken: a line begins with a tab, or a bracket is never closed.
pub(crate) fn complaint(text: &str) -> Option<String> {
    tab(text).or_else(|| unclosed(text))
}

fn tab(text: &str) -> Option<String> {
    let line = text.lines().position(|line| line.starts_with('\t'))? + 1;
    Some(format!(
        "while scanning for the next token\nfound character '\\t' that cannot start any token\n  in \"<unicode string>\", line {line}, column 1"
    ))
}

fn unclosed(text: &str) -> Option<String> {
    let mut open = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (column, letter) in line.chars().enumerate() {
            match letter {
                '[' | '{' => open.push((number, column, line)),
                ']' | '}' => drop(open.pop()),
                _ => {}
            }
        }
    }
    let (number, column, line) = open.first()?;
    let last = text.lines().last().unwrap_or_default();
    Some(format!(
        "while parsing a flow sequence\n{}\nexpected ',' or ']', but got '<stream end>'\n{}",
        place(*number, *column, line),
        place(text.lines().count().saturating_sub(1), last.chars().count(), last)
    ))
}

fn place(number: usize, column: usize, line: &str) -> String {
    let indent = " ".repeat(column + 4);
    format!("  in \"<unicode string>\", line {}, column {}:\n    {line}\n{indent}^", number + 1, column + 1)
}

#[cfg(test)]
mod tests {
    use super::{complaint, number, value};

    #[test]
    fn the_first_of_its_name_counts() {
        let text = "name: \"demo\" # ours\nmodel:\n  training:\n    epochs: 4\ntraining:\n  epochs: 9\n";
        assert_eq!(number(text, "epochs"), Some(4));
        assert_eq!(value(text, "name"), Some("demo"));
        assert_eq!(number(text, "fail_at_epoch"), None);
    }

    #[test]
    fn broken_text_is_told_as_the_parser_does() {
        let expected = "while parsing a flow sequence\n  in \"<unicode string>\", line 1, column 7:\n    name: [unclosed\n          ^\nexpected ',' or ']', but got '<stream end>'\n  in \"<unicode string>\", line 1, column 16:\n    name: [unclosed\n                   ^";
        assert_eq!(complaint("name: [unclosed").as_deref(), Some(expected));
        assert!(complaint("a:\n\tb: 1").unwrap().contains("line 2"));
        assert_eq!(complaint("a: [1, {b: 2}]\n"), None);
    }
}
