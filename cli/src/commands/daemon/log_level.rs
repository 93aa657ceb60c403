//! `ktrdr daemon log-level`: what the daemon logs, read and changed while it runs.

use ktrdr_proto::v1::SetLogLevelRequest;
use serde::Serialize;

use super::ask;
use crate::{context::Context, failure::Stop};

/// What the daemon logs; with LEVEL, from now on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon log-level
  ktrdr daemon log-level debug
  ktrdr daemon log-level info,ktrdrd::gateway=debug

It holds until the daemon stops; daemon.log_level in the configuration holds for good.")]
pub(crate) struct Args {
    /// error, warn, info, debug, trace, or a filter by module
    #[arg(value_name = "LEVEL")]
    level: Option<String>,
}

#[derive(Serialize)]
struct View {
    level: String,
    previous: Option<String>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client_of_running()?;
    let view = match args.level {
        None => View { level: ask(&client).await?.log_level, previous: None },
        Some(level) => {
            let request = client.request(SetLogLevelRequest { level: level.clone() });
            let answer = client.answer(client.daemon().set_log_level(request)).await?;
            View { level, previous: Some(answer.previous) }
        }
    };
    if json {
        context.out.document(&view)?;
    } else {
        let was = view.previous.as_ref().map(|previous| format!(" (was {previous})")).unwrap_or_default();
        context.out.line(&format!("{}{was}", view.level))?;
    }
    Ok(())
}
