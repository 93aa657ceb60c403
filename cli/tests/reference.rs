//! `docs/REFERENCE.md` is what the programs say of themselves. Here: every command of `ktrdr` with its flags, every reason. What the daemon has to
//! say stands between marks, which its own tests write (`daemon/src/handbook.rs`). `KTRDR_FREEZE=1` writes it anew.

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

/// A part of the daemon's: heading, mark, what stands above.
type Part = (&'static str, &'static str, &'static str);

const PROGRAM: Part = ("### `ktrdrd`", "ktrdrd", "");
/// In their order. A further one needs an entry here, and a test of the daemon that writes it.
const OF_THE_DAEMON: [Part; 2] = [
    (
        "## Configuration",
        "configuration",
        "`/etc/ktrdr/config.toml`, then `~/.config/ktrdr/config.toml`, then `ktrdrd --config FILE`, then the variables: each wins over the one \
     before, value by value. The variables that stand after ours are those of the old system. A key or value that cannot be used is an error \
     that names it; `ktrdrd --check` looks for one without starting. `ktrdrd --help-config` prints all of this as a file to begin with.\n\n",
    ),
    (
        "## Metrics",
        "metrics",
        "What Prometheus reads where `observe.metrics` wants it: [OBSERVING.md](OBSERVING.md#metrics). No label holds what a user, a peer or a file says.\n\n",
    ),
];

/// As it stands in the document.
fn part(document: &str, (heading, name, above): Part) -> String {
    let marks = [format!("<!-- {name} -->\n"), format!("<!-- /{name} -->")];
    let text =
        document.split_once(&marks[0]).and_then(|(_, rest)| rest.split_once(&marks[1])).map_or("", |(text, _)| text);
    format!("{heading}\n\n{above}{}{text}{}\n\n", marks[0], marks[1])
}

fn reference(written: &str) -> String {
    let mut text = String::from(
        "## Exit codes\n\n\
         | code | meaning |\n|---|---|\n| 0 | ok |\n| 1 | failed |\n| 2 | wrong usage |\n| 3 | the daemon cannot be reached |\n\
         | 4 | client and daemon speak different contracts |\n| 5 | the gateway or a host service is unavailable |\n\
         | 6 | timed out; the outcome is unknown |\n| 7 | what was asked for does not exist |\n| 130 | interrupted |\n\n## Commands\n\n",
    );
    describe(&mut ktrdr::command(), "", &mut text);
    text.push_str(&part(written, PROGRAM));
    for one in OF_THE_DAEMON {
        text.push_str(&part(written, one));
    }
    text.push_str("## Reasons\n\nWhat each means and what to do: [TROUBLESHOOTING.md](TROUBLESHOOTING.md#by-reason), `ktrdr explain REASON`.\n\n");
    text.push_str("| reason | exit | gRPC |\n|---|---|---|\n");
    for reason in reason::ALL {
        let anchor = reason.name.to_lowercase();
        writeln!(text, "| [{}](TROUBLESHOOTING.md#{anchor}) | {} | `{:?}` |", reason.name, reason.exit, reason.code)
            .unwrap();
    }
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    let entry = |name: &str| format!("- [{name}](#{})", name.to_lowercase().replace(' ', "-"));
    let contents = headings.map(entry).collect::<Vec<_>>().join("\n") + "\n";
    format!(
        "# Reference\n\nMade from the programs by tests, which see to it that it is current. `KTRDR_FREEZE=1 cargo test -p ktrdrd -p ktrdr \
         -- reference` writes it anew.\n\n{contents}\n{text}"
    )
}

#[test]
fn the_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/REFERENCE.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let now = reference(&before);
    if std::env::var_os("KTRDR_FREEZE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == now,
        "docs/REFERENCE.md is not what the program says: KTRDR_FREEZE=1 cargo test -p ktrdrd -p ktrdr -- reference"
    );
    assert!(now.matches("### `ktrdr").count() > 40);
}
