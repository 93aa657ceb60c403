//! The notices that the licences of libraries ask for: each text once, under the names of those that are under it.
//!
//! A text is what a crate brings: where it offers a choice, all of them. One that brings none is named with its authors.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::linked::{Package, linked, output};

/// How files are called that say under which terms something is.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];

/// What crates bring from elsewhere, with a text of its own below their folder. `SQLite` is in the public domain.
const INNER: [(&str, &str, &str); 5] = [
    ("opentelemetry-proto", "the protocol of OpenTelemetry", "src/proto/opentelemetry-proto/LICENSE"),
    ("regex-syntax", "the tables of Unicode", "src/unicode_tables/LICENSE-UNICODE"),
    ("ring", "fiat-crypto", "third_party/fiat/LICENSE"),
    ("tikv-jemalloc-sys", "jemalloc", "jemalloc/COPYING"),
    ("zstd-sys", "zstd", "zstd/LICENSE"),
];

/// What the toolchain links in, and where in its folder of documents the terms are. That of the standard library is for people to see in
/// a browser; it names what is in it in turn.
const TOOLCHAIN: [(&str, &str); 4] = [
    ("the standard library of Rust", "COPYRIGHT-library.html"),
    ("the standard library of Rust; libunwind of the LLVM Project, in ktrdr", "licenses/Apache-2.0.txt"),
    ("libunwind of the LLVM Project, in ktrdr", "licenses/LLVM-exception.txt"),
    ("the standard library of Rust (The Rust Project Developers)", "licenses/MIT.txt"),
];

const HEAD: &str = "ktrdr and ktrdrd are under the MIT licence; the file LICENSE has it. Linked into them are the libraries below, under the terms \
    that are said with them.";

/// The C library of `ktrdr` is the toolchain's, too, which brings no text of it: <https://musl.libc.org>.
const MUSL: (&str, &str) = ("musl", "© 2005-2020 Rich Felker, et al.");

/// The texts, those that many are under first.
pub(crate) fn notices() -> Result<String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    let documents = documents()?;
    let mut add = |who: String, text: &str| texts.entry(tidy(text)).or_default().push(who);
    for one in linked()?.into_iter().filter(|one| !one.is_ours()) {
        let package = &one.package;
        let files = files(package)?;
        if files.is_empty() {
            without.push(line(package));
            if package.expression().is_some_and(|terms| terms.contains("MIT")) {
                add(named(package), &mit(&documents, &authors(package))?);
            }
        }
        for file in files {
            add(named(package), &read(&file)?);
        }
        for (_, inner, file) in INNER.iter().filter(|(of, ..)| *of == package.name) {
            add(format!("{inner}, in {}", named(package)), &read(&package.folder().join(file))?);
        }
    }
    for (who, file) in TOOLCHAIN {
        add(who.into(), &plain(&documents.join(file))?);
    }
    add(MUSL.0.into(), &mit(&documents, MUSL.1)?);

    let mut texts: Vec<(String, Vec<String>)> = texts.into_iter().collect();
    texts.sort_by(|(_, a), (_, b)| (b.len(), a).cmp(&(a.len(), b)));
    let mut parts = vec![format!("{HEAD}\n")];
    if !without.is_empty() {
        parts.push(format!("No text came with these:\n\n{}\n", without.join("\n")));
    }
    for (text, mut who) in texts {
        who.dedup();
        parts.push(format!("{}\n\n{text}\n", who.join("\n")));
    }
    Ok(parts.join(&format!("\n{}\n", "=".repeat(100))))
}

fn named(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

fn authors(package: &Package) -> String {
    if package.authors.is_empty() { "its authors".into() } else { package.authors.join(", ") }
}

fn line(package: &Package) -> String {
    let (terms, home) = (package.expression().unwrap_or_default(), package.repository.as_deref().unwrap_or_default());
    format!("{}: {terms}; {}; {home}", named(package), authors(package))
}

/// The text for somebody who did not write it down.
fn mit(documents: &Path, who: &str) -> Result<String> {
    let text = plain(&documents.join("licenses/MIT.txt"))?;
    let (_, permission) = text.split_once("<copyright holders>").context("the form of the MIT licence")?;
    Ok(format!("MIT License\n\nCopyright (c) {who}{permission}"))
}

/// In the order of their names.
fn files(package: &Package) -> Result<Vec<PathBuf>> {
    let folder = package.folder();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|known| name.starts_with(known)) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Of the toolchain.
fn documents() -> Result<PathBuf> {
    let root = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(Path::new(root.trim()).join("share/doc/rust"))
}

fn plain(file: &Path) -> Result<String> {
    let text = read(file)?;
    Ok(if text.starts_with("<!DOCTYPE html>") { without_tags(&text) } else { text })
}

fn without_tags(page: &str) -> String {
    let mut parts = page.split('<');
    let mut text = parts.next().unwrap_or_default().to_owned();
    text.extend(parts.map(|part| part.split_once('>').map_or(part, |(_, after)| after)));
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, plain)| text.replace(entity, plain))
}

fn read(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Equal texts differ in the ends of their lines.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.trim_matches(['\n', '\r', '\u{feff}']).lines().map(str::trim_end).collect();
    lines.join("\n")
}
