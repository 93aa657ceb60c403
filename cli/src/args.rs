//! The command tree.
//!
//! Every level of the tree is deferred: clap builds the one command that is called, not all of them.

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    commands::{completions, daemon, data, doctor, explain, ib, models, operations, services, top, version},
    flags::Globals,
};

/// Market data from Interactive Brokers and model training, from the command line
#[derive(Debug, Parser)]
#[command(
    name = "ktrdr",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  ktrdr daemon start                       start the daemon
  ktrdr data load AAPL -t 1h               fetch what is missing
  ktrdr data show AAPL -t 1h --rows 20     print what is stored
  ktrdr models train demo.yaml EURUSD 1h   train on a host, and watch it
  ktrdr ops list --active                  what is going on
  ktrdr top                                the same and more, on the whole screen, as it happens

Exit codes: 0 ok, 1 failed, 2 usage, 3 daemon unreachable, 4 contract mismatch, 5 gateway or host unavailable, 6 timed out,
7 not found, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Load, print and exchange market data
    #[command(subcommand)]
    Data(data::Command),
    /// Train models, list and compare them
    #[command(subcommand)]
    Models(models::Command),
    /// What the daemon is doing and has done
    #[command(subcommand, visible_alias = "ops")]
    Operations(operations::Command),
    /// The connection to the IB Gateway
    #[command(subcommand)]
    Ib(ib::Command),
    /// The host services behind the daemon
    #[command(subcommand)]
    Services(services::Command),
    /// Start, stop and look at the daemon
    #[command(subcommand)]
    Daemon(daemon::Command),
    /// What the daemon is doing, on the whole screen, as it happens
    Top(top::Args),
    /// Look at everything, and say what is wrong and what to do
    Doctor(doctor::Args),
    /// What an error means and what to do about it
    Explain(explain::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the builds of client and daemon
    Version(version::Args),
}

/// The arguments of this process.
///
/// clap gives a copy of every global flag to every command of a tree, also to those that nobody called: most of the memory of a
/// short process. So a command line that begins with a command is first read by a tree of that command alone. Whatever that one does
/// not take (help, mistakes, flags that stand in front) is for the whole tree to answer.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    read(&std::env::args_os().collect::<Vec<_>>())
}

fn read(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    lean(arguments).map_or_else(|| Cli::try_parse_from(arguments), Ok)
}

fn lean(arguments: &[OsString]) -> Option<Cli> {
    let word = |at: usize| arguments.get(at)?.to_str();
    let tree = match only(word(1)?, word(2)) {
        Some(group) => group,
        None => Command::augment_subcommands(clap::Command::new("ktrdr")).find_subcommand(word(1)?)?.clone(),
    };
    let root = Globals::augment_args(clap::Command::new("ktrdr")).subcommand(tree).subcommand_required(true);
    let matches = root.try_get_matches_from(arguments).ok()?;
    Cli::from_arg_matches(&matches).ok()
}

type Augment = fn(clap::Command) -> clap::Command;

const GROUPS: [(&str, Augment); 7] = [
    ("data", data::Command::augment_subcommands),
    ("models", models::Command::augment_subcommands),
    ("operations", operations::Command::augment_subcommands),
    ("ops", operations::Command::augment_subcommands),
    ("ib", ib::Command::augment_subcommands),
    ("services", services::Command::augment_subcommands),
    ("daemon", daemon::Command::augment_subcommands),
];

/// A group with the one command of it that was called; `None`: no group, or no such command.
fn only(group: &str, command: Option<&str>) -> Option<clap::Command> {
    let (name, augment) = GROUPS.iter().find(|(name, _)| *name == group)?;
    let called = augment(clap::Command::new(*name)).find_subcommand(command?)?.clone();
    // the whole tree knows it by its name
    let name = if *name == "ops" { "operations" } else { name };
    Some(clap::Command::new(name).alias("ops").subcommand(called).subcommand_required(true))
}

/// Whether the arguments ask for JSON, read without clap because clap has just refused them.
pub(crate) fn json_was_asked(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<_> = arguments.collect();
    let joined = |argument: &OsString| matches!(argument.to_str(), Some("--format=json" | "-fjson" | "-f=json"));
    let apart =
        |pair: &[OsString]| matches!(pair, [flag, value] if (flag == "--format" || flag == "-f") && value == "json");
    arguments.iter().any(joined) || arguments.windows(2).any(apart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Format;
    use clap::CommandFactory as _;
    use std::{path::PathBuf, time::Duration};

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// The lean tree and the whole one read the same, and leave what they do not read to each other.
    #[test]
    fn one_command_alone_is_read_as_in_the_whole_tree() {
        let split = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        for line in [
            "ktrdr data range AAPL -t 1h --socket /s -f json -q",
            "ktrdr ops list -a -l 10",
            "ktrdr operations cancel op_1 -f --reason why",
            "ktrdr ib cleanup -f",
            "ktrdr daemon logs -f -n 3",
            "ktrdr models train demo.yaml EURUSD 1h --start-date 2024-01-01 --end-date 2024-12-31",
            "ktrdr version",
            "ktrdr explain LOAD_INCOMPLETE",
            "ktrdr top --every 0.5 --once",
        ] {
            let whole = parse(line);
            let lean = lean(&split(line)).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(format!("{lean:?}"), format!("{whole:?}"), "{line}");
        }
        for line in
            ["ktrdr", "ktrdr data", "ktrdr data range --help", "ktrdr data rnage X", "ktrdr -q version", "ktrdr --help"]
        {
            assert!(lean(&split(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn global_flags_stand_before_or_after_the_subcommand() {
        for line in [
            "ktrdr --socket /s --timeout 0.5 -f json -q data show AAPL",
            "ktrdr data --socket /s --timeout 0.5 -f json -q show AAPL",
            "ktrdr data show AAPL --socket /s --timeout 0.5 -f json -q",
        ] {
            let globals = parse(line).globals;
            assert_eq!(globals.socket, Some(PathBuf::from("/s")), "{line}");
            assert_eq!(globals.timeout, Duration::from_millis(500), "{line}");
            assert_eq!(globals.format, Some(Format::Json), "{line}");
            assert!(globals.quiet, "{line}");
        }
    }

    #[test]
    fn the_letter_of_a_command_wins_over_the_global_one() {
        let cli = parse("ktrdr operations cancel op_1 -f --format json");
        assert_eq!(cli.globals.format, Some(Format::Json));
        let cli = parse("ktrdr --format json operations cancel op_1 -f");
        assert_eq!(cli.globals.format, Some(Format::Json));
    }

    /// An argument a line: a command, help, or a mistake of the user's; and the lean tree reads nothing otherwise than the whole one.
    #[test]
    fn foreign_bytes() {
        use std::os::unix::ffi::OsStringExt as _;

        // the whole tree is built for each, and takes its room
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "arguments")
            .count(300)
            .longest(2_000)
            .memory(64, 16 << 20)
            .check(|bytes| {
                let words = bytes.split(|byte| *byte == b'\n').map(|word| OsString::from_vec(word.to_vec()));
                let arguments: Vec<OsString> = std::iter::once("ktrdr".into()).chain(words).collect();
                let whole = Cli::try_parse_from(&arguments).map(|cli| format!("{cli:?}"));
                if let Some(lean) = lean(&arguments) {
                    assert_eq!(format!("{lean:?}"), whole.unwrap());
                }
                json_was_asked(arguments.iter().cloned());
                match read(&arguments) {
                    Ok(cli) => Ok(format!("{:?}", cli.command).split(|c: char| !c.is_alphanumeric()).take(3).collect()),
                    Err(error) => {
                        assert_eq!(error.exit_code(), if error.use_stderr() { 2 } else { 0 });
                        assert!(!error.render().to_string().is_empty());
                        Err(format!("{:?}", error.kind()))
                    }
                }
            });
    }

    #[test]
    fn json_is_recognised_in_refused_arguments() {
        let asked = |line: &str| json_was_asked(line.split_whitespace().map(OsString::from));
        assert!(asked("ktrdr data show -f json") && asked("ktrdr --format=json nope") && asked("ktrdr -fjson"));
        assert!(!asked("ktrdr data show json -f csv"));
    }
}
