//! `ktrdr version`: this build, and the daemon's when one answers.

use std::time::Duration;

use ktrdr_proto::{BUILD, CONTRACT, v1::GetDaemonStatusRequest};
use serde::Serialize;

use crate::{
    context::Context,
    failure::{Failure, Stop},
};

/// The daemon is only mentioned, so nobody waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr version
  ktrdr version --format json")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    client: Build,
    daemon: Option<Build>,
}

#[derive(Serialize)]
struct Build {
    version: String,
    contract: u32,
}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = Build { version: BUILD.to_owned(), contract: CONTRACT };
    let view = View { client, daemon: daemon(context).await.ok() };
    if json {
        return Ok(context.out.document(&view)?);
    }
    context.out.line(&line("ktrdr", &view.client))?;
    if let Some(daemon) = &view.daemon {
        context.out.line(&line("ktrdrd", daemon))?;
    }
    Ok(())
}

async fn daemon(context: &mut Context) -> Result<Build, Failure> {
    let client = context.client_of_running()?;
    let client = client.within(client.limit().min(LONGEST_WAIT));
    let request = client.request(GetDaemonStatusRequest {});
    let status = client.answer_of_any(client.daemon().get_status(request)).await?;
    Ok(Build { version: status.version, contract: status.contract })
}

fn line(name: &str, build: &Build) -> String {
    format!("{name} {} (contract {})", build.version, build.contract)
}
