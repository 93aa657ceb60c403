//! `ktrdr completions`: what a shell needs to complete commands, and the values that only the daemon knows.

use std::{ffi::OsStr, path::Path, time::Duration};

use clap_complete::{CompletionCandidate, env::Shells};
use ktrdr_proto::{
    reason,
    spelling::TIMEFRAMES,
    v1::{ListCalendarsRequest, ListOperationsRequest, ListSeriesRequest},
};

use crate::{client::Client, context::Context, failure::Stop, wire::Start};

/// The variable by which the shell asks.
pub(crate) const VARIABLE: &str = "COMPLETE";
/// A key was pressed: later than this, nothing is better than something.
const LIMIT: Duration = Duration::from_millis(20);
/// Newest first.
const OPERATIONS: u32 = 50;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  echo 'source <(ktrdr completions bash)' >> ~/.bashrc
  echo 'source <(ktrdr completions zsh)' >> ~/.zshrc
  ktrdr completions fish > ~/.config/fish/completions/ktrdr.fish

Symbols, operations and markets come from the daemon; without one, they are left out.")]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<(), Stop> {
    let name = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let shells = Shells::builtins();
    if let Some(shell) = shells.completer(name) {
        shell.write_registration(VARIABLE, "ktrdr", "ktrdr", "ktrdr", &mut context.out)?;
    }
    Ok(())
}

/// Symbols that are stored.
pub(crate) fn symbols(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_ascii_uppercase();
    let found = ask(async |client| {
        let request = client.request(ListSeriesRequest {});
        let answer = client.answer(client.market_data().list_series(request)).await.ok()?;
        Some(answer.series.into_iter().filter_map(|one| Some(one.series?.symbol)).collect())
    });
    let mut names: Vec<String> = found.unwrap_or_default();
    names.dedup();
    names.into_iter().filter(|name| name.starts_with(&typed)).map(CompletionCandidate::new).collect()
}

/// Lengths of a bar; of several, the last one.
pub(crate) fn timeframes(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().into_owned();
    let (before, last) =
        typed.rsplit_once(',').map_or(("", typed.as_str()), |(_, last)| (&typed[..typed.len() - last.len()], last));
    let fitting = TIMEFRAMES.iter().map(|(_, word)| *word).filter(|word| word.starts_with(last));
    fitting.map(|word| CompletionCandidate::new(format!("{before}{word}"))).collect()
}

/// Reasons of errors.
pub(crate) fn reasons(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_ascii_uppercase();
    let fitting = reason::ALL.iter().filter(|reason| reason.name.starts_with(&typed));
    fitting.map(|reason| CompletionCandidate::new(reason.name)).collect()
}

/// Markets, by their codes and names.
pub(crate) fn markets(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_ascii_uppercase();
    let found = ask(async |client| {
        let request = client.request(ListCalendarsRequest {});
        Some(client.answer(client.market_data().list_calendars(request)).await.ok()?.calendars)
    });
    let names =
        found.unwrap_or_default().into_iter().flat_map(|market| std::iter::once(market.code).chain(market.names));
    names.filter(|name| name.to_ascii_uppercase().starts_with(&typed)).map(CompletionCandidate::new).collect()
}

/// Operations, the newest first, with what they work on.
pub(crate) fn operations(typed: &OsStr) -> Vec<CompletionCandidate> {
    of_kind(typed, "")
}

/// The same of trainings: models are called by them.
pub(crate) fn trainings(typed: &OsStr) -> Vec<CompletionCandidate> {
    of_kind(typed, "training")
}

fn of_kind(typed: &OsStr, kind: &str) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().into_owned();
    let found = ask(async |client| {
        let request = ListOperationsRequest { page_size: OPERATIONS, kind: kind.to_owned(), ..Default::default() };
        Some(client.answer(client.operations().list(client.request(request))).await.ok()?.operations)
    });
    let fitting = found.unwrap_or_default().into_iter().filter(|one| one.id.starts_with(&typed));
    fitting.map(|one| CompletionCandidate::new(one.id).help(Some(one.subject.into()))).collect()
}

/// Silent when the daemon is away or slow. The socket is the usual one: the command line is not read yet.
fn ask<T>(question: impl AsyncFnOnce(Client) -> Option<T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().ok()?;
    runtime.block_on(async {
        let client = Client::new(None::<&Path>, LIMIT, Start::Never).ok()?;
        tokio::time::timeout(LIMIT, question(client)).await.ok().flatten()
    })
}
