//! `ktrdr ib`: what the daemon's one connection to the gateway is doing.

use ktrdr_proto::v1::{
    GatewayStatus, GetGatewayStatusRequest, ReconnectGatewayRequest, TestGatewayRequest, WatchGatewayRequest,
};
use serde::Serialize;

use crate::{
    context::Context,
    failure::Stop,
    flags::{Force, without_letter},
    output::table::{Cell, Tone},
    time::Instant,
    views::gateway::GatewayView,
};

#[derive(Debug, clap::Subcommand)]
#[command(
    defer = true,
    arg_required_else_help = true,
    after_help = "Examples:
  ktrdr ib status
  ktrdr ib test"
)]
pub(crate) enum Command {
    /// The state of the connection, and why
    Status(StatusArgs),
    /// Send one cheap request to the gateway
    Test(TestArgs),
    /// End the session and make a new one
    #[command(alias = "cleanup")]
    Reconnect(ReconnectArgs),
}

/// The state of the connection, and why
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr ib status
  ktrdr ib status --format json
  ktrdr ib status --watch

Exits 0 whatever the state is; ktrdr ib test exits 5 when the gateway is down.")]
pub(crate) struct StatusArgs {
    /// Go on and print every change of state
    #[arg(short, long)]
    watch: bool,
}

/// Send one cheap request to the gateway
#[derive(Debug, clap::Args)]
#[command(mut_arg("timeout", |timeout| timeout.short('t')), after_help = "Examples:
  ktrdr ib test
  ktrdr ib test --timeout 5

Exits 5 when the gateway is down.")]
pub(crate) struct TestArgs {
    /// Accepted for old scripts; the test asks for the gateway's clock
    #[arg(short, long)]
    symbol: Option<String>,
}

/// End the session and make a new one
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", without_letter), mut_arg("timeout", |timeout| timeout.short('t')), after_help = "Examples:
  ktrdr ib reconnect")]
pub(crate) struct ReconnectArgs {
    #[command(flatten)]
    force: Force,
}

#[derive(Serialize)]
struct TestView {
    ok: bool,
    latency_seconds: f64,
    gateway_time: Instant,
    status: GatewayView,
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::Status(StatusArgs { watch: false }) => status(context).await,
        Command::Status(StatusArgs { watch: true }) => watch(context).await,
        Command::Test(args) => test(&args, context).await,
        Command::Reconnect(ReconnectArgs { force: _ }) => reconnect(context).await,
    }
}

async fn status(context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(GetGatewayStatusRequest {});
    let answer = client.answer(client.gateway().get_status(request)).await?;
    print(context, json, answer.status)
}

async fn reconnect(context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(ReconnectGatewayRequest {});
    let answer = client.answer(client.gateway().reconnect(request)).await?;
    print(context, json, answer.status)
}

fn print(context: &mut Context, json: bool, status: Option<GatewayStatus>) -> Result<(), Stop> {
    let view = GatewayView::from(status.unwrap_or_default());
    Ok(context.out.show(json, &view, || view.table())?)
}

async fn watch(context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(WatchGatewayRequest {});
    let mut events = client.answer(client.gateway().watch(request)).await?;
    let mut event = client.message(&mut events).await?;
    while let Some(status) = event.and_then(|event| event.status) {
        let view = GatewayView::from(status);
        if json {
            context.out.event(&view)?;
        } else {
            context.out.event_line(&view.line())?;
        }
        event = events.message().await.map_err(|status| client.failure(&status))?;
    }
    Ok(())
}

async fn test(args: &TestArgs, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    if let Some(symbol) = &args.symbol {
        context.talk.note(&format!("--symbol {symbol} is not used: the test asks for the gateway's clock"));
    }
    let client = context.client()?;
    let request = client.request(TestGatewayRequest {});
    let answer = client.answer(client.gateway().test(request)).await?;
    let view = TestView {
        ok: true,
        latency_seconds: answer.latency_seconds,
        gateway_time: Instant(answer.gateway_time_ns),
        status: GatewayView::from(answer.status.unwrap_or_default()),
    };
    if json {
        return Ok(context.out.document(&view)?);
    }
    let mut table = crate::output::table::Table::properties();
    table.property("Gateway", Cell::toned("answers", Tone::Good));
    table.property("Latency", format!("{:.1} ms", view.latency_seconds * 1e3));
    table.property("Gateway time", view.gateway_time.to_string());
    table.property("State", view.status.state_cell());
    Ok(context.out.table(&table)?)
}
