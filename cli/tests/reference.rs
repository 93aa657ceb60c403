//! `docs/REFERENCE.md` is what the program says of itself: every command with its flags, every reason. `KTRDR_FREEZE=1` writes it anew.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::{fmt::Write as _, fs, path::Path};

use ktrdr_proto::reason;

/// The section of a command and of those below it.
fn describe(command: &mut clap::Command, path: &str, text: &mut String) {
    let name = if path.is_empty() { command.get_name().to_owned() } else { format!("{path} {}", command.get_name()) };
    let help = command.clone().bin_name(&name).render_long_help().to_string();
    // the flags that all commands share stand with the first
    let own = if path.is_empty() { help.as_str() } else { help.split("\nGlobal options:").next().unwrap_or_default() };
    let after = command.get_after_help().map(ToString::to_string).filter(|_| !path.is_empty());
    let lines: Vec<&str> = own.lines().map(str::trim_end).collect();
    writeln!(text, "### `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim()).unwrap();
    if let Some(after) = after.filter(|after| !own.contains(after.as_str())) {
        writeln!(text, "```text\n{}\n```\n", after.trim()).unwrap();
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for sub in names.iter().filter(|sub| *sub != "help") {
        describe(command.find_subcommand_mut(sub).unwrap(), &name, text);
    }
}

fn reference() -> String {
    let mut text = String::from(
        "# Reference\n\nMade from the programs (`KTRDR_FREEZE=1 cargo test -p ktrdr --test reference`); a test sees to it that it is current. \
         Settings are in the [README](../README.md#settings).\n\n## Exit codes\n\n\
         | code | meaning |\n|---|---|\n| 0 | ok |\n| 1 | failed |\n| 2 | wrong usage |\n| 3 | the daemon cannot be reached |\n\
         | 4 | client and daemon speak different contracts |\n| 5 | the gateway or a host service is unavailable |\n\
         | 6 | timed out; the outcome is unknown |\n| 7 | what was asked for does not exist |\n| 130 | interrupted |\n\n## Commands\n\n",
    );
    describe(&mut ktrdr::command(), "", &mut text);
    text.push_str("## Reasons\n\nWhat each means and what to do: [TROUBLESHOOTING.md](TROUBLESHOOTING.md#by-reason), `ktrdr explain REASON`.\n\n");
    text.push_str("| reason | exit | gRPC |\n|---|---|---|\n");
    for reason in reason::ALL {
        let anchor = reason.name.to_lowercase();
        writeln!(text, "| [{}](TROUBLESHOOTING.md#{anchor}) | {} | `{:?}` |", reason.name, reason.exit, reason.code)
            .unwrap();
    }
    text
}

#[test]
fn the_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/REFERENCE.md");
    let now = reference();
    if std::env::var_os("KTRDR_FREEZE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == now,
        "docs/REFERENCE.md is not what the program says: KTRDR_FREEZE=1 cargo test -p ktrdr --test reference"
    );
    assert!(now.matches("### `ktrdr").count() > 40);
}
