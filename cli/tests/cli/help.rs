//! Help is for people who have not read anything else.

use crate::run::run;

/// The words of every command, groups included.
const COMMANDS: &[&str] = &[
    "",
    "data",
    "data show",
    "data load",
    "data watch",
    "data range",
    "data list",
    "data validate",
    "data import",
    "data export",
    "models",
    "models train",
    "models list",
    "models show",
    "models compare",
    "services",
    "services list",
    "services check",
    "operations",
    "operations list",
    "operations status",
    "operations watch",
    "operations cancel",
    "operations retry",
    "ops list",
    "ib",
    "ib status",
    "ib test",
    "ib reconnect",
    "ib cleanup",
    "daemon",
    "daemon start",
    "daemon stop",
    "daemon status",
    "daemon logs",
    "top",
    "version",
];

#[test]
fn every_command_has_help_with_examples() {
    for command in COMMANDS {
        let ran = run(command.split_whitespace().chain(["--help"]));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command}");
        assert!(ran.stdout.contains("\nExamples:\n  ktrdr "), "{command}: {}", ran.stdout);
        assert!(ran.stdout.contains("--socket <PATH>"), "{command}: {}", ran.stdout);
    }
}

/// A command in an example must be one that exists.
#[test]
fn every_example_parses() {
    for command in COMMANDS {
        let help = run(command.split_whitespace().chain(["--help"])).stdout;
        let examples = help.lines().filter_map(|line| line.strip_prefix("  ktrdr "));
        for example in examples {
            let plain = example.split("   ").next().unwrap_or(example).split(['|', '>']).next().unwrap_or(example);
            let words: Vec<_> = plain.split_whitespace().collect();
            let Some(group) = words.first() else { continue };
            assert!(COMMANDS.iter().any(|known| known.split(' ').next() == Some(*group)), "{example}");
            let ran = run(words.iter().copied().chain(["--help"]));
            assert_eq!(ran.code, Some(0), "{example}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_group_alone_shows_its_help() {
    for group in ["", "data", "operations", "ib", "daemon"] {
        let ran = run(group.split_whitespace());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{group}");
        assert!(ran.stderr.contains("Usage: ktrdr"), "{group}");
    }
}

#[test]
fn version_needs_no_daemon() {
    let ran = run(["--version"]);
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("ktrdr {}\n", ktrdr_proto::BUILD)));
    let ran = run(["version", "-f", "json", "--socket", "/nonexistent/s"]);
    let client = serde_json::json!({"version": ktrdr_proto::BUILD, "contract": ktrdr_proto::CONTRACT});
    assert_eq!((ran.code, ran.json()), (Some(0), serde_json::json!({"client": client, "daemon": null})));
}
