//! A gateway whose frames are nearly right.

use anyhow::{Result, ensure};
use ktrdr_proto::v1::{
    LoadRequest, OperationState, QueryRequest, SeriesId, SubscribeRequest, TestGatewayRequest, TimeRange, Timeframe,
    ValidateRequest, WatchOperationRequest, query_response::Part, subscribe_response::Event,
};
use ktrdr_tests::{
    between::{Between, Pieces},
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    home::Home,
};
use tokio::time::timeout;
use tonic::Status;

use super::{END_MAX, Run, is_told, is_well};
use crate::support::{SCALE, gateway_is};

/// A gateway spoils one frame in so many.
const ONE_IN: u64 = 6;
const SYMBOLS: [&str; 5] = ["AAPL", "MSFT", "EURUSD", "NVDA", "GOOGL"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_of_foreign_bytes_is_survived() -> Result<()> {
    let mut run = Run::new(8);
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let between = Between::start(sim.port(), Pieces::Frames, ONE_IN, run.seed)?;
    let mut home = Home::new()?;
    home.set("KTRDR_IB_PORT", between.port().to_string());
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let daemon = TestDaemon::start_in(home)?;

    let (mut round, mut counts) = (0, [Count::default(); KINDS.len()]);
    run.begins();
    while run.goes_on_until(reached(&counts)) {
        let symbol = SYMBOLS[round % SYMBOLS.len()];
        let ends = [
            timeout(END_MAX, validated(&daemon, symbol)),
            timeout(END_MAX, loaded(&daemon, symbol, round)),
            timeout(END_MAX, watched(&daemon, symbol)),
            timeout(END_MAX, tested(&daemon)),
        ];
        for (count, end) in counts.iter_mut().zip(futures_util::future::join_all(ends).await) {
            match end? {
                Ok(End::Done) => count.done += 1,
                Ok(End::Failed) => count.told += 1,
                Ok(End::Nothing) => {}
                Err(status) => {
                    is_told(&status)?;
                    count.told += 1;
                }
            }
        }
        round += 1;
        is_well(&daemon)?;
    }
    bars_are_possible(&daemon).await?;
    let (spoilt, connections) = (between.spoilt(), between.connections());
    let kinds = KINDS.iter().zip(&counts).map(|(kind, Count { done, told })| format!("{kind} {done}, failed {told}"));
    let kinds = kinds.collect::<Vec<_>>().join("; ");
    run.told(&format!("gateway: {round} rounds; {kinds}; {spoilt} frames spoilt, {connections} connections"));
    ensure!(spoilt > 10 && connections > 1, "nothing was spoilt");
    ensure!(reached(&counts), "a kind of request never succeeded, or none failed: {kinds}");

    // nothing of it stays
    between.be_honest();
    gateway_is(&daemon, "ready")?;
    let document = daemon.ktrdr("data load AMZN -t 1h --start 2024-01-02 --end 2024-03-01 -f json")?.json()?;
    ensure!(document["status"] == "completed", "{document}");
    is_well(&daemon)?;
    drop(daemon.terminate()?);
    Ok(())
}

/// What is asked for, in this order.
const KINDS: [&str; 4] = ["validated", "loaded", "watched", "tested"];

/// Of one kind.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    done: u64,
    told: u64,
}

/// Each kind succeeds at times, and some of it fails.
fn reached(counts: &[Count]) -> bool {
    counts.iter().all(|count| count.done > 0) && counts.iter().any(|count| count.told > 0)
}

/// How a request ended that was not refused.
#[derive(Debug)]
enum End {
    Done,
    /// Its operation failed, and said why.
    Failed,
    /// No bar came.
    Nothing,
}

type Ended<'a> = std::pin::Pin<Box<dyn Future<Output = Result<End, Status>> + Send + 'a>>;

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn none(error: anyhow::Error) -> Status {
    Status::internal(format!("{error:#}"))
}

fn validated<'a>(daemon: &'a TestDaemon, symbol: &'a str) -> Ended<'a> {
    Box::pin(async move {
        let request = ValidateRequest { symbol: symbol.to_owned(), refresh: true, ..ValidateRequest::default() };
        let told = daemon.market_data().map_err(none)?.validate(request).await?.into_inner();
        let contract = told.contract.unwrap_or_default();
        for text in [&contract.long_name, &contract.currency, &contract.primary_exchange] {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
        Ok(End::Done)
    })
}

/// Three weeks of it, to the end of the operation.
fn loaded<'a>(daemon: &'a TestDaemon, symbol: &'a str, number: usize) -> Ended<'a> {
    Box::pin(async move {
        const DAY: i64 = 86_400_000_000_000;
        // 2024-01-02 and later
        let start = 1_704_153_600_000_000_000 + i64::try_from(number % 300).unwrap_or(0) * DAY;
        let request = LoadRequest {
            request_id: format!("r{number}"),
            series: Some(SeriesId { symbol: symbol.to_owned(), timeframe: Timeframe::Hours1.into() }),
            range: Some(TimeRange { start_ns: Some(start), end_ns: Some(start + 20 * DAY) }),
            verify: number.is_multiple_of(3),
            ..LoadRequest::default()
        };
        let started = daemon.market_data().map_err(none)?.load(request).await?.into_inner();
        let id = started.operation.unwrap_or_default().id;
        let mut changes = daemon.operations().map_err(none)?.watch(WatchOperationRequest { id }).await?.into_inner();
        let mut last = None;
        while let Some(change) = changes.message().await? {
            last = change.operation;
        }
        let last = last.unwrap_or_default();
        match (last.state(), last.failure) {
            (OperationState::Completed, _) => Ok(End::Done),
            (OperationState::Failed, Some(failure)) => {
                let found = ktrdr_proto::reason::find(&failure.reason);
                assert!(found.is_some() && failure.reason != "INTERNAL", "{failure:?}");
                failure.messages.iter().for_each(|message| ktrdr_foreign::fit_to_print(message));
                Ok(End::Failed)
            }
            (state, failure) => Err(Status::internal(format!("it ended {state:?}: {failure:?}"))),
        }
    })
}

/// The first live bars, or none; what the daemon says of itself is none.
fn watched<'a>(daemon: &'a TestDaemon, symbol: &'a str) -> Ended<'a> {
    Box::pin(async move {
        let series = Some(SeriesId { symbol: symbol.to_owned(), timeframe: Timeframe::Minutes1.into() });
        let request = SubscribeRequest { series, history: 5, ..SubscribeRequest::default() };
        let mut events = daemon.market_data().map_err(none)?.subscribe(request).await?.into_inner();
        // who subscribes waits as long as the gateway does
        while let Ok(event) = timeout(std::time::Duration::from_millis(300), events.message()).await {
            match event?.and_then(|event| event.event) {
                Some(Event::Closed(_) | Event::Running(_)) => return Ok(End::Done),
                Some(_) => {}
                None => break,
            }
        }
        Ok(End::Nothing)
    })
}

fn tested(daemon: &TestDaemon) -> Ended<'_> {
    Box::pin(async move { daemon.gateway().map_err(none)?.test(TestGatewayRequest {}).await.map(|_| End::Done) })
}

/// A price may be wrong and look right; no bar is impossible.
async fn bars_are_possible(daemon: &TestDaemon) -> Result<()> {
    for symbol in SYMBOLS {
        let series = Some(SeriesId { symbol: symbol.to_owned(), timeframe: Timeframe::Hours1.into() });
        let query = QueryRequest { series, ..QueryRequest::default() };
        let Ok(stream) = daemon.market_data()?.query(query).await else { continue };
        let (mut stream, mut before) = (stream.into_inner(), i64::MIN);
        while let Some(part) = stream.message().await? {
            let Some(Part::Bars(bars)) = part.part else { continue };
            ensure!(bars.is_even(), "{bars:?}");
            let columns: [Vec<f64>; 4] =
                [bars.open().collect(), bars.high().collect(), bars.low().collect(), bars.close().collect()];
            for (row, start) in bars.start_ns().enumerate() {
                let [open, high, low, close] = [0, 1, 2, 3].map(|column| columns[column][row]);
                let within = |price: f64| low <= price && price <= high;
                let fits = high.is_finite() && low.is_finite() && within(open) && within(close) && before < start;
                ensure!(fits, "{symbol} at {start}: {open} {high} {low} {close}");
                before = start;
            }
        }
    }
    Ok(())
}
