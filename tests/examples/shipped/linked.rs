//! What is linked into the shipped programs.
//!
//! `cargo tree` says what is linked: it resolves the features of one program for its own target, as the build of what is shipped does.
//! `cargo metadata` unites those of the whole workspace with its tests; here it only says licences and homes. Checksums are from `Cargo.lock`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// What is shipped, and which C library it is for.
pub(crate) const PROGRAMS: [(&str, &str); 2] = [("ktrdr", "musl"), ("ktrdrd", "gnu")];

/// Name and version.
pub(crate) type Id = (String, String);

/// A package, and what it needs.
#[derive(Debug)]
pub(crate) struct Linked {
    /// What is known of it.
    pub(crate) package: Package,
    /// By what is linked.
    pub(crate) needs: BTreeSet<Id>,
    /// SHA-256, of one from a registry.
    pub(crate) checksum: Option<String>,
}

/// As `cargo metadata` has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// An SPDX expression, or the old way to say one.
    pub(crate) license: Option<String>,
    /// One sentence.
    pub(crate) description: Option<String>,
    /// Where it lives.
    pub(crate) repository: Option<String>,
    /// Who wrote it.
    pub(crate) authors: Vec<String>,
    manifest_path: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

impl Linked {
    /// Of this workspace: from no registry.
    pub(crate) fn is_ours(&self) -> bool {
        self.checksum.is_none()
    }
}

impl Package {
    /// What it is found by.
    pub(crate) fn id(&self) -> Id {
        (self.name.clone(), self.version.clone())
    }

    /// One of the programs.
    pub(crate) fn is_program(&self) -> bool {
        PROGRAMS.iter().any(|(program, _)| *program == self.name)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        Path::new(&self.manifest_path).parent().unwrap_or(Path::new("."))
    }

    /// Its licences, as an SPDX expression.
    pub(crate) fn expression(&self) -> Option<String> {
        // the old way to say it, and odd spaces
        let license = self.license.as_ref()?;
        Some(license.replace('/', " OR ").split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// All that is linked, by name and version. Asks cargo.
pub(crate) fn linked() -> Result<Vec<Linked>> {
    let mut edges = BTreeMap::new();
    for (program, libc) in PROGRAMS {
        read_tree(&cargo(&["tree", "--package", program, "--target", &target(libc)], &TREE)?, &mut edges)?;
    }
    let targets = PROGRAMS.map(|(_, libc)| format!("--filter-platform={}", target(libc)));
    let metadata = cargo(&["metadata", "--format-version=1", &targets[0], &targets[1]], &[])?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let lock: Lock = toml::from_str(&fs::read_to_string(root().join("Cargo.lock"))?)?;
    let mut known: BTreeMap<Id, Package> =
        metadata.packages.into_iter().map(|package| (package.id(), package)).collect();
    let mut sums: BTreeMap<Id, String> =
        lock.package.into_iter().filter_map(|locked| Some(((locked.name, locked.version), locked.checksum?))).collect();
    let all = edges.into_iter().map(|(id, needs)| {
        let package = known.remove(&id).with_context(|| format!("{id:?} is not in the metadata"))?;
        Ok(Linked { package, needs, checksum: sums.remove(&id) })
    });
    all.collect()
}

/// Every line is a depth, a name and a version; what was shown before is shown without its own.
const TREE: [&str; 6] = ["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "{p}"];

/// What needs what, by the depth of the lines.
fn read_tree(tree: &str, edges: &mut BTreeMap<Id, BTreeSet<Id>>) -> Result<()> {
    let mut above: Vec<Id> = Vec::new();
    for line in tree.lines() {
        let name_at = line.find(|c: char| !c.is_ascii_digit()).with_context(|| format!("what is {line}?"))?;
        let (depth, rest) = line.split_at(name_at);
        let (name, rest) = rest.split_once(" v").with_context(|| format!("what is {line}?"))?;
        let version = rest.split(' ').next().unwrap_or_default();
        let id = (name.to_owned(), version.to_owned());
        above.truncate(depth.parse()?);
        if let Some(parent) = above.last() {
            edges.entry(parent.clone()).or_default().insert(id.clone());
        }
        edges.entry(id.clone()).or_default();
        above.push(id);
    }
    Ok(())
}

fn target(libc: &str) -> String {
    format!("{}-unknown-linux-{libc}", env::consts::ARCH)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn cargo(words: &[&str], more: &[&str]) -> Result<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    output(Command::new(cargo).args(words).args(more).arg("--locked").current_dir(root()))
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
