//! What commands that change stored bars share: they only tell, unless it is meant.

use serde::Serialize;

use crate::{context::Context, failure::Stop, output::table::Table};

/// `--yes` and `--dry-run`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Change {
    /// Do it; otherwise what would be done is told
    #[arg(short, long)]
    yes: bool,

    /// Only tell, which is the default
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

impl Change {
    pub(super) fn is_meant(self) -> bool {
        self.yes && !self.dry_run
    }
}

/// Prints what was done, or would be.
pub(super) fn print(
    context: &mut Context,
    json: bool,
    view: &impl Serialize,
    table: impl FnOnce() -> Table,
    change: Change,
) -> Result<(), Stop> {
    context.out.show(json, view, table)?;
    if !change.is_meant() && !json {
        unchanged(context);
    }
    Ok(())
}

pub(super) fn unchanged(context: &Context) {
    context.talk.say("Nothing was changed; the same with --yes does it");
}
