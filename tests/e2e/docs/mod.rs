//! The documents are true: every command in them runs, with the real programs, and ends as they say; every output that they show is what comes;
//! every file, link and name in them exists. `KTRDR_FREEZE=1` records the outputs that are not alike anew.

mod likeness;
mod markdown;
mod names;
mod shell;
mod world;

use std::{collections::BTreeSet, fmt::Write as _, fs};

use anyhow::{Result, bail, ensure};

use crate::python::{client_wheel, pip, with_client};
use likeness::alike;
use markdown::{Block, Document, root};
use shell::{Typed, script, session};
use world::World;

/// How commands begin that are not run here, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("cargo ", "builds, or takes minutes; the aliases are the demo's and the chaos runs' own tests"),
    ("KTRDR_TEST_KILLS=500 ", "takes minutes; with a few kills it is a test"),
    ("KTRDR_FUZZ_", "takes minutes; a bounded run is a test"),
    ("bash .ci/run", "it is what runs this"),
    ("pip install ", "the tests that need Python install what they need, once"),
    ("python3 -m venv ", "what it installs is measured next"),
    ("venv/bin/python tests/python/speed_client.py", "takes minutes, and wants a machine for itself"),
    ("python -m grpc_tools.protoc", "runs with the blocks of Python, where that is at hand"),
    ("grpcurl ", "is not at hand where tests run; reflection, which it needs, is a test of the wire"),
];

/// Blocks that are not run: their document and first line, and why.
const BLOCKS_NOT_RUN: [(&str, &str, &str); 1] = [(
    "docs/DEVELOPING.md",
    "const QUOTA: Route = Route::get(\"/quota\", 5, 2).cheap();",
    "is the shape of a file that is not there",
)];

/// Languages of blocks that are only looked at; what Node is shown, `node.rs` does.
const SHOWN: [&str; 3] = ["text", "mermaid", "js"];

fn why_not(command: &str) -> Option<&'static str> {
    NOT_RUN.iter().find(|(begins, _)| command.trim_start().starts_with(begins)).map(|(_, why)| *why)
}

fn is_left_out(document: &Document, block: &Block) -> bool {
    let first = block.text.lines().next().unwrap_or_default();
    BLOCKS_NOT_RUN.iter().any(|(name, begins, _)| *name == document.name && first.starts_with(begins))
}

/// What is typed for a block. A file is given to the program that reads it; of what no shell and no program of ours reads, `None`.
fn typed(block: &Block) -> Option<Vec<Typed>> {
    let given = |command: &str| vec![Typed { command: command.to_owned(), line: block.line, shown: Vec::new() }];
    match block.language.as_str() {
        "sh" => Some(script(&block.text, block.line)),
        "console" => Some(session(&block.text, block.line)),
        "toml" => Some(given("ktrdrd --check --config block.toml")),
        "yaml" => Some(given("ktrdr models train block.yaml --dry-run")),
        _ => None,
    }
}

/// Runs a document from its beginning to its end, in a world of its own.
fn runs(name: &str) -> Result<()> {
    let document = Document::read(name)?;
    let mut world = World::new()?;
    let (mut wrong, mut recorded) = (String::new(), Vec::new());
    for block in document.blocks().iter().filter(|block| !is_left_out(&document, block)) {
        let Some(typed) = typed(block) else { continue };
        world.file(&format!("block.{}", block.language), &block.text)?;
        world.settle(&typed.iter().map(|one| one.command.as_str()).collect::<Vec<_>>().join("\n"))?;
        let (mut text, mut differs) = (String::new(), false);
        for one in typed.iter().filter(|one| why_not(&one.command).is_none()) {
            let ended = world.run(&one.command)?;
            let at = format!("{name}:{}: {}", one.line, one.command);
            if block.language != "console" {
                if ended.code != one.expected_exit() {
                    write!(wrong, "{at}\nended with {}:\n{}\n", ended.code, ended.screen)?;
                }
                continue;
            }
            let said: Vec<String> = ended.screen.lines().map(|line| line.trim_end().to_owned()).collect();
            let same = alike(&one.shown, &said);
            if !same {
                write!(wrong, "{at}\nshows\n{}\nand it said\n{}\n\n", one.shown.join("\n"), said.join("\n"))?;
            }
            differs |= !same;
            let lines = if same { &one.shown } else { &said };
            write!(text, "$ {}\n{}{}\n", one.command, lines.join("\n"), if lines.is_empty() { "" } else { "\n" })?;
        }
        if differs {
            recorded.push((block.range.clone(), format!("```console\n{}\n```", text.trim_end())));
        }
    }
    if std::env::var_os("KTRDR_FREEZE").is_some() && !recorded.is_empty() {
        let mut text = document.text;
        for (range, block) in recorded.into_iter().rev() {
            text.replace_range(range, &block);
        }
        fs::write(root().join(name), text)?;
        bail!("{name} is written anew");
    }
    ensure!(wrong.is_empty(), "{wrong}");
    Ok(())
}

macro_rules! run_by_tests {
    ($($test:ident: $name:literal,)*) => {
        const RUN: &[&str] = &[$($name),*];
        $(#[test]
        fn $test() -> Result<()> {
            runs($name)
        })*
    };
}

run_by_tests! {
    the_readme_runs: "README.md",
    data_runs: "docs/DATA.md",
    developing_runs: "docs/DEVELOPING.md",
    gateway_runs: "docs/GATEWAY.md",
    migration_runs: "docs/MIGRATION.md",
    observing_runs: "docs/OBSERVING.md",
    security_runs: "docs/SECURITY.md",
    training_runs: "docs/TRAINING.md",
    troubleshooting_runs: "docs/TROUBLESHOOTING.md",
}

/// Of Python: its own commands, then its blocks as one program.
fn runs_python(name: &str) -> Result<()> {
    with_client(name, |python| {
        let document = Document::read(name)?;
        let mut world = World::new()?;
        if let Some(folder) = python.parent() {
            world.find_first(folder);
        }
        let packages = tempfile::tempdir()?;
        let wheel = client_wheel(python, packages.path())?;
        pip(python, ["install", "--no-deps", "--target"], &[packages.path(), &wheel])?;
        world.set("PYTHONPATH", &packages.path().display().to_string());
        world.settle("ktrdr")?;
        let load = "ktrdr data load AAPL NVDA -t 1h --start 2025-01-01 --end 2025-06-07";
        let mut commands = vec![load.to_owned()];
        let mut program = String::new();
        for block in document.blocks().iter().filter(|block| !is_left_out(&document, block)) {
            match block.language.as_str() {
                "sh" => commands.extend(
                    script(&block.text, block.line)
                        .into_iter()
                        .map(|one| one.command)
                        .filter(|line| line.starts_with("python ")),
                ),
                "python" => program += &block.text,
                _ => {}
            }
        }
        ensure!(!program.is_empty(), "{name} has no Python");
        world.file("program.py", &program)?;
        commands.push("python program.py".to_owned());
        for command in commands {
            let ended = world.run(&command)?;
            ensure!(ended.code == 0, "{name}: {command}\nended with {}:\n{}", ended.code, ended.screen);
        }
        Ok(())
    })
}

#[test]
fn the_python_of_the_readme_runs() -> Result<()> {
    runs_python("README.md")
}

#[test]
fn the_python_of_the_data_runs() -> Result<()> {
    runs_python("docs/DATA.md")
}

/// Nothing is left out in silence: a block is run, or its language is one that is only shown, or it is named above; and what is named is there.
#[test]
fn every_block_is_run_or_says_why_not() -> Result<()> {
    let (mut wrong, mut used, mut python) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for document in Document::all()? {
        for block in document.blocks() {
            let at = format!("{}:{}", document.name, block.line);
            if is_left_out(&document, &block) {
                used.insert(block.text.lines().next().unwrap_or_default().to_owned());
                continue;
            }
            let language = block.language.as_str();
            let Some(typed) = typed(&block) else {
                let looks_typed = |line: &str| line.starts_with("$ ") || line.starts_with("ktrdr ");
                if language == "python" {
                    python.insert(document.name.clone());
                } else if !SHOWN.contains(&language) {
                    wrong.push(format!("{at}: a block of {language:?} is not run"));
                } else if document.name != "docs/REFERENCE.md" && block.text.lines().any(looks_typed) {
                    wrong.push(format!("{at}: commands in a block of {language}"));
                }
                continue;
            };
            let left_out =
                |one: &Typed| NOT_RUN.iter().find(|(begins, _)| one.command.trim_start().starts_with(begins));
            used.extend(typed.iter().filter_map(left_out).map(|(begins, _)| (*begins).to_owned()));
            let all_left_out = !typed.is_empty() && typed.iter().all(|one| left_out(one).is_some());
            if !RUN.contains(&document.name.as_str()) && !all_left_out {
                wrong.push(format!("{at}: nothing runs this document"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    // that of the API is run by the tests of the client
    assert_eq!(python, BTreeSet::from(["README.md", "docs/API.md", "docs/DATA.md"].map(str::to_owned)));
    let named = NOT_RUN.iter().map(|(begins, _)| *begins).chain(BLOCKS_NOT_RUN.iter().map(|(_, begins, _)| *begins));
    let gone: Vec<_> = named.filter(|begins| !used.iter().any(|line| line.starts_with(begins))).collect();
    ensure!(gone.is_empty(), "named as not run, and no longer there: {gone:?}");
    Ok(())
}
