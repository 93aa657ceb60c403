//! The structure of the daemon, checked: who may import whom, who may name what, how long a file may be.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Lowest first. A file imports its own layer and those below it.
const LAYERS: [&str; 13] = [
    "model",
    "store",
    "host_service",
    "bucket",
    "gateway",
    "operations",
    "market_data",
    "training",
    "config",
    "rpc",
    "ib_service",
    "observe",
    "lifecycle",
];
/// Beside the layers, for all of them; they import nothing but each other and `model`.
const GROUND: [&str; 6] = ["clock", "error", "facts", "metrics", "telemetry", "web"];

/// Files with decisions in them: no tasks, no I/O.
const PURE: [&str; 47] = [
    "ib_service/dates.rs",
    "ib_service/fields.rs",
    "market_data/calendar/",
    "market_data/check/",
    "market_data/closing.rs",
    "market_data/csv/",
    "market_data/hours.rs",
    "market_data/zones.rs",
    "market_data/live/assembly.rs",
    "market_data/live/claim.rs",
    "market_data/load/answer.rs",
    "market_data/load/wanted.rs",
    "market_data/merge.rs",
    "market_data/plan.rs",
    "bucket/about.rs",
    "bucket/address.rs",
    "gateway/error_table.rs",
    "gateway/pacing.rs",
    "gateway/attempts.rs",
    "gateway/machine",
    "gateway/outages.rs",
    "gateway/queue.rs",
    "gateway/quiet.rs",
    "host_service/address.rs",
    "host_service/breaker.rs",
    "host_service/call.rs",
    "host_service/health.rs",
    "host_service/retry.rs",
    "host_service/route.rs",
    "operations/state.rs",
    "training/answers.rs",
    "training/capabilities.rs",
    "training/pace.rs",
    "training/plan.rs",
    "training/progress.rs",
    "training/queue.rs",
    "training/report.rs",
    "training/strategy/",
    "training/wire.rs",
    "rpc/rights.rs",
    "store/arrow.rs",
    "store/arrow_batch.rs",
    "store/growing.rs",
    "store/layout.rs",
    "store/parquet.rs",
    "model/",
    "market_data/result.rs",
];

/// Lines of a file without its tests.
const LINES_MAX: usize = 300;

/// Path below `src`, and its text without inline tests.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                if !name.contains("tests/") && !name.ends_with("/tests.rs") {
                    found.insert(name, code);
                }
            }
        }
    }
    assert!(found.len() > 50, "the walk found too little");
    found
}

/// Modules named after `crate::`, also in braces over several lines.
fn imports(code: &str) -> Vec<String> {
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (_, rest) in code.match_indices("crate::").map(|(at, part)| (at, &code[at + part.len()..])) {
        let Some(list) = rest.strip_prefix('{') else {
            found.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_name = true;
        for (at, c) in list.char_indices() {
            if at_name && depth == 0 && c.is_alphanumeric() {
                found.push(word(&list[at..]));
                at_name = false;
            }
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_name = true,
                _ => {}
            }
        }
    }
    found
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

#[test]
fn imports_go_downwards_only() {
    for (file, code) in sources() {
        let own = file.split(['/', '.']).next().unwrap_or_default();
        if own == "lib" || own == "main" {
            continue;
        }
        for import in imports(&code) {
            let allowed = match (layer(own), layer(&import)) {
                _ if import == own || GROUND.contains(&import.as_str()) => true,
                (Some(own), Some(other)) => other <= own,
                (None, Some(_)) => GROUND.contains(&own) && import == "model",
                (_, None) => false,
            };
            assert!(allowed, "{file} imports {import}");
        }
    }
}

#[test]
fn a_foreign_name_has_one_home() {
    for (name, homes) in [
        ("ibapi::", &["gateway/"][..]),
        ("rusqlite::", &["store/"]),
        // calling hosts, and being called
        ("hyper::", &["host_service/", "rpc/", "web.rs"]),
        ("rustls::", &["host_service/", "rpc/tls.rs"]),
        ("opentelemetry::", &["telemetry/traces.rs"]),
        ("deadpool::", &["host_service/"]),
        ("parquet::", &["store/"]),
        ("arrow_ipc::", &["store/", "rpc/convert_flight.rs"]),
        ("arrow_flight::", &["rpc/"]),
        ("object_store::", &["bucket/"]),
        ("ktrdr_proto::v1", &["rpc/"]),
        ("println!", &["nowhere"]),
        ("std::process::exit", &["lifecycle/shutdown.rs"]),
    ] {
        for (file, code) in sources() {
            // `hyper_rustls` is not `rustls`
            let names = |line: &str| line.match_indices(name).any(|(at, _)| !line[..at].ends_with('_'));
            let mentions = code.lines().any(|line| names(line) && !line.trim_start().starts_with("//"));
            let at_home = homes.iter().any(|home| file.starts_with(home));
            assert!(!mentions || at_home, "{file} names {name}, which belongs to {homes:?}");
        }
    }
    let makes_status = |code: &str| code.contains("Status::with_error_details") || code.contains("Status::new(");
    let makers: Vec<_> = sources().into_iter().filter(|(_, code)| makes_status(code)).map(|(file, _)| file).collect();
    assert_eq!(makers, ["rpc/status.rs"]);
}

#[test]
fn decisions_are_pure() {
    for (file, code) in sources() {
        if PURE.iter().any(|pure| file.starts_with(pure)) {
            for impure in ["tokio", "std::fs", "std::net", "SystemTime", "Instant::now", "clock::now"] {
                assert!(!code.contains(impure), "{file} mentions {impure}");
            }
        }
    }
}

#[test]
fn every_file_says_what_lives_in_it_and_stays_short() {
    for (file, code) in sources() {
        assert!(file == "main.rs" || code.starts_with("//!"), "{file} has no module doc");
        let lines = code.lines().count();
        assert!(lines <= LINES_MAX, "{file} has {lines} lines");
    }
}

#[test]
fn the_import_reader_sees_every_form() {
    let code =
        "use crate::{\n    a::{b, c::D},\n    e,\n};\nuse crate::f::G;\nfn x() { crate::h::i() }\n// crate::no\n";
    assert_eq!(imports(code), ["a", "e", "f", "h"]);
}

/// What is built is what has to be trusted and compiled by everyone.
#[test]
fn the_lock_file_stays_small() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let packages = fs::read_to_string(lock).unwrap().matches("[[package]]").count();
    assert!(packages <= 445, "{packages} packages in Cargo.lock");
}
