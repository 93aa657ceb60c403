//! `cargo sbom`: what is linked into the shipped programs, as a `CycloneDX` document. The packages carry it, so that whoever hears of a flawed
//! crate can look whether it is in what they run.
//!
//! `cargo tree` says what is linked: it resolves the features of one program for its own target, as the build of what is shipped does.
//! `cargo metadata` unites those of the whole workspace with its tests; here it only says licences and homes. Checksums are from `Cargo.lock`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is shipped, and which C library it is for.
const PROGRAMS: [(&str, &str); 2] = [("ktrdr", "musl"), ("ktrdrd", "gnu")];

/// Name and version.
type Id = (String, String);

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    description: Option<String>,
    repository: Option<String>,
    manifest_path: String,
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

fn main() -> Result<()> {
    let bill = serde_json::to_string_pretty(&bill()?)?;
    writeln!(io::stdout(), "{bill}")?;
    Ok(())
}

fn bill() -> Result<Value> {
    let mut edges = BTreeMap::new();
    for (program, libc) in PROGRAMS {
        read_tree(&cargo(&["tree", "--package", program, "--target", &target(libc)], &TREE)?, &mut edges)?;
    }
    let targets = PROGRAMS.map(|(_, libc)| format!("--filter-platform={}", target(libc)));
    let metadata = cargo(&["metadata", "--format-version=1", &targets[0], &targets[1]], &[])?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let lock: Lock = toml::from_str(&fs::read_to_string(root().join("Cargo.lock"))?)?;

    let known: BTreeMap<Id, &Package> = metadata.packages.iter().map(|package| (package.id(), package)).collect();
    let sums: BTreeMap<Id, String> =
        lock.package.into_iter().filter_map(|locked| Some(((locked.name, locked.version), locked.checksum?))).collect();
    let (mut components, mut dependencies) = (vec![standard_library()?], Vec::new());
    for (id, needs) in &edges {
        let package = known.get(id).with_context(|| format!("{id:?} is not in the metadata"))?;
        let mut needs: Vec<String> = needs.iter().map(|(name, version)| purl("cargo", name, version)).collect();
        components.push(package.component(sums.get(id)));
        if let Some(inner) = package.c_library()? {
            needs.push(inner["bom-ref"].as_str().unwrap_or_default().to_owned());
            components.push(inner);
        }
        dependencies.push(json!({ "ref": purl("cargo", &id.0, &id.1), "dependsOn": needs }));
    }
    let version = env!("CARGO_PKG_VERSION");
    let programs = PROGRAMS.map(|(program, _)| purl("cargo", program, version));
    let whole = purl("generic", "ktrdr", version);
    dependencies.push(json!({ "ref": whole, "dependsOn": programs }));
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": whole, "name": "ktrdr", "version": version, "purl": whole,
            "licenses": [{ "expression": env!("CARGO_PKG_LICENSE") }],
        } },
        "components": components,
        "dependencies": dependencies,
    }))
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

impl Package {
    fn id(&self) -> Id {
        (self.name.clone(), self.version.clone())
    }

    fn component(&self, sum: Option<&String>) -> Value {
        let program = PROGRAMS.iter().any(|(program, _)| *program == self.name);
        let purl = purl("cargo", &self.name, &self.version);
        let mut component = json!({
            "type": if program { "application" } else { "library" },
            "bom-ref": purl, "name": self.name, "version": self.version, "purl": purl,
        });
        if let Some(text) = &self.description {
            component["description"] = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
        }
        if let Some(license) = &self.license {
            // the old way to say it, and odd spaces
            let expression = license.replace('/', " OR ").split_whitespace().collect::<Vec<_>>().join(" ");
            component["licenses"] = json!([{ "expression": expression }]);
        }
        if let Some(sum) = sum {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        if let Some(url) = &self.repository {
            component["externalReferences"] = json!([{ "type": "vcs", "url": url }]);
        }
        component
    }

    /// The C library that comes inside of a crate, for those who look for it by its own name.
    fn c_library(&self) -> Result<Option<Value>> {
        let (name, version, license) = match self.name.as_str() {
            "libsqlite3-sys" => {
                let header = Path::new(&self.manifest_path).with_file_name("sqlite3/sqlite3.h");
                let header = fs::read_to_string(&header).with_context(|| header.display().to_string())?;
                let version = header.split("#define SQLITE_VERSION ").nth(1).and_then(|rest| rest.split('"').nth(1));
                ("sqlite", version.context("SQLite's version")?.to_owned(), "blessing")
            }
            "zstd-sys" => {
                let (_, version) = self.version.split_once("+zstd.").context("zstd's version")?;
                ("zstd", version.to_owned(), "BSD-3-Clause OR GPL-2.0-only")
            }
            "tikv-jemalloc-sys" => {
                // 0.7.1+5.3.1-0-g81034ce1…
                let bundled = self.version.split_once('+').and_then(|(_, bundled)| bundled.split('-').next());
                ("jemalloc", bundled.context("jemalloc's version")?.to_owned(), "BSD-2-Clause")
            }
            _ => return Ok(None),
        };
        Ok(Some(generic(name, &version, license)))
    }
}

fn standard_library() -> Result<Value> {
    let said = output(Command::new("rustc").arg("--version"))?;
    let version = said.split(' ').nth(1).context("rustc's version")?;
    Ok(generic("rust-std", version.trim(), "MIT OR Apache-2.0"))
}

fn generic(name: &str, version: &str, license: &str) -> Value {
    let purl = purl("generic", name, version);
    let licenses = json!([{ "expression": license }]);
    json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "licenses": licenses })
}

fn purl(kind: &str, name: &str, version: &str) -> String {
    format!("pkg:{kind}/{name}@{}", version.replace('+', "%2B"))
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

fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
