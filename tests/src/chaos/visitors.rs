//! Clients that look: bars, ranges, lists, the gateway, contracts. What they are shown must be true at any moment.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use ktrdr_proto::v1::{
    BarColumns, GetGatewayStatusRequest, GetRangeRequest, ListOperationsRequest, ListSeriesRequest, QueryRequest,
    ReconnectGatewayRequest, SeriesId, TestGatewayRequest, ValidateRequest, query_request::Window,
    query_response::Part,
};
use tokio_stream::StreamExt as _;
use tonic::Status;

use super::{
    calls::{Clients, call, daemon_is_back, failed},
    market::{Figures, Series},
    world::World,
};

/// Asks this and that until the run is over.
pub(crate) async fn visit_until_over(world: Arc<World>, number: usize) {
    let mut rng = Rng::with_seed(world.seed ^ (200 + number as u64));
    let Ok(clients) = Clients::new(&world) else { return };
    while !world.is_over() {
        visit(&world, &clients, &mut rng).await;
        tokio::time::sleep(Duration::from_millis(rng.u64(5..60))).await;
        if world.daemon_number() % 2 == 1 {
            daemon_is_back(&world, &clients).await;
        }
    }
}

async fn visit(world: &World, clients: &Clients, rng: &mut Rng) {
    let number = rng.usize(..world.market.series.len());
    let series = Some(world.market.series[number].id.clone());
    let Clients { mut data, mut operations, mut gateway, .. } = clients.clone();
    match rng.usize(..20) {
        0..=7 => query(world, clients, number, rng).await,
        8..=9 => drop(call(world, "GetRange", data.get_range(GetRangeRequest { series })).await),
        10..=11 => drop(call(world, "ListSeries", data.list_series(ListSeriesRequest {})).await),
        12..=13 => drop(call(world, "List", operations.list(ListOperationsRequest::default())).await),
        14..=16 => drop(call(world, "GetStatus", gateway.get_status(GetGatewayStatusRequest {})).await),
        17 => drop(call(world, "Test", gateway.test(TestGatewayRequest {})).await),
        18 => {
            let symbol = series.map(|series| series.symbol).unwrap_or_default();
            let request = ValidateRequest { symbol, ..ValidateRequest::default() };
            drop(call(world, "Validate", data.validate(request)).await);
        }
        // seldom: a person does not do this twice a minute
        _ if rng.usize(..40) == 0 => {
            drop(call(world, "Reconnect", gateway.reconnect(ReconnectGatewayRequest::default())).await);
        }
        _ => {}
    }
}

/// Every bar that is shown must be one of ours.
async fn query(world: &World, clients: &Clients, number: usize, rng: &mut Rng) {
    let before = world.daemon_number();
    let series = &world.market.series[number];
    let window = (rng.bool()).then(|| Window::Tail(rng.u64(1..500)));
    let read = bars(clients, series, window);
    match tokio::time::timeout(Duration::from_secs(30), read).await {
        Ok(Ok(columns)) => {
            for wrong in differences(series, &columns) {
                world.tally().surprises.push(format!("{} shows {wrong}", series.name()));
            }
        }
        // a file that changes hands while the daemon dies
        Ok(Err(status)) => drop(failed::<()>(world, "Query", before, &status)),
        Err(_) => world.tally().without_end.push("Query".to_owned()),
    }
}

/// All stored bars of a series, in the parts they came in.
pub(crate) async fn bars(
    clients: &Clients,
    series: &Series,
    window: Option<Window>,
) -> Result<Vec<BarColumns>, Status> {
    stored(clients, &series.id, window).await
}

/// The same, by name.
pub(crate) async fn stored(
    clients: &Clients,
    series: &SeriesId,
    window: Option<Window>,
) -> Result<Vec<BarColumns>, Status> {
    let request = QueryRequest { series: Some(series.clone()), window, ..QueryRequest::default() };
    let mut stream = clients.data.clone().query(request).await?.into_inner();
    let mut parts = Vec::new();
    while let Some(message) = stream.next().await {
        if let Some(Part::Bars(columns)) = message?.part {
            parts.push(columns);
        }
    }
    Ok(parts)
}

/// Rows that are not what the gateway has.
pub(crate) fn differences(series: &Series, parts: &[BarColumns]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (start, figures) in parts.iter().flat_map(rows) {
        if series.bars.get(&start).map(|bar| bar.map(f64::to_bits)) != Some(figures.map(f64::to_bits)) {
            wrong.push(format!("at {start}: {figures:?}"));
        }
    }
    wrong
}

/// Starts and figures.
pub(crate) fn rows(columns: &BarColumns) -> impl Iterator<Item = (i64, Figures)> {
    // one NaN, whatever its bits
    let figure = |figure: f64| if figure.is_nan() { f64::NAN } else { figure };
    let prices = columns.open().zip(columns.high()).zip(columns.low().zip(columns.close()));
    let rows = columns.start_ns().zip(prices).zip(columns.volume());
    rows.map(move |((start, ((open, high), (low, close))), volume)| {
        (start, [open, high, low, close, volume].map(figure))
    })
}
