//! The documents as people read them: blocks of code, headings, links, words in code.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// The folder that holds all of it.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A page of `docs/`, or the README.
#[derive(Debug)]
pub(super) struct Document {
    /// From the root: `docs/DATA.md`.
    pub(super) name: String,
    pub(super) text: String,
}

/// A block of code.
#[derive(Debug)]
pub(super) struct Block {
    /// `sh`, `console`, `toml`, …; empty when it says none.
    pub(super) language: String,
    pub(super) text: String,
    /// Of its first line.
    pub(super) line: usize,
    /// Of the whole block, marks included.
    pub(super) range: Range<usize>,
}

impl Document {
    pub(super) fn read(name: &str) -> Result<Self> {
        let text = fs::read_to_string(root().join(name)).with_context(|| format!("cannot read {name}"))?;
        Ok(Self { name: name.to_owned(), text })
    }

    /// The README and every page.
    pub(super) fn all() -> Result<Vec<Self>> {
        let pages = fs::read_dir(root().join("docs"))?.flatten().map(|entry| entry.path());
        let pages = pages.filter(|path| path.extension().is_some_and(|end| end == "md"));
        let mut names: Vec<String> =
            pages.filter_map(|path| Some(format!("docs/{}", path.file_name()?.display()))).collect();
        names.push("README.md".to_owned());
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    pub(super) fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open): (Vec<Block>, bool) = (Vec::new(), false);
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let CodeBlockKind::Fenced(language) = kind else { continue };
                    let line = self.text[..range.start].matches('\n').count() + 2;
                    blocks.push(Block { language: language.to_string(), text: String::new(), line, range });
                    open = true;
                }
                Event::Text(text) if open => {
                    if let Some(block) = blocks.last_mut() {
                        block.text += &text;
                    }
                }
                Event::End(TagEnd::CodeBlock) => open = false,
                _ => {}
            }
        }
        blocks
    }

    /// What stands in code inside of a sentence or a table, and its line.
    pub(super) fn code(&self) -> Vec<(String, usize)> {
        let found = self.events().filter_map(|(event, range)| match event {
            Event::Code(code) => Some((code.to_string(), self.text[..range.start].matches('\n').count() + 1)),
            _ => None,
        });
        found.collect()
    }

    /// Where its links lead.
    pub(super) fn links(&self) -> Vec<String> {
        let found = self.events().filter_map(|(event, _)| match event {
            Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
            _ => None,
        });
        found.collect()
    }

    /// Names of its headings, as a browser of the repository makes them.
    pub(super) fn anchors(&self) -> Vec<String> {
        let (mut anchors, mut heading): (Vec<String>, Option<String>) = (Vec::new(), None);
        for (event, _) in self.events() {
            match (event, &mut heading) {
                (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
                (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(&text),
                (Event::End(TagEnd::Heading(_)), _) => {
                    let name = anchor(&heading.take().unwrap_or_default());
                    let before = anchors
                        .iter()
                        .filter(|other| {
                            other.trim_end_matches(|c: char| c.is_ascii_digit()) == format!("{name}-")
                                || **other == name
                        })
                        .count();
                    anchors.push(if before == 0 { name } else { format!("{name}-{before}") });
                }
                _ => {}
            }
        }
        anchors
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn a_document_is_read_as_it_is_shown() {
    let text = "# A page: `ib status`, too\n\n1. say\n\n   ```sh\n   ktrdr ib\n   ```\n\n```console\n$ ls\n```\n[x](B.md#c) `code`\n# Twice\n# Twice\n";
    let document = Document { name: "A.md".into(), text: text.into() };
    assert_eq!(document.anchors(), ["a-page-ib-status-too", "twice", "twice-1"]);
    assert_eq!(document.links(), ["B.md#c"]);
    assert_eq!(document.code(), [("ib status".to_owned(), 1), ("code".to_owned(), 12)]);
    let blocks = document.blocks();
    let told: Vec<_> = blocks.iter().map(|block| (block.language.as_str(), block.text.as_str(), block.line)).collect();
    assert_eq!(told, [("sh", "ktrdr ib\n", 6), ("console", "$ ls\n", 10)]);
    assert_eq!(&text[blocks[1].range.clone()], "```console\n$ ls\n```");
}
