//! Requests that are right: those that all others are made of.

use std::fs;

use anyhow::{Result, bail};
use ktrdr_proto::v1::{self as pb, Timeframe, import_request, query_request::Window};
use ktrdr_tests::data_folder;
use prost::Message;

/// What there is to ask for.
#[derive(Debug)]
pub(super) struct Known {
    /// Ids of an import, of a load that failed, and of a training, which are over.
    pub(super) import: String,
    pub(super) failed: String,
    pub(super) training: String,
    /// YAML.
    pub(super) strategy: String,
}

/// Stored series. Restore can bring a part of the last one back.
pub(super) const STORED: [&str; 3] = ["AAPL_1d.csv", "EURUSD_1h.csv", "GOOGL_1d.csv"];

type Messages = Vec<Vec<u8>>;

fn one(message: &impl Message) -> Messages {
    vec![message.encode_to_vec()]
}

fn series(symbol: &str, timeframe: Timeframe) -> pb::SeriesId {
    pb::SeriesId { symbol: symbol.into(), timeframe: timeframe.into() }
}

fn daily() -> pb::SeriesId {
    series("AAPL", Timeframe::Days1)
}

fn hourly() -> pb::SeriesId {
    series("EURUSD", Timeframe::Hours1)
}

/// The year 2024.
fn year() -> pb::TimeRange {
    pb::TimeRange { start_ns: Some(1_704_067_200_000_000_000), end_ns: Some(1_735_689_600_000_000_000) }
}

/// Right requests to a method, the number being that of the call: requests that start something are not the same twice.
pub(super) fn seeds(method: &str, known: &Known, number: u64) -> Result<Vec<Messages>> {
    let (service, name) = method.split_once('/').unwrap_or_default();
    Ok(match service {
        "Daemon" | "Gateway" | "HostServices" => resident(name),
        "MarketData" => market_data(name, number)?,
        "Housekeeping" => housekeeping(name, number),
        "Operations" => operations(name, known, number),
        "Training" => training(name, known, number),
        _ => bail!("no requests are known for the service of {method}"),
    })
}

fn resident(name: &str) -> Vec<Messages> {
    match name {
        "SetLogLevel" => ["info", "warn,ktrdrd::gateway=debug"]
            .map(|level| one(&pb::SetLogLevelRequest { level: level.into() }))
            .to_vec(),
        "Check" => ["", "gpu"].map(|name| one(&pb::CheckHostServicesRequest { name: name.into() })).to_vec(),
        // the others ask nothing
        _ => vec![vec![Vec::new()]],
    }
}

fn market_data(name: &str, number: u64) -> Result<Vec<Messages>> {
    let request_id = format!("call-{number}");
    let load = pb::LoadManyRequest {
        request_id: request_id.clone(),
        series: vec![daily(), hourly()],
        range: Some(year()),
        ..Default::default()
    };
    let query = pb::QueryRequest { series: Some(hourly()), range: Some(year()), ..Default::default() };
    let longer = pb::QueryRequest {
        series: Some(hourly()),
        resample: Timeframe::Days1.into(),
        hours: pb::HoursOfDay::Regular.into(),
        with_time_zone: true,
        ..Default::default()
    };
    let last = pb::QueryRequest { series: Some(daily()), window: Some(Window::Tail(20)), ..Default::default() };
    Ok(match name {
        "Load" => vec![
            one(&pb::LoadRequest { request_id, series: Some(daily()), range: Some(year()), ..Default::default() }),
            one(&pb::LoadRequest {
                request_id: format!("call-{number}-local"),
                series: Some(hourly()),
                mode: pb::LoadMode::Local.into(),
                ..Default::default()
            }),
        ],
        "LoadMany" => vec![one(&load)],
        "PlanLoad" => vec![one(&pb::PlanLoadRequest { load: Some(load) })],
        "Query" => vec![one(&query), one(&longer), one(&last)],
        "Export" => {
            let arrow = pb::ExportFormat::Arrow.into();
            vec![
                one(&pb::ExportRequest { query: Some(query), ..Default::default() }),
                one(&pb::ExportRequest { query: Some(longer), format: arrow }),
            ]
        }
        "GetRange" => vec![one(&pb::GetRangeRequest { series: Some(daily()) })],
        "Import" => vec![import(request_id)?],
        "Validate" => vec![one(&pb::ValidateRequest { symbol: "AAPL".into(), ..Default::default() })],
        "Subscribe" => vec![one(&pb::SubscribeRequest { series: Some(hourly()), history: 5, ..Default::default() })],
        "GetCalendar" => {
            let asked = |name: &str| pb::GetCalendarRequest {
                name: name.into(),
                first_date: "2024-01-01".into(),
                last_date: "2024-02-01".into(),
            };
            vec![one(&asked("NYSE")), one(&asked("EURUSD"))]
        }
        "Check" => vec![one(&pb::CheckRequest { series: vec![daily()] }), vec![Vec::new()]],
        // ListSeries and ListCalendars ask nothing
        _ => vec![vec![Vec::new()]],
    })
}

/// What a run may have taken away comes back with it.
fn import(request_id: String) -> Result<Messages> {
    use import_request::Part;
    let mut parts = vec![Part::Start(pb::ImportStart { request_id })];
    for name in &STORED[..1] {
        parts.push(Part::File(pb::ImportFile { label: (*name).into(), ..Default::default() }));
        let bytes = fs::read(data_folder().join(name))?;
        parts.extend(bytes.chunks(2_000).map(|chunk| Part::Data(chunk.to_vec())));
    }
    Ok(parts.into_iter().map(|part| pb::ImportRequest { part: Some(part) }.encode_to_vec()).collect())
}

fn housekeeping(name: &str, number: u64) -> Vec<Messages> {
    let request_id = format!("call-{number}");
    vec![match name {
        "GetInfo" => one(&pb::GetInfoRequest { symbol: "EURUSD".into(), ..Default::default() }),
        "Verify" => one(&pb::VerifyRequest { series: vec![daily()] }),
        "Repair" => one(&pb::RepairRequest { request_id, series: Some(daily()), dry_run: true }),
        "Restore" => one(&pb::RestoreRequest {
            series: Some(series("GOOGL", Timeframe::Days1)),
            dry_run: true,
            ..Default::default()
        }),
        "Delete" => one(&pb::DeleteRequest { series: Some(daily()), range: Some(year()), dry_run: true }),
        _ => one(&pb::CompactRequest { older_than_days: 30, dry_run: true }),
    }]
}

fn operations(name: &str, known: &Known, number: u64) -> Vec<Messages> {
    let (id, note) = (known.import.clone(), "enough".to_owned());
    vec![match name {
        "Get" => one(&pb::GetOperationRequest { id }),
        "List" => one(&pb::ListOperationsRequest { kind: "import".into(), page_size: 3, ..Default::default() }),
        "Watch" => one(&pb::WatchOperationRequest { id }),
        "Cancel" => one(&pb::CancelOperationRequest { id, note }),
        _ => one(&pb::RetryOperationRequest { id: known.failed.clone(), request_id: format!("call-{number}") }),
    }]
}

fn training(name: &str, known: &Known, number: u64) -> Vec<Messages> {
    let (id, note) = (known.training.clone(), "enough".to_owned());
    let start = pb::StartTrainingRequest {
        request_id: format!("call-{number}"),
        strategy: Some(pb::StrategyFile { label: "demo.yaml".into(), content: known.strategy.clone().into_bytes() }),
        symbols: vec!["EURUSD".into()],
        timeframes: vec!["1h".into()],
        start_date: "2024-01-01".into(),
        end_date: "2024-06-30".into(),
        ..Default::default()
    };
    match name {
        "Start" => vec![one(&start), one(&pb::StartTrainingRequest { dry_run: true, priority: Some(9), ..start })],
        "Get" => vec![one(&pb::GetTrainingRequest { id })],
        "List" => vec![one(&pb::ListTrainingsRequest { page_size: 3, ..Default::default() })],
        "Stop" => vec![one(&pb::StopTrainingRequest { id, note })],
        "GetModel" => vec![one(&pb::GetModelRequest { id })],
        // ListModels
        _ => vec![vec![Vec::new()]],
    }
}
