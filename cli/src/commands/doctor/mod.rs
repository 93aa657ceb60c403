//! `ktrdr doctor`: looks at everything that can be wrong, and says what to do. Nothing is started and nothing changed.

mod checks;

use ktrdr_proto::reason;
use serde::Serialize;

use crate::{
    context::Context,
    failure::{Failure, Stop},
    output::table::{Align, Cell, Table, Tone},
};

/// Look at everything, and say what is wrong and what to do
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr doctor
  ktrdr doctor --format json

Exits 1 when something is wrong. Starts nothing, changes nothing, and tells no secret.")]
pub(crate) struct Args {}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// It works, and somebody should know.
    Warning,
    Error,
}

impl State {
    fn cell(self) -> Cell {
        match self {
            Self::Ok => Cell::toned("ok", Tone::Good),
            Self::Warning => Cell::toned("warning", Tone::Busy),
            Self::Error => Cell::toned("error", Tone::Bad),
        }
    }
}

/// What was looked at, and what was seen.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) found: String,
    /// What to do about it.
    pub(super) fix: Option<String>,
}

impl Check {
    pub(super) fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, found: found.into(), fix: None }
    }

    pub(super) fn bad(name: impl Into<String>, state: State, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), state, found: found.into(), fix: Some(fix.into()) }
    }

    /// What an error says of itself.
    pub(super) fn failed(name: impl Into<String>, failure: &Failure) -> Self {
        if failure.reason() == reason::PEER_REFUSED.name {
            return Self::ok(name, "not looked at: this user has no right to ask");
        }
        let fix = failure.next_step().unwrap_or("ktrdr daemon logs");
        Self::bad(name, State::Error, failure.messages().join(": "), fix)
    }
}

#[derive(Serialize)]
struct View {
    ok: bool,
    checks: Vec<Check>,
}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client_of_running()?;
    let checks = checks::all(&client).await;
    let errors = checks.iter().filter(|check| check.state == State::Error).count();
    let view = View { ok: errors == 0, checks };
    context.out.show(json, &view, || table(&view.checks))?;
    if !json {
        let fixes = view.checks.iter().filter_map(|check| Some((&check.name, check.fix.as_deref()?)));
        let fixes: Vec<_> = fixes.collect();
        if !fixes.is_empty() {
            context.out.line("")?;
        }
        for (name, fix) in fixes {
            context.out.line(&format!("{name}: {fix}"))?;
        }
    }
    if errors == 0 {
        return Ok(());
    }
    let text = format!("{errors} of {} checks found something wrong", view.checks.len());
    Err(Failure::new(&reason::UNHEALTHY, text).into())
}

fn table(checks: &[Check]) -> Table {
    let mut table = Table::new([("Check", Align::Left), ("State", Align::Left), ("Found", Align::Left)]);
    for check in checks {
        table.row([check.name.as_str().into(), check.state.cell(), check.found.as_str().into()]);
    }
    table
}
