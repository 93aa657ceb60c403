//! Bytes that were sent once must decode for ever, to the same meaning. A red test here means: undo the change.
//!
//! Each message is one line of `frozen.txt`: its name and its bytes in hex, as the first release wrote them. A new
//! message or field adds a line; no line is ever edited. `KTRDR_FREEZE=1` appends the lines that are missing.

#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "a list of samples, read by a test"
)]

use std::{collections::BTreeMap, fs, path::PathBuf};

use ktrdr_proto::v1::{self as pb, import_request, operation, query_request, query_response, subscribe_response};
use prost::Message;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frozen.txt")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

type Check = Box<dyn Fn(&[u8]) -> bool>;

/// A check of one message: its name, its bytes as written today, and whether given bytes decode to the same value.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    decodes_to_the_same: Check,
}

/// NaN is a value here (no volume), so messages are compared as text.
fn sample<M: Message + Default + std::fmt::Debug + 'static>(name: &'static str, message: M) -> Sample {
    let bytes = message.encode_to_vec();
    let expected = format!("{message:?}");
    let same = move |bytes: &[u8]| M::decode(bytes).is_ok_and(|read| format!("{read:?}") == expected);
    Sample { name, bytes, decodes_to_the_same: Box::new(same) }
}

fn series() -> Option<pb::SeriesId> {
    Some(pb::SeriesId { symbol: "NVDA".into(), timeframe: pb::Timeframe::Hours1.into() })
}

fn range() -> pb::TimeRange {
    pb::TimeRange { start_ns: Some(1_704_067_200_000_000_000), end_ns: Some(1_735_689_600_000_000_000) }
}

fn failure() -> pb::Failure {
    pb::Failure {
        reason: "LOAD_INCOMPLETE".into(),
        messages: vec!["1 of 2 requests were not answered".into(), "the connection was lost".into()],
        metadata: [("cause".to_owned(), "GATEWAY_LOST".to_owned())].into(),
        retry_after_seconds: Some(2.5),
    }
}

fn load_operation() -> pb::Operation {
    pb::Operation {
        id: "op_load_01M883ETQ90DNFNWXSN57KDGCZ".into(),
        kind: "load".into(),
        state: pb::OperationState::Failed.into(),
        subject: "NVDA 1h".into(),
        progress: Some(pb::Progress {
            percent: Some(50.0),
            done: 1,
            total: 2,
            unit: "requests".into(),
            message: "2024-01-01 to 2024-06-30".into(),
            ..pb::Progress::default()
        }),
        created_at_ns: 1,
        started_at_ns: Some(2),
        ended_at_ns: Some(3),
        failure: Some(failure()),
        result: Some(operation::Result::Load(pb::LoadResult {
            series: series(),
            mode: "tail".into(),
            bars_loaded: 7,
            bars_total: 9,
            bars_revised: 1,
            requests_made: 3,
            gaps_left: vec![range()],
        })),
        retry_of: Some("op_load_01M883ETRA6FFNB3CJH0Z7WXBR".into()),
    }
}

fn training_request() -> pb::StartTrainingRequest {
    pb::StartTrainingRequest {
        request_id: "r".into(),
        strategy: Some(pb::StrategyFile { label: "demo.yaml".into(), content: b"name: demo".to_vec() }),
        symbols: vec!["EURUSD".into()],
        timeframes: vec!["1h".into()],
        start_date: "2024-01-01".into(),
        end_date: "2024-12-31".into(),
        host: "gpu1".into(),
        labels: vec!["a100".into()],
        priority: Some(0),
        load_missing: true,
        dry_run: true,
    }
}

fn training_response() -> pb::StartTrainingResponse {
    let host = pb::PlannedHost {
        name: "gpu1".into(),
        url: "http://gpu1:5002".into(),
        version: "E".into(),
        slots: 2,
        free: 1,
        trouble: "away".into(),
        gives_result: true,
        stops: true,
        honours_dates: true,
    };
    let series = pb::TrainingSeries {
        symbol: "EURUSD".into(),
        timeframe: "1h".into(),
        bars: 3,
        first_ns: Some(1),
        last_ns: Some(2),
    };
    let plan = pb::TrainingPlan {
        strategy: "demo".into(),
        symbols: vec!["EURUSD".into()],
        timeframes: vec!["1h".into()],
        start_date: "2024-01-01".into(),
        end_date: "2024-12-31".into(),
        epochs: 10,
        batch_size: 64,
        hosts: vec![host],
        series: vec![series],
        notes: vec!["n".into()],
    };
    pb::StartTrainingResponse { operation: Some(training_operation()), joined: true, plan: Some(plan) }
}

fn training_operation() -> pb::Operation {
    let curve = pb::TrainingCurve { name: "train_loss".into(), values: vec![1.0, f64::NAN] };
    let training = pb::TrainingProgress {
        host: "gpu1".into(),
        queue_position: 1,
        epoch: 2,
        epochs: 3,
        batch: 4,
        batches: 5,
        loss: Some(0.5),
        accuracy: Some(0.6),
        validation_loss: Some(0.7),
        validation_accuracy: Some(0.8),
        loss_curve: vec![1.0, 0.5],
        gpu: "CUDA".into(),
        gpu_memory_mb: Some(1.0),
        gpu_memory_total_mb: Some(2.0),
        seconds_left: Some(9.5),
        host_state: "running".into(),
    };
    pb::Operation {
        kind: "training".into(),
        progress: Some(pb::Progress { training: Some(training), ..pb::Progress::default() }),
        result: Some(operation::Result::Training(pb::TrainingResult {
            session_id: "op".into(),
            host: "gpu1".into(),
            metrics: [("test_accuracy".to_owned(), 0.5)].into(),
            model_path: "gpu1:/m".into(),
            curves: vec![curve],
            epochs: 3,
            notes: vec!["n".into()],
        })),
        ..load_operation()
    }
}

fn model() -> pb::Model {
    pb::Model {
        id: "demo/1h_v1".into(),
        strategy: "demo".into(),
        symbols: vec!["EURUSD".into()],
        timeframes: vec!["1h".into()],
        version: Some(1),
        created_at: "2025-01-01T00:00:00".into(),
        path: "/m/demo/1h_v1".into(),
        size_bytes: 7,
        incomplete: true,
        metrics: [("test_accuracy".to_owned(), 0.5)].into(),
        curves: vec![pb::TrainingCurve { name: "train_loss".into(), values: vec![1.0] }],
        operation: "op".into(),
        host: "gpu1".into(),
    }
}

fn host_service() -> pb::HostService {
    pb::HostService {
        name: "gpu1".into(),
        kind: "training".into(),
        url: "http://gpu1:5002".into(),
        state: pb::HostServiceState::Slow.into(),
        since_ns: Some(1),
        version: Some("E".into()),
        latency_seconds: Some(0.25),
        pool: Some(pb::HostPool { size: 4, idle: 1, waiting: 2, opened: 3, reused: 5 }),
        breaker: "closed".into(),
        last_error: Some("e".into()),
        last_error_at_ns: Some(2),
        requests: 8,
        slots: 2,
        sessions: 1,
        labels: vec!["a100".into()],
        about: "CUDA".into(),
    }
}

fn import_operation() -> pb::Operation {
    let finding = pb::RowFinding { reason: "VALUE_MISSING".into(), count: 5, lines: vec![12, 13, 14, 15, 16] };
    let file = pb::ImportedFile {
        label: "DEMO_1d.csv".into(),
        series: series(),
        rows: 120,
        added: 115,
        unchanged: 1,
        revised: 2,
        rejected: vec![finding.clone()],
        notes: vec![finding],
        failure: Some(failure()),
    };
    let result = operation::Result::Import(pb::ImportResult { files: vec![file] });
    pb::Operation { result: Some(result), ..load_operation() }
}

fn gateway_status() -> pb::GatewayStatus {
    pb::GatewayStatus {
        state: pb::GatewayState::Degraded.into(),
        since_ns: 4,
        reason: "the gateway lost IB".into(),
        next: "waits".into(),
        address: "127.0.0.1:4002".into(),
        client_id: Some(1),
        server_version: Some(226),
        pacing: Some(pb::PacingStatus { used: 3, limit: 58, next_slot_seconds: 1.5, ..Default::default() }),
        requests: Some(pb::RequestCounts { open: 2, queued: 4 }),
        reconnects: 1,
        farms: vec![pb::Farm { name: "ushmds".into(), up: true }],
        unknown_codes: Vec::new(),
    }
}

/// With the fields that came after the first release.
fn gateway_status_since_pacing_users() -> pb::GatewayStatus {
    let user = pb::PacingUser { origin: "op_load_1".into(), requests: 3 };
    let pacing = gateway_status().pacing.map(|pacing| pb::PacingStatus {
        users: vec![user],
        paused_seconds: 42.5,
        slow: true,
        ..pacing
    });
    let unknown_codes = vec![pb::UnknownCode { code: 9_999, count: 2 }];
    pb::GatewayStatus { pacing, unknown_codes, ..gateway_status() }
}

fn summary() -> pb::SeriesSummary {
    pb::SeriesSummary {
        series: series(),
        session: pb::TradingSession::AllHours.into(),
        what_to_show: pb::WhatToShow::Trades.into(),
        source: pb::Source::Mixed.into(),
        first_ns: 5,
        last_ns: 6,
        bars: 1_689,
        size_bytes: 36_444,
        assumed: true,
        ..pb::SeriesSummary::default()
    }
}

fn columns() -> pb::BarColumns {
    let prices = [&[1.5, 2.5], &[3.5, 4.5], &[0.5, 1.5], &[2.5, 3.5]].map(<[f64; 2]>::as_slice);
    pb::BarColumns::new(&[1, 2], prices, [10.0, f64::NAN].into_iter())
}

/// Calendars and checks.
fn sessions() -> Vec<Sample> {
    let range = pb::TimeRange { start_ns: Some(1), end_ns: Some(2) };
    let calendar = pb::Calendar {
        code: "XNYS".into(),
        names: vec!["NYSE".into()],
        time_zone: "America/New_York".into(),
        known_from: "2000-01-01".into(),
        known_until: "2030-12-31".into(),
    };
    let day =
        pb::CalendarDay { date: "2025-12-24".into(), regular: vec![range], all: vec![range, range], special: true };
    let finding = pb::CheckFinding {
        code: "OFF_GRID".into(),
        severity: pb::Severity::Error.into(),
        says: "no bar begins then".into(),
        helps: "import it again".into(),
        count: 3,
        first_ns: 4,
        last_ns: 5,
        examples_ns: vec![4, 5],
        ..pb::CheckFinding::default()
    };
    let gap = pb::Gap { range: Some(range), bars: 6, sessions: 1, class: pb::GapClass::NeverAsked.into() };
    vec![
        sample(
            "GetCalendarRequest",
            pb::GetCalendarRequest {
                name: "NYSE".into(),
                first_date: "2025-12-24".into(),
                last_date: "2025-12-31".into(),
            },
        ),
        sample("GetCalendarResponse", pb::GetCalendarResponse { calendar: Some(calendar.clone()), days: vec![day] }),
        sample("ListCalendarsResponse", pb::ListCalendarsResponse { calendars: vec![calendar] }),
        sample("CheckRequest", pb::CheckRequest { series: series().into_iter().collect() }),
        sample(
            "CheckResponse",
            pb::CheckResponse {
                series: series(),
                session: pb::TradingSession::AllHours.into(),
                what_to_show: pb::WhatToShow::Trades.into(),
                calendar: "XNYS".into(),
                bars: 7,
                first_ns: 8,
                last_ns: 9,
                findings: vec![finding],
                gaps: vec![gap],
                gaps_total: 10,
                days: Some(pb::CheckedDays { date: vec![-1, 20_000], due: vec![7, 7], present: vec![0, 7] }),
            },
        ),
    ]
}

/// Each kind of event of a subscription.
fn live() -> Vec<Sample> {
    use subscribe_response::Event;
    let event = |name, event| sample(name, pb::SubscribeResponse { event: Some(event) });
    let header = pb::SubscribeHeader {
        series: series(),
        session: pb::TradingSession::RegularHours.into(),
        what_to_show: pb::WhatToShow::Midpoint.into(),
        source: pb::Source::Gateway.into(),
        keep: true,
    };
    let state = pb::LiveState {
        phase: pb::LivePhase::Interrupted.into(),
        since_ns: 3,
        reason: "GATEWAY_LOST".into(),
        messages: vec!["the connection was lost".into()],
    };
    vec![
        sample(
            "SubscribeRequest",
            pb::SubscribeRequest {
                series: series(),
                session: pb::TradingSession::RegularHours.into(),
                what_to_show: pb::WhatToShow::Bid.into(),
                keep: true,
                history: 20,
            },
        ),
        event("SubscribeResponse.header", Event::Header(header)),
        event(
            "SubscribeResponse.closed",
            Event::Closed(pb::ClosedBars { bars: Some(columns()), filled: true, gap_before: true }),
        ),
        event("SubscribeResponse.running", Event::Running(columns())),
        event("SubscribeResponse.missed", Event::Missed(pb::MissedBars { bars: 7 })),
        event("SubscribeResponse.state", Event::State(state)),
    ]
}

fn samples() -> Vec<Sample> {
    let header = pb::QueryHeader {
        series: series(),
        session: pb::TradingSession::RegularHours.into(),
        what_to_show: pb::WhatToShow::Midpoint.into(),
        source: pb::Source::Import.into(),
        rows_in_range: 10,
        rows_sent: 2,
        first_ns: Some(1),
        last_ns: Some(2),
        ..pb::QueryHeader::default()
    };
    let file = pb::ImportFile {
        label: "x/NVDA_1h.csv".into(),
        symbol: Some("NVDA".into()),
        timeframe: pb::Timeframe::Hours1.into(),
        time_zone: Some("America/New_York".into()),
        session: pb::TradingSession::AllHours.into(),
        what_to_show: pb::WhatToShow::Bid.into(),
    };
    let start = pb::ImportStart { request_id: "r1".into() };
    let all = vec![
        sample(
            "LoadRequest",
            pb::LoadRequest {
                request_id: "r1".into(),
                series: series(),
                mode: pb::LoadMode::Full.into(),
                range: Some(range()),
                session: pb::TradingSession::RegularHours.into(),
                what_to_show: pb::WhatToShow::Ask.into(),
                ..pb::LoadRequest::default()
            },
        ),
        sample(
            "LoadResponse",
            pb::LoadResponse { operation: Some(load_operation()), joined: true, same_request: false },
        ),
        sample(
            "QueryRequest.head",
            pb::QueryRequest {
                series: series(),
                range: Some(range()),
                window: Some(query_request::Window::Head(3)),
                ..pb::QueryRequest::default()
            },
        ),
        sample(
            "QueryRequest.tail",
            pb::QueryRequest {
                series: series(),
                window: Some(query_request::Window::Tail(10)),
                ..pb::QueryRequest::default()
            },
        ),
        sample("QueryResponse.header", pb::QueryResponse { part: Some(query_response::Part::Header(header)) }),
        sample("QueryResponse.bars", pb::QueryResponse { part: Some(query_response::Part::Bars(columns())) }),
        sample("GetRangeRequest", pb::GetRangeRequest { series: series() }),
        sample("GetRangeResponse", pb::GetRangeResponse { series: Some(summary()) }),
        sample("ListSeriesRequest", pb::ListSeriesRequest {}),
        sample("ListSeriesResponse", pb::ListSeriesResponse { series: vec![summary()] }),
        sample("ImportRequest.start", pb::ImportRequest { part: Some(import_request::Part::Start(start)) }),
        sample("ImportRequest.file", pb::ImportRequest { part: Some(import_request::Part::File(file)) }),
        sample("ImportRequest.data", pb::ImportRequest { part: Some(import_request::Part::Data(b"a,b".to_vec())) }),
        sample("ImportResponse", pb::ImportResponse { operation: Some(import_operation()) }),
        sample("GetOperationRequest", pb::GetOperationRequest { id: "op".into() }),
        sample("GetOperationResponse", pb::GetOperationResponse { operation: Some(load_operation()) }),
        sample(
            "ListOperationsRequest",
            pb::ListOperationsRequest {
                states: vec![pb::OperationState::Running.into(), pb::OperationState::Interrupted.into()],
                kind: "load".into(),
                page_size: 7,
                page_token: "t".into(),
            },
        ),
        sample(
            "ListOperationsResponse",
            pb::ListOperationsResponse { operations: vec![load_operation()], next_page_token: "t".into(), total: 9 },
        ),
        sample("WatchOperationRequest", pb::WatchOperationRequest { id: "op".into() }),
        sample("WatchOperationResponse", pb::WatchOperationResponse { operation: Some(load_operation()) }),
        sample("CancelOperationRequest", pb::CancelOperationRequest { id: "op".into(), note: "n".into() }),
        sample(
            "ValidateRequest",
            pb::ValidateRequest {
                symbol: "ES 202503".into(),
                what_to_show: pb::WhatToShow::Trades.into(),
                session: pb::TradingSession::RegularHours.into(),
                refresh: true,
            },
        ),
        sample(
            "ValidateResponse",
            pb::ValidateResponse {
                contract: Some(pb::Contract {
                    symbol: "ES-202503".into(),
                    con_id: 620_731_015,
                    kind: "future".into(),
                    exchange: "CME".into(),
                    primary_exchange: "P".into(),
                    currency: "USD".into(),
                    long_name: "E-mini S&P 500".into(),
                    local_symbol: "ESH5".into(),
                    trading_class: "ES".into(),
                    multiplier: "50".into(),
                    last_trade_date: "20250321".into(),
                    time_zone: "US/Central".into(),
                    time_zone_known: true,
                    trading_hours: vec![range()],
                    regular_hours: vec![range()],
                    min_tick: 0.25,
                    as_of_ns: 7,
                    cached: true,
                }),
                what_to_show: pb::WhatToShow::Trades.into(),
                session: pb::TradingSession::AllHours.into(),
                head_ns: Some(8),
                no_history: true,
            },
        ),
        sample(
            "CancelOperationResponse",
            pb::CancelOperationResponse { operation: Some(load_operation()), already_ended: true },
        ),
        sample("RetryOperationRequest", pb::RetryOperationRequest { id: "op".into(), request_id: "r".into() }),
        sample("RetryOperationResponse", pb::RetryOperationResponse { operation: Some(load_operation()) }),
        sample("GetGatewayStatusResponse", pb::GetGatewayStatusResponse { status: Some(gateway_status()) }),
        sample("WatchGatewayResponse", pb::WatchGatewayResponse { status: Some(gateway_status()) }),
        sample("GatewayStatus.pacing_users", gateway_status_since_pacing_users()),
        sample(
            "TestGatewayResponse",
            pb::TestGatewayResponse { gateway_time_ns: 8, latency_seconds: 0.5, status: Some(gateway_status()) },
        ),
        sample("ReconnectGatewayResponse", pb::ReconnectGatewayResponse { status: Some(gateway_status()) }),
        sample(
            "GetDaemonStatusResponse",
            pb::GetDaemonStatusResponse {
                version: "0.1.0".into(),
                contract: 1,
                pid: 42,
                started_at_ns: 9,
                socket: "/run/s".into(),
                data_dir: "/d".into(),
                config_files: vec!["/etc/c".into()],
                series: 3,
                operations_running: 2,
                memory_bytes: 1,
                log_level: "info".into(),
                ..pb::GetDaemonStatusResponse::default()
            },
        ),
        sample("ShutdownResponse", pb::ShutdownResponse { pid: 42 }),
        sample("SetLogLevelRequest", pb::SetLogLevelRequest { level: "debug".into() }),
        sample("StartTrainingRequest", training_request()),
        sample("StartTrainingResponse", training_response()),
        sample("GetTrainingRequest", pb::GetTrainingRequest { id: "op".into() }),
        sample("GetTrainingResponse", pb::GetTrainingResponse { operation: Some(training_operation()) }),
        sample(
            "ListTrainingsRequest",
            pb::ListTrainingsRequest { page_size: 5, page_token: "op".into(), active: true },
        ),
        sample(
            "ListTrainingsResponse",
            pb::ListTrainingsResponse {
                operations: vec![training_operation()],
                next_page_token: "op".into(),
                total: 9,
            },
        ),
        sample("StopTrainingRequest", pb::StopTrainingRequest { id: "op".into(), note: "n".into() }),
        sample(
            "StopTrainingResponse",
            pb::StopTrainingResponse { operation: Some(training_operation()), already_ended: true },
        ),
        sample("ListModelsRequest", pb::ListModelsRequest { strategy: "demo".into() }),
        sample("ListModelsResponse", pb::ListModelsResponse { models: vec![model()], folder: "/m".into() }),
        sample("GetModelRequest", pb::GetModelRequest { id: "demo/1h_v1".into() }),
        sample("GetModelResponse", pb::GetModelResponse { model: Some(model()) }),
        sample("ListHostServicesResponse", pb::ListHostServicesResponse { services: vec![host_service()] }),
        sample("CheckHostServicesRequest", pb::CheckHostServicesRequest { name: "gpu1".into() }),
        sample("CheckHostServicesResponse", pb::CheckHostServicesResponse { services: vec![host_service()] }),
        sample("SetLogLevelResponse", pb::SetLogLevelResponse { previous: "info".into() }),
    ];
    all.into_iter().chain(live()).chain(sessions()).collect()
}

#[test]
fn old_bytes_decode_to_their_old_meaning() {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let frozen: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    let missing: Vec<_> = samples().into_iter().filter(|one| !frozen.contains_key(one.name)).collect();
    if std::env::var_os("KTRDR_FREEZE").is_some() {
        let lines: String = missing.iter().map(|one| format!("{} {}\n", one.name, hex(&one.bytes))).collect();
        fs::write(path(), text.clone() + &lines).unwrap();
    } else {
        let names: Vec<_> = missing.iter().map(|one| one.name).collect();
        assert!(names.is_empty(), "not frozen yet: {names:?}; run with KTRDR_FREEZE=1");
    }
    for one in samples() {
        if let Some(bytes) = frozen.get(one.name) {
            assert!((one.decodes_to_the_same)(&unhex(bytes)), "{} means something else now", one.name);
        }
    }
}

/// A field of a later version must not break an earlier one.
#[test]
fn unknown_fields_are_skipped() {
    let mut bytes = pb::GetRangeRequest { series: series() }.encode_to_vec();
    bytes.extend([0x9a, 0x3f, 3, 1, 2, 3]); // field 1011, three bytes
    assert_eq!(pb::GetRangeRequest::decode(bytes.as_slice()).unwrap(), pb::GetRangeRequest { series: series() });
}

/// Reasons and their codes are part of the contract too.
#[test]
fn reasons_keep_their_codes_and_exits() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frozen_reasons.txt");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let now: Vec<String> =
        ktrdr_proto::reason::ALL.iter().map(|one| format!("{} {} {}", one.name, one.code as i32, one.exit)).collect();
    if std::env::var_os("KTRDR_FREEZE").is_some() {
        let missing = now.iter().filter(|line| text.lines().all(|frozen| frozen != line.as_str()));
        let lines: String = missing.map(|line| format!("{line}\n")).collect();
        fs::write(&path, text.clone() + &lines).unwrap();
        return;
    }
    for frozen in text.lines() {
        assert!(now.iter().any(|line| line == frozen), "{frozen} was changed or removed");
    }
    assert_eq!(text.lines().count(), now.len(), "a new reason is not frozen yet; run with KTRDR_FREEZE=1");
}
