//! The wire: what any gRPC client can rely on.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::{Context as _, Result};
use ktrdr_proto::{
    BUILD, BUILD_KEY, CONTRACT, CONTRACT_KEY, reason,
    v1::{
        GetDaemonStatusRequest, GetGatewayStatusRequest, GetRangeRequest, ListOperationsRequest, ListSeriesRequest,
        LoadMode, LoadRequest, OperationState, QueryRequest, SeriesId, TimeRange, Timeframe, WatchOperationRequest,
        query_response::Part,
    },
};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, wait};
use tonic::{Code, metadata::MetadataMap};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt as _;

use crate::support::{SCALE, SLOW, import, skipped};

fn series(symbol: &str, timeframe: Timeframe) -> SeriesId {
    SeriesId { symbol: symbol.to_owned(), timeframe: timeframe.into() }
}

async fn reflected(daemon: &TestDaemon, asked: MessageRequest) -> Result<MessageResponse> {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(asked) };
    let mut client = ServerReflectionClient::new(daemon.channel()?);
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await?.into_inner();
    answers.message().await?.and_then(|answer| answer.message_response).context("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_services() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let answer = reflected(&daemon, MessageRequest::ListServices(String::new())).await?;
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for service in ["MarketData", "Operations", "Gateway", "Daemon"] {
        assert!(names.contains(&format!("ktrdr.v1.{service}").as_str()), "{names:?}");
    }
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
    Ok(())
}

/// No call names them; a client that knows nothing but reflection can read an error with this.
#[tokio::test(flavor = "multi_thread")]
async fn reflection_tells_what_is_in_an_error() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for detail in ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"] {
        let answer = reflected(&daemon, MessageRequest::FileContainingSymbol(detail.into())).await?;
        let MessageResponse::FileDescriptorResponse(files) = answer else { panic!("{detail}: {answer:?}") };
        assert!(!files.file_descriptor_proto.is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_serves_and_follows_the_gateway() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let mut client = HealthClient::new(daemon.channel()?);
    let expected = [
        ("", ServingStatus::Serving),
        ("ktrdr.v1.MarketData", ServingStatus::Serving),
        ("ktrdr.v1.Gateway", ServingStatus::NotServing),
    ];
    for (service, status) in expected {
        let answer = client.check(HealthCheckRequest { service: service.into() }).await?;
        assert_eq!(answer.into_inner().status(), status, "{service}");
    }
    Ok(())
}

fn is_labelled(metadata: &MetadataMap) -> bool {
    let text = |key| metadata.get(key).and_then(|value| value.to_str().ok());
    text(CONTRACT_KEY) == Some(CONTRACT.to_string().as_str()) && text(BUILD_KEY) == Some(BUILD)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reply_tells_build_and_contract() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv"])?;
    let mut data = daemon.market_data()?;
    assert!(is_labelled(daemon.daemon()?.get_status(GetDaemonStatusRequest {}).await?.metadata()));
    assert!(is_labelled(daemon.gateway()?.get_status(GetGatewayStatusRequest {}).await?.metadata()));
    assert!(is_labelled(daemon.operations()?.list(ListOperationsRequest::default()).await?.metadata()));
    assert!(is_labelled(data.list_series(ListSeriesRequest {}).await?.metadata()));
    let query = QueryRequest { series: Some(series("AAPL", Timeframe::Days1)), ..QueryRequest::default() };
    assert!(is_labelled(data.query(query).await?.metadata()));
    let refused = data.get_range(GetRangeRequest { series: None }).await.unwrap_err();
    assert!(is_labelled(refused.metadata()), "{refused:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_carries_its_reason() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let request = GetRangeRequest { series: Some(series("NOPE", Timeframe::Hours1)) };
    let status = daemon.market_data()?.get_range(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let info = status.get_details_error_info().context("ErrorInfo")?;
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("SERIES_NOT_FOUND", reason::DOMAIN));
    assert_eq!(info.metadata["symbol"], "NOPE");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_one_header_then_chunks_of_even_columns() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["MSFT_1m.csv"])?;
    let query = QueryRequest { series: Some(series("msft", Timeframe::Minutes1)), ..QueryRequest::default() };
    let mut stream = daemon.market_data()?.query(query).await?.into_inner();
    let Some(Part::Header(header)) = stream.message().await?.and_then(|part| part.part) else { panic!("no header") };
    assert_eq!((header.rows_in_range, header.rows_sent), (5_746, 5_746));
    let mut starts = Vec::new();
    while let Some(part) = stream.message().await? {
        let Some(Part::Bars(bars)) = part.part else { panic!("not bars") };
        assert!(bars.is_even());
        assert!(bars.len() * 48 <= 256 << 10, "{} rows in a chunk", bars.len());
        starts.extend(bars.start_ns());
    }
    assert!(starts.len() == 5_746 && starts.is_sorted());
    Ok(())
}

fn load(request_id: &str, symbol: &str) -> LoadRequest {
    LoadRequest {
        request_id: request_id.to_owned(),
        series: Some(series(symbol, Timeframe::Minutes1)),
        mode: LoadMode::Tail.into(),
        range: Some(TimeRange {
            // 2025-03-03 to 2025-03-21
            start_ns: Some(1_740_960_000_000_000_000),
            end_ns: Some(1_742_515_200_000_000_000),
        }),
        ..LoadRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_is_one_operation() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let mut data = daemon.market_data()?;
    let first = data.load(load("mine", "AAPL")).await?.into_inner().operation.context("an operation")?;
    let again = data.load(load("mine", "AAPL")).await?.into_inner().operation.context("an operation")?;
    assert_eq!(first.id, again.id);
    let other = data.load(load("mine", "MSFT")).await.unwrap_err();
    assert_eq!(other.get_details_error_info().context("ErrorInfo")?.reason, "REQUEST_ID_REUSED");

    // also after a restart
    let daemon = daemon.restart()?;
    let mut data = daemon.market_data()?;
    let again = data.load(load("mine", "AAPL")).await?.into_inner().operation.context("an operation")?;
    assert_eq!(first.id, again.id);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_final_state() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let started = daemon.market_data()?.load(load("watched", "AAPL")).await?.into_inner();
    let id = started.operation.context("an operation")?.id;
    let mut watch = daemon.operations()?.watch(WatchOperationRequest { id }).await?.into_inner();
    let mut states = Vec::new();
    while let Some(event) = watch.message().await? {
        states.push(event.operation.context("an operation")?.state());
    }
    assert!(states.len() > 2, "{states:?}");
    assert_eq!(states.last(), Some(&OperationState::Completed));
    assert!(states[..states.len() - 1].iter().all(|state| *state != OperationState::Completed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_in_a_stream_disturbs_nobody() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["MSFT_1m.csv"])?;
    let before = daemon.status()?.memory_bytes;
    for _ in 0..50 {
        let query = QueryRequest { series: Some(series("MSFT", Timeframe::Minutes1)), ..QueryRequest::default() };
        let mut stream = daemon.market_data()?.query(query).await?.into_inner();
        stream.message().await?.context("the header")?;
    }
    let grown = daemon.status()?.memory_bytes.saturating_sub(before);
    assert!(grown < 20 << 20, "the daemon grew by {grown} bytes");
    Ok(())
}

#[test]
fn the_socket_is_private_and_another_user_is_refused() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let mode = |path: &Path| -> Result<u32> { Ok(fs::metadata(path)?.permissions().mode() & 0o777) };
    let socket = daemon.socket();
    assert_eq!(mode(&socket)?, 0o600);
    assert_eq!(mode(socket.parent().context("a folder")?)?, 0o700);
    if !can_be_others(&daemon)? {
        return Ok(());
    }
    as_user(&daemon, 65534, "data list")?.fails(1, "PEER_REFUSED")?;
    Ok(())
}

/// Lets everybody through to the socket: the daemon alone decides.
fn can_be_others(home: &Home) -> Result<bool> {
    if !rustix::process::geteuid().is_root() {
        skipped("the peer's user id", "only root can become somebody else");
        return Ok(false);
    }
    for folder in [home.path(), &home.path().join("run"), &home.path().join("run/ktrdr")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    fs::set_permissions(home.socket(), fs::Permissions::from_mode(0o666))?;
    fs::copy(&ktrdr_tests::programs::programs()?.ktrdr, home.path().join("ktrdr"))?;
    Ok(true)
}

/// A command of another user, whose groups are those of the machine.
fn as_user(home: &Home, uid: u32, line: &str) -> Result<ktrdr_tests::cli::Ran> {
    let mut command = home.command(Path::new("setpriv"));
    let id = uid.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(home.path().join("ktrdr"));
    command.args(ktrdr_tests::cli::words(line)).args(["-f", "json"]).current_dir("/");
    Ok(command.output()?.into())
}

/// Users 1 and 2 are `daemon` and `bin` on every Linux, each in a group of that name.
#[test]
fn others_may_do_what_the_configuration_says() -> Result<()> {
    let home = Home::new()?;
    let folder = home.path().join("config/ktrdr");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("config.toml"), "[access]\nread = [\"65534\"]\nwork = [\"@bin\"]\nmanage = [\"daemon\"]\n")?;
    let daemon = TestDaemon::start_in(home)?;
    if !can_be_others(&daemon)? {
        return Ok(());
    }
    let refused = |uid: u32, line: &str| as_user(&daemon, uid, line)?.fails(1, "PEER_REFUSED");
    let (look, work, manage) = ("data list", "data compact --yes", "daemon stop");
    for uid in [1, 2, 65534] {
        as_user(&daemon, uid, look)?.ok()?;
    }
    refused(3, look)?;
    for uid in [1, 2] {
        as_user(&daemon, uid, work)?.ok()?;
    }
    let error = refused(65534, work)?;
    assert!(error["message"].as_str().is_some_and(|text| text.contains("right to read")), "{error}");
    for uid in [2, 65534] {
        refused(uid, manage)?;
    }
    assert_eq!(as_user(&daemon, 1, manage)?.status, 0);
    daemon.ended_within(wait::LIMIT)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_operations_are_the_whole_list_in_parts() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for _ in 0..7 {
        import(&daemon, &["AAPL_1d.csv"])?;
    }
    let mut client = daemon.operations()?;
    let whole = client.list(ListOperationsRequest { page_size: 100, ..Default::default() }).await?.into_inner();
    assert_eq!((whole.operations.len(), whole.total, whole.next_page_token.as_str()), (7, 7, ""));
    assert!(whole.operations.is_sorted_by(|one, next| one.created_at_ns >= next.created_at_ns), "newest first");
    let (mut parts, mut page_token) = (Vec::new(), String::new());
    loop {
        let page = client.list(ListOperationsRequest { page_size: 3, page_token, ..Default::default() }).await?;
        let page = page.into_inner();
        assert!(page.operations.len() <= 3 && page.total == 7);
        parts.extend(page.operations);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(parts, whole.operations);
    for (made_up, told) in [
        (ListOperationsRequest { page_token: "op_import_gone".into(), ..Default::default() }, "the page token is none"),
        (
            ListOperationsRequest { kind: "imports".into(), ..Default::default() },
            "load, loads, import, repair, training",
        ),
    ] {
        let refused = client.list(made_up).await.expect_err("nobody could mean this");
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().contains(told), "{refused}");
    }
    Ok(())
}
