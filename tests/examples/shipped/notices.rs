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

use crate::linked::{Linked, Package, linked, output};

/// How files are called that say under which terms something is.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];

/// Where libraries in C have theirs, in the crate that brings them. `SQLite` is in the public domain.
const INNER: [(&str, &str, &str); 2] =
    [("zstd-sys", "zstd", "zstd/LICENSE"), ("tikv-jemalloc-sys", "jemalloc", "jemalloc/COPYING")];

const HEAD: &str = "ktrdr and ktrdrd are under the MIT licence; the file LICENSE has it. Linked into them are the libraries below, under the terms \
    that are said with them.";

/// It is linked from the toolchain, which brings no file of its terms: <https://musl.libc.org>.
const MUSL: &str = "musl as a whole is licensed under the standard MIT license. Copyright © 2005-2020 Rich Felker, et al.\n\
    Its text is that of the other libraries under MIT.";

/// The texts, those that many are under first.
pub(crate) fn notices() -> Result<String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    let mut add = |who: String, text: &str| texts.entry(tidy(text)).or_default().push(who);
    for Linked { package, .. } in linked()? {
        if package.is_ours() {
            continue;
        }
        let files = files(&package)?;
        if files.is_empty() {
            without.push(line(&package));
        }
        for file in files {
            add(named(&package), &read(&file)?);
        }
        for (_, inner, file) in INNER.iter().filter(|(of, ..)| *of == package.name) {
            add(format!("{inner}, in {}", named(&package)), &read(&package.folder().join(file))?);
        }
    }
    for file in ["Apache-2.0.txt", "MIT.txt"] {
        add("the standard library of Rust (Copyright: The Rust Project Developers)".into(), &standard(file)?);
    }
    add("musl, the C library of ktrdr".into(), MUSL);

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

fn line(package: &Package) -> String {
    let authors = if package.authors.is_empty() { "its authors".to_owned() } else { package.authors.join(", ") };
    let terms = package.expression().unwrap_or_default();
    format!("{}: {terms}; {authors}; {}", named(package), package.repository.as_deref().unwrap_or_default())
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

fn standard(file: &str) -> Result<String> {
    let root = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    read(&Path::new(root.trim()).join("share/doc/rust/licenses").join(file))
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
