//! Nobody can take the daemon from the others: connections, calls, operations, uploads, metadata.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use anyhow::{Context as _, Result};
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, ImportFile, ImportRequest, ImportStart, WatchGatewayRequest, daemon_client::DaemonClient,
    import_request::Part,
};
use ktrdr_tests::{
    daemon::{TestDaemon, channel, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    wait,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, metadata::AsciiMetadataValue};

use crate::{
    over_http,
    support::{SLOW, detached, document, import},
};

/// Whether the other end has closed.
fn is_closed(stream: &mut UnixStream) -> Result<bool> {
    match stream.read(&mut [0; 64]) {
        Ok(0) => Ok(true),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn connected(home: &Home) -> Result<UnixStream> {
    let stream = UnixStream::connect(home.socket())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

#[test]
fn when_all_seats_are_taken_the_longest_silent_one_makes_room() -> Result<()> {
    let mut home = Home::new()?;
    home.set("KTRDR_LIMITS_CONNECTIONS", "16");
    let daemon = TestDaemon::start_in(home)?;
    let mut silent: Vec<UnixStream> = (0..40).map(|_| connected(&daemon)).collect::<Result<_>>()?;
    daemon.ktrdr("daemon status")?.ok()?;
    // the last sixteen, less those that commands needed
    wait::until_true("the oldest to be closed", wait::LIMIT, || {
        let closed = silent[..20].iter_mut().map(is_closed).collect::<Result<Vec<_>>>()?;
        Ok(closed.into_iter().all(|closed| closed))
    })?;
    assert!(!is_closed(&mut silent[39])?, "the youngest stays");
    Ok(())
}

#[test]
fn a_connection_that_never_calls_is_closed_and_one_that_sends_nonsense_at_once() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let (mut silent, mut nonsense, mut half) = (connected(&daemon)?, connected(&daemon)?, connected(&daemon)?);
    nonsense.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
    half.write_all(b"PRI * HTTP/2.0\r\n")?;
    wait::until_true("the nonsense to be noticed", Duration::from_secs(5), || is_closed(&mut nonsense))?;
    assert!(!is_closed(&mut silent)?);
    wait::until_true("the silent one to be closed", wait::LIMIT, || is_closed(&mut silent))?;
    wait::until_true("half a greeting to be given up", wait::LIMIT, || is_closed(&mut half))?;
    daemon.ktrdr("daemon status")?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_has_so_many_calls_open_and_no_more() -> Result<()> {
    let mut home = Home::new()?;
    home.set("KTRDR_LIMITS_CALLS_PER_USER", "8");
    let metrics = home.path().join("metrics.sock");
    home.set("KTRDR_OBSERVE_METRICS", metrics.display().to_string());
    let daemon = TestDaemon::start_in(home)?;
    let mut watching = Vec::new();
    for _ in 0..8 {
        let mut stream = daemon.gateway()?.watch(WatchGatewayRequest {}).await?.into_inner();
        stream.message().await?.context("the state comes first")?;
        watching.push(stream);
    }
    let ran = daemon.ktrdr("daemon status -f json")?;
    ran.fails(5, "TOO_MANY_CALLS")?;
    assert!(ran.stderr.contains("retry_after_seconds\":1"), "{}", ran.stderr);
    let metrics = over_http::metrics_on(&metrics)?;
    let refused = r#"ktrdr_rpc_duration_seconds_count{method="Daemon/GetStatus",code="RESOURCE_EXHAUSTED"}"#;
    assert!(metrics.contains(refused), "{metrics}");
    watching.pop();
    wait::until_true("room for a call", wait::LIMIT, || Ok(daemon.ktrdr("daemon status")?.ok().is_ok()))
}

#[test]
fn one_user_has_so_many_operations_open_and_no_more() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let mut home = home_with(&sim)?;
    home.set("KTRDR_TEST_TIME_SCALE", "60");
    home.set("KTRDR_LIMITS_OPERATIONS_PER_USER", "1");
    let daemon = TestDaemon::start_in(home)?;
    let id = detached(&daemon, "data load AAPL -t 1h --start 2020-01-01")?;
    let ran = daemon.ktrdr("data load NVDA -t 1h --start 2025-01-01 -f json")?;
    ran.fails(5, "TOO_MANY_OPERATIONS")?;
    assert!(ran.stderr.contains("retry_after_seconds\":5"), "{}", ran.stderr);
    let joined = detached(&daemon, "data load AAPL -t 1h --start 2020-01-01")?;
    assert_eq!(joined, id, "joining takes no room");
    daemon.ktrdr(&format!("operations cancel {id}"))?.ok()?;
    let id = detached(&daemon, "data load NVDA -t 1h --start 2025-01-01")?;
    assert!(document(&daemon, &format!("operations status {id}"))?["state"] != "failed");
    Ok(())
}

/// Sends so much of a file, whose bytes are counted and not kept, because nobody can tell its series.
async fn upload(parts: &mpsc::Sender<ImportRequest>, mib: usize) -> Result<()> {
    let file = ImportFile { label: "of no series".to_owned(), ..ImportFile::default() };
    let head = [Part::Start(ImportStart { request_id: "large".to_owned() }), Part::File(file)];
    for part in head.into_iter().chain(std::iter::repeat_n(Part::Data(vec![b'\n'; 1 << 20]), mib)) {
        parts.send(ImportRequest { part: Some(part) }).await.context("the upload was refused")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_hold_so_much_together_and_no_more() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let rows = "2024-01-02T15:00:00Z,1,1,1,1,1\n".repeat(70_000);
    daemon.file("LARGE_1m.csv", format!("timestamp,open,high,low,close,volume\n{rows}"))?;
    let (parts, stream) = mpsc::channel(1);
    let mut client = daemon.market_data()?;
    let largest = tokio::spawn(async move { client.import(ReceiverStream::new(stream)).await.map(drop) });
    // a quarter of a GiB, and more than can be on its way to the daemon
    upload(&parts, 256 + 32).await?;
    daemon.ktrdr("data import LARGE_1m.csv -f json")?.fails(5, "TOO_MANY_UPLOADS")?;
    import(&daemon, &["AAPL_1d.csv"]).context("a small one may always come")?;
    assert!(!largest.is_finished(), "the largest of all is let to its end");
    largest.abort();
    wait::until_true("room for an import", wait::LIMIT, || Ok(daemon.ktrdr("data import LARGE_1m.csv")?.status == 0))
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_beyond_the_bound_is_refused_and_the_next_call_is_served() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let client = || anyhow::Ok(DaemonClient::new(channel(&daemon.socket())?));
    let too_long = |kibibytes: usize| {
        let mut request = Request::new(GetDaemonStatusRequest {});
        let long = AsciiMetadataValue::try_from("x".repeat(kibibytes * 1024))?;
        request.metadata_mut().insert("x-long", long);
        anyhow::Ok(request)
    };
    let mut going_on = client()?;
    let refused = going_on.get_status(too_long(20)?).await.err().context("20 KiB of metadata were taken")?;
    assert!(matches!(refused.code(), Code::Internal | Code::Unknown | Code::ResourceExhausted), "{refused:?}");
    going_on.get_status(GetDaemonStatusRequest {}).await?;
    // what is far beyond it ends the connection that it came on, and no other
    client()?.get_status(too_long(64)?).await.err().context("64 KiB of metadata were taken")?;
    going_on.get_status(GetDaemonStatusRequest {}).await?;
    client()?.get_status(GetDaemonStatusRequest {}).await?;
    Ok(())
}

/// glibc's allocator would keep it; this one does so too when it was built without its settings (`.cargo/config.toml`).
#[test]
fn what_a_crowd_took_goes_back_to_the_system() -> Result<()> {
    const CROWD: usize = 300;
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    let memory = || daemon.ktrdr("daemon status -f json")?.json()?["memory_bytes"].as_u64().context("no memory");
    let rest = memory()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let crowd = runtime.block_on(async {
        let mut crowd = Vec::new();
        for _ in 0..CROWD {
            let mut client = DaemonClient::new(channel(&daemon.socket())?);
            client.get_status(GetDaemonStatusRequest {}).await?;
            crowd.push(client);
        }
        Ok::<_, anyhow::Error>(crowd)
    })?;
    let most = memory()?;
    assert!(most > rest + (2 << 20), "{CROWD} connections took {rest} to {most} bytes");
    drop(crowd);
    drop(runtime);
    wait::until_true("the memory to go back", wait::LIMIT, || Ok(memory()? < rest + (most - rest) / 2))
}
