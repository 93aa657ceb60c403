//! The command tree.
//!
//! Every level of the tree is deferred: clap builds the one command that is called, not all of them.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::{
    commands::{daemon, data, ib, models, operations, services, version},
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
    /// Print the builds of client and daemon
    Version(version::Args),
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

    #[test]
    fn json_is_recognised_in_refused_arguments() {
        let asked = |line: &str| json_was_asked(line.split_whitespace().map(OsString::from));
        assert!(asked("ktrdr data show -f json") && asked("ktrdr --format=json nope") && asked("ktrdr -fjson"));
        assert!(!asked("ktrdr data show json -f csv"));
    }
}
