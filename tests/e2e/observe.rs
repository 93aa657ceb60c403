//! What others see of the daemon: metrics as Prometheus reads them, traces as a collector takes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use tonic::{Request, Response, Status, transport::Server};

use crate::support::{SCALE, free_address};

fn asked(mut stream: impl std::io::Read + std::io::Write, path: &str) -> Result<(u16, String)> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").context("no end of the head")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// Samples by name and labels.
fn samples(text: &str) -> Result<BTreeMap<String, f64>> {
    ensure!(text.ends_with("# EOF\n"), "it ends early: {text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').context("no value")?;
        Ok((name.to_owned(), value.parse()?))
    };
    lines.map(sample).collect()
}

#[test]
fn metrics_follow_what_happens_and_stay_few() -> Result<()> {
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let (mut home, address) = (home_with(&sim)?, free_address()?.to_string());
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_OBSERVE_METRICS", &address);
    let daemon = TestDaemon::start_in(home)?;
    let metrics = || samples(&asked(TcpStream::connect(&address)?, "/metrics")?.1);

    let before = metrics()?;
    assert_eq!(before["ktrdr_bars"].to_bits(), 0.0_f64.to_bits());
    assert!(before["process_resident_memory_bytes"] > 1e6 && before["process_open_fds"] > 5.0, "{before:?}");
    daemon.ktrdr("data load NVDA -t 1h --start 2025-01-02 --end 2025-01-31")?.ok()?;
    daemon.ktrdr("data show NOPE -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    let after = metrics()?;
    let bars = after["ktrdr_bars"];
    assert!(bars > 100.0 && after["ktrdr_bars_written_total"] >= bars, "{after:?}");
    for (name, least) in [
        ("ktrdr_gateway_connected", 1.0),
        ("ktrdr_gateway_state{state=\"ready\"}", 1.0),
        ("ktrdr_gateway_requests_total{kind=\"bars\",outcome=\"answered\"}", 1.0),
        ("ktrdr_operation_duration_seconds_count{kind=\"load\",state=\"completed\"}", 1.0),
        ("ktrdr_rpc_duration_seconds_count{method=\"MarketData/Load\",code=\"OK\"}", 1.0),
        ("ktrdr_rpc_duration_seconds_count{method=\"MarketData/Query\",code=\"NOT_FOUND\"}", 1.0),
        ("ktrdr_store_commit_seconds_count", 1.0),
        ("ktrdr_series", 1.0),
    ] {
        let value = after.get(name).with_context(|| format!("no {name} in {after:#?}"))?;
        assert!(*value >= least, "{name} is {value}");
    }
    let names: BTreeSet<_> = after.keys().map(|name| name.split('{').next().unwrap_or_default()).collect();
    assert!(names.iter().all(|name| name.starts_with("ktrdr_") || name.starts_with("process_")), "{names:?}");
    assert!(after.len() < 500, "{} series of metrics", after.len());
    assert!(after.keys().all(|name| !name.contains("NVDA") && !name.contains("op_")), "a label from outside");

    assert_eq!(asked(TcpStream::connect(&address)?, "/healthz")?, (200, "ok\n".into()));
    assert_eq!(asked(TcpStream::connect(&address)?, "/")?.0, 404);
    Ok(())
}

#[test]
fn metrics_are_told_on_a_socket_too_and_nowhere_unless_wanted() -> Result<()> {
    let mut home = Home::new()?;
    let socket = home.path().join("metrics.sock");
    home.set("KTRDR_OBSERVE_METRICS", socket.display().to_string());
    let daemon = TestDaemon::start_in(home)?;
    let text = asked(UnixStream::connect(&socket)?, "/metrics")?.1;
    assert!(samples(&text)?.keys().any(|name| name.starts_with("ktrdr_build_info{version=")), "{text}");
    // what a killed daemon leaves there is in nobody's way
    let daemon = daemon.kill_9()?.start()?;
    asked(UnixStream::connect(&socket)?, "/metrics")?;

    let mut home = daemon.terminate()?.into_home();
    for (wrong, why) in [("0.0.0.0:9464", "127.0.0.1:9464"), ("localhost", "127.0.0.1:9464")] {
        home.set("KTRDR_OBSERVE_METRICS", wrong);
        let output = home.command(&ktrdr_tests::programs::programs()?.ktrdrd).output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains("observe.metrics") && text.contains(why), "{text}");
    }
    Ok(())
}

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|one| one.scope_spans);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(spans.flat_map(|one| one.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn attribute<'span>(span: &'span Span, name: &str) -> Option<&'span str> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_can_be_followed_from_the_command_to_the_gateway() -> Result<()> {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = Server::builder().add_service(TraceServiceServer::new(collector.clone()));
    tokio::spawn(service.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));

    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let mut home = home_with(&sim)?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_OBSERVE_OTLP", format!("http://{address}"));
    home.set("KTRDR_LOG_LEVEL", "info,ktrdrd=debug");
    home.set("KTRDR_LOG_FORMAT", "json");
    let daemon = TestDaemon::start_in(home)?;
    daemon.ktrdr("data load NVDA -t 1h --start 2025-01-02 --end 2025-01-31")?.ok()?;
    // what is not sent yet is sent at the end
    let home = daemon.terminate()?.into_home();
    let spans = collector.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let load = named("rpc").into_iter().find(|span| attribute(span, "method") == Some("/ktrdr.v1.MarketData/Load"));
    let request = attribute(load.context("no span of the call")?, "request_id").context("no request id")?.to_owned();
    let operation = named("operation").into_iter().find(|span| attribute(span, "request_id") == Some(&request));
    let operation = operation.with_context(|| format!("no operation of {request}"))?;
    let asked = named("gateway_request").into_iter().filter(|span| span.trace_id == operation.trace_id);
    assert!(asked.count() >= 1, "no request to the gateway belongs to it: {spans:#?}");

    // and in the log, without any collector
    let log = std::fs::read_to_string(home.daemon_log())?;
    let at_the_gateway = log.lines().filter(|line| line.contains("leaves for the gateway") && line.contains(&request));
    assert!(at_the_gateway.count() >= 1, "no line of the gateway's names {request}");
    Ok(())
}

#[test]
fn a_collector_that_is_away_costs_nothing_but_its_traces() -> Result<()> {
    let mut home = Home::new()?;
    home.set("KTRDR_OBSERVE_OTLP", format!("http://{}", free_address()?));
    let daemon = TestDaemon::start_in(home)?;
    daemon.ktrdr("daemon status")?.ok()?;
    // within its grace
    daemon.terminate()?;
    Ok(())
}
