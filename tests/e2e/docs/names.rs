//! What a document names is there: links and their anchors, files, tests, variables, aliases of cargo.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, ensure};

use super::markdown::{Document, root};

/// Variables of the old system, which nothing of ours reads.
const OF_THE_OLD_SYSTEM: [&str; 1] = ["KTRDR_API_URL"];
/// A file that somebody may add.
const OF_NOBODY: &str = "cli/src/commands/data/foo.rs";
/// What cargo has without us.
const OF_CARGO: [&str; 9] = ["build", "test", "bench", "install", "deb", "deny", "nextest", "run", "doc"];

/// Files of the project, from the root, and their text where that is short.
fn sources() -> Result<BTreeMap<String, String>> {
    let (root, mut folders, mut found) = (root(), vec![root()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)?.flatten() {
            let path = entry.path();
            let name = path.strip_prefix(&root)?.display().to_string();
            if name == ".git" || name == "target" || name.ends_with("__pycache__") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name, fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    Ok(found)
}

fn each_code(check: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let documents = Document::all()?;
    let found = documents.iter().flat_map(|document| {
        let name = &document.name;
        let wrong = document.code().into_iter().filter(|(code, _)| !check(code));
        wrong.map(move |(code, line)| format!("{name}:{line}: {code}")).collect::<Vec<_>>()
    });
    Ok(found.collect())
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut wrong = Vec::new();
    for document in Document::all()? {
        let folder = Path::new(&document.name).parent().unwrap_or(Path::new("")).to_path_buf();
        for link in document.links().iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { Path::new(&document.name).to_path_buf() } else { folder.join(file) };
            let there = root().join(&path);
            let has_anchor = || -> Result<bool> {
                let text = fs::read_to_string(&there)?;
                Ok(Document { name: path.display().to_string(), text }.anchors().contains(&anchor.to_owned()))
            };
            if !there.exists() || !anchor.is_empty() && !has_anchor()? {
                wrong.push(format!("{}: {link}", document.name));
            }
        }
    }
    ensure!(wrong.is_empty(), "lead nowhere:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_file_that_is_named_is_there() -> Result<()> {
    let sources = sources()?;
    let is_file = |code: &str| {
        let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let ours = [".rs", ".py", ".md", ".proto", ".c"];
        plain && !code.starts_with('/') && ours.iter().any(|end| code.ends_with(end) && code.len() > end.len())
    };
    let there = |code: &str| {
        let code = code.trim_start_matches("../");
        sources.keys().any(|path| path == code || path.ends_with(&format!("/{code}")))
    };
    let wrong = each_code(|code| !is_file(code) || code == OF_NOBODY || there(code))?;
    ensure!(wrong.is_empty(), "not there:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_test_and_every_variable_that_is_named_is_there() -> Result<()> {
    let sources = sources()?;
    let code: Vec<&String> = sources
        .iter()
        .filter(|(name, _)| name.starts_with(".ci/") || Path::new(name).extension().is_some_and(|end| end == "rs"))
        .map(|(_, text)| text)
        .collect();
    let is_test = |code: &str| {
        // metrics are held elsewhere
        let is_metric = code.starts_with("ktrdr_") || code.starts_with("process_");
        !is_metric
            && code.matches('_').count() > 3
            && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let wrong = each_code(|name| !is_test(name) || code.iter().any(|text| text.contains(&format!("fn {name}("))))?;
    ensure!(wrong.is_empty(), "no such test:\n{}", wrong.join("\n"));

    let mut wrong = BTreeSet::new();
    for document in Document::all()? {
        for (_, rest) in document.text.match_indices("KTRDR_").map(|(at, part)| document.text.split_at(at + part.len()))
        {
            let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(rest.len());
            let name = format!("KTRDR_{}", &rest[..end]);
            // as a word of its own, in quotes or in a script
            let known = |text: &&String| {
                text.match_indices(&name)
                    .any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_ascii_uppercase() || c == '_'))
            };
            if !OF_THE_OLD_SYSTEM.contains(&name.as_str()) && !code.iter().any(known) {
                wrong.insert(format!("{}: {name}", document.name));
            }
        }
    }
    ensure!(wrong.is_empty(), "nothing reads these: {wrong:?}");
    Ok(())
}

#[test]
fn every_command_of_cargo_and_every_bench_that_is_named_is_there() -> Result<()> {
    let sources = sources()?;
    let aliases = sources.get(".cargo/config.toml").context("the aliases")?;
    let known = |word: &str| OF_CARGO.contains(&word) || aliases.contains(&format!("\n{word} = "));
    let manifests: String =
        sources.iter().filter(|(name, _)| name.ends_with("Cargo.toml")).map(|(_, text)| text.as_str()).collect();
    let mut wrong = Vec::new();
    for document in Document::all()? {
        let lines =
            document.blocks().into_iter().flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>());
        for line in lines.chain(document.code().into_iter().map(|(code, _)| code)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            for pair in words.windows(2) {
                let found = match *pair {
                    ["cargo", word] => known(word.trim_end_matches([':', ',', ';'])),
                    ["--bench" | "-p" | "--test", word] if line.contains("cargo ") => {
                        manifests.contains(&format!("name = \"{word}\""))
                            || sources.keys().any(|path| path.ends_with(&format!("tests/{word}.rs")))
                    }
                    _ => true,
                };
                if !found {
                    wrong.push(format!("{}: {line}", document.name));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "not there:\n{}", wrong.join("\n"));
    Ok(())
}
