//! Every command that a document or a hint names in a sentence is one that the program takes. Those in blocks are run (`tests/e2e/docs/`).

use std::{collections::BTreeSet, fs, path::Path};

use clap::error::ErrorKind;
use ktrdr_proto::reason;
use pulldown_cmark::{Event, Options, Parser};

/// What stands for a value that must have a form of its own.
const VALUES: [(&str, &str); 8] = [
    ("TIMEFRAME", "1h"),
    ("TF", "1h"),
    ("START", "2024-01-01"),
    ("END", "2024-02-01"),
    ("TF1", "1h"),
    ("N", "5"),
    ("S", "5"),
    ("SECONDS", "5"),
];
/// One of the old system that this one does not have, and one that somebody may add.
const NOT_OURS: [&str; 2] = ["ktrdr models test", "ktrdr data foo"];

/// The command lines of a text: alternatives that stand with `|` or `/` in one word, each.
fn alternatives(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let apart = |word: &str| word.replace("\\|", "|");
        let word = apart(word);
        let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let parts: Vec<&str> = word.split(['|', '/']).collect();
        let parts = if parts.len() > 1 && parts.iter().all(|part| is_name(part)) { parts } else { vec![word.as_str()] };
        lines = lines.iter().flat_map(|line| parts.iter().map(move |part| format!("{line} {part}"))).collect();
    }
    lines.iter().map(|line| line.trim().to_owned()).collect()
}

/// Whether the program takes it. One that lacks an argument is the name of a command.
fn is_taken(line: &str) -> Result<(), String> {
    let plain = line.split(" > ").next().unwrap_or(line);
    let words = plain.split_whitespace().filter(|word| *word != "…");
    let value = |word: &str| {
        let word = word.trim_matches(['[', ']']).trim_matches('\'').trim_end_matches('…');
        VALUES.iter().find(|(name, _)| *name == word).map_or_else(|| word.to_owned(), |(_, value)| (*value).to_owned())
    };
    let words: Vec<String> = words.map(value).filter(|word| !word.is_empty()).collect();
    match ktrdr::command().try_get_matches_from(words) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
            _ => Err(format!("{line}: {}", error.to_string().lines().next().unwrap_or_default())),
        },
    }
}

/// The command lines in code of a document, with or without the name of the program.
fn commands(text: &str) -> Vec<String> {
    let groups: Vec<String> =
        ktrdr::command().get_subcommands().map(|group| group.get_name().to_owned()).chain(["ops".to_owned()]).collect();
    let line = |code: &str| {
        let (first, rest) = code.split_once(' ')?;
        if first == "ktrdr" {
            return Some(code.to_owned());
        }
        let is_command =
            groups.iter().any(|group| group == first) && rest.starts_with(|c: char| c.is_ascii_lowercase());
        is_command.then(|| format!("ktrdr {code}"))
    };
    let codes = Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Code(code) => line(&code),
        _ => None,
    });
    codes.flat_map(|line| alternatives(&line)).collect()
}

#[test]
fn every_command_in_a_sentence_is_one_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let (mut wrong, mut not_ours, mut seen) = (Vec::new(), BTreeSet::new(), 0);
    for path in pages.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        for line in commands(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            match is_taken(&line) {
                Err(_) if NOT_OURS.contains(&line.as_str()) => drop(not_ours.insert(line)),
                Err(error) => wrong.push(format!("{}: {error}", path.file_name().unwrap().display())),
                Ok(()) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(not_ours.len(), NOT_OURS.len(), "only {not_ours:?} are still named");
    assert!(seen > 150, "only {seen}");
}

/// A hint is a sentence with a command in it: that begins with `ktrdr`, and ends before the next mark or at the end of its words.
#[test]
fn every_command_in_a_hint_is_one_that_there_is() {
    let mut seen = 0;
    for reason in reason::ALL {
        let hint = reason
            .hint
            .replace(['{', '}'], "")
            .replace("timeframe", "1h")
            .replace("symbol", "AAPL")
            .replace("operation ", "ID ");
        for (at, _) in hint.match_indices("ktrdr ") {
            let command = hint[at..].split([';', ':', ',', '.', '?', '(']).next().unwrap_or_default();
            let words: Vec<&str> = command.split_whitespace().collect();
            // the sentence may go on behind it: the longest beginning that is a command, but no shorter than its name
            let taken = (3..=words.len()).rev().any(|end| is_taken(&words[..end].join(" ")).is_ok());
            assert!(taken || words.len() < 3 && is_taken(command).is_ok(), "{}: {command}", reason.name);
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen}");
}

#[test]
fn a_command_that_is_not_there_is_noticed() {
    let text = "`ktrdr data rnage AAPL` and `data show AAPL --rwos 3`, `ktrdr data show/list`, `data.dir`";
    let wrong: Vec<_> = commands(text).iter().filter_map(|line| is_taken(line).err()).collect();
    assert_eq!(commands(text).len(), 4);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}
