//! The bill of materials, as a `CycloneDX` document: whoever hears of a flawed crate can look whether it is in what they run.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::linked::{Id, Linked, PROGRAMS, Package, linked, output};

/// The document.
pub(crate) fn bill() -> Result<Value> {
    let (mut components, mut dependencies) = (vec![standard_library()?], Vec::new());
    let linked = linked()?;
    let stand_ins: BTreeSet<Id> = linked.iter().filter(|one| stands_in(one)).map(|one| one.package.id()).collect();
    let of_crate = |id: &Id| purl(if stand_ins.contains(id) { "generic" } else { "cargo" }, &id.0, &id.1);
    for one in linked {
        let itself = of_crate(&one.package.id());
        let mut needs: Vec<String> = one.needs.iter().map(of_crate).collect();
        components.push(component(&one, &itself));
        if let Some(inner) = c_library(&one.package)? {
            needs.push(inner["bom-ref"].as_str().unwrap_or_default().to_owned());
            components.push(inner);
        }
        dependencies.push(json!({ "ref": itself, "dependsOn": needs }));
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

/// Of ours under the name of a crate of the registry, for which nobody shall take it.
fn stands_in(one: &Linked) -> bool {
    one.is_ours() && !one.package.name.starts_with("ktrdr")
}

fn component(linked: &Linked, purl: &str) -> Value {
    let package = &linked.package;
    let mut component = json!({
        "type": if package.is_program() { "application" } else { "library" },
        "bom-ref": purl, "name": package.name, "version": package.version, "purl": purl,
    });
    if let Some(text) = &package.description {
        component["description"] = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
    }
    if let Some(expression) = package.expression() {
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(sum) = &linked.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    if let Some(url) = &package.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": url }]);
    }
    component
}

/// The C library that comes inside of a crate, for those who look for it by its own name.
fn c_library(package: &Package) -> Result<Option<Value>> {
    let (name, version, license) = match package.name.as_str() {
        "libsqlite3-sys" => {
            let header = package.folder().join("sqlite3/sqlite3.h");
            let header = fs::read_to_string(&header).with_context(|| header.display().to_string())?;
            let version = header.split("#define SQLITE_VERSION ").nth(1).and_then(|rest| rest.split('"').nth(1));
            ("sqlite", version.context("SQLite's version")?.to_owned(), "blessing")
        }
        "zstd-sys" => {
            let (_, version) = package.version.split_once("+zstd.").context("zstd's version")?;
            ("zstd", version.to_owned(), "BSD-3-Clause OR GPL-2.0-only")
        }
        "tikv-jemalloc-sys" => {
            // 0.7.1+5.3.1-0-g81034ce1…
            let bundled = package.version.split_once('+').and_then(|(_, bundled)| bundled.split('-').next());
            ("jemalloc", bundled.context("jemalloc's version")?.to_owned(), "BSD-2-Clause")
        }
        _ => return Ok(None),
    };
    Ok(Some(generic(name, &version, license)))
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
