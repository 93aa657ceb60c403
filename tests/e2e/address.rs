//! Sockets with nobody, with somebody else, with too many behind them.

use std::{fs, os::unix::net::UnixListener};

use anyhow::{Context as _, Result};
use ktrdr_proto::{
    CONTRACT_KEY,
    v1::{
        GetGatewayStatusRequest, GetGatewayStatusResponse, ReconnectGatewayRequest, ReconnectGatewayResponse,
        TestGatewayRequest, TestGatewayResponse, WatchGatewayRequest, WatchGatewayResponse,
        gateway_server::{Gateway, GatewayServer},
    },
};
use ktrdr_tests::{
    daemon::{TestDaemon, spawn},
    home::Home,
    wait,
};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

#[test]
fn without_a_daemon_the_client_says_how_to_start_one() -> Result<()> {
    let home = Home::new()?;
    for line in ["data list", "data load AAPL", "operations list", "ib status", "daemon status"] {
        let error = home.ktrdr(&format!("{line} -f json"))?.fails(3, "DAEMON_UNREACHABLE")?;
        assert_eq!(error["hint"], "ktrdr daemon start", "{line}");
    }
    Ok(())
}

#[test]
fn a_dead_socket_is_no_daemon_and_the_next_daemon_takes_its_place() -> Result<()> {
    let mut stopped = TestDaemon::alone()?.kill_9()?;
    let home = stopped.home();
    assert!(home.socket().exists(), "kill -9 leaves it");
    home.ktrdr("data list -f json")?.fails(3, "DAEMON_UNREACHABLE")?;
    stopped.start()?.ktrdr("data list")?.ok()?;
    Ok(())
}

#[test]
fn a_file_in_the_sockets_place_is_left_alone() -> Result<()> {
    let home = Home::new()?;
    fs::create_dir_all(home.socket().parent().context("a folder")?)?;
    fs::write(home.socket(), "precious")?;
    let status = spawn(&home)?.ended_within(wait::LIMIT)?;
    assert_eq!(status.code(), Some(1));
    assert_eq!(fs::read_to_string(home.socket())?, "precious");
    assert!(fs::read_to_string(home.daemon_log())?.contains("is not a socket"));
    Ok(())
}

#[test]
fn a_socket_path_that_is_too_long_is_told_by_both_sides() -> Result<()> {
    let mut home = Home::new()?;
    let long = home.path().join("x".repeat(120));
    home.set("KTRDR_SOCKET", long.to_string_lossy());
    home.ktrdr("data list -f json")?.fails(3, "SOCKET_PATH_TOO_LONG")?;
    let status = spawn(&home)?.ended_within(wait::LIMIT)?;
    assert_eq!(status.code(), Some(1));
    assert!(fs::read_to_string(home.daemon_log())?.contains("107"));
    Ok(())
}

#[test]
fn one_daemon_an_address_and_one_a_store() -> Result<()> {
    let mut first = TestDaemon::alone()?;
    let pid = first.process().id().to_string();
    let second = spawn(&first)?.ended_within(wait::LIMIT)?;
    assert_eq!(second.code(), Some(1));
    let log = fs::read_to_string(first.daemon_log())?;
    assert!(log.contains("already listens") && log.contains(&pid), "{log}");

    let elsewhere = first.path().join("run/other.sock");
    first.set("KTRDR_SOCKET", elsewhere.to_string_lossy());
    let third = spawn(&first)?.ended_within(wait::LIMIT)?;
    assert_eq!(third.code(), Some(1));
    let log = fs::read_to_string(first.daemon_log())?;
    assert!(log.contains("already uses the data folder"), "{log}");
    assert!(first.status().is_ok(), "the first one goes on");
    Ok(())
}

/// A daemon of another contract, as far as `ib status` sees it.
struct Stranger;

#[tonic::async_trait]
impl Gateway for Stranger {
    async fn get_status(
        &self,
        _: Request<GetGatewayStatusRequest>,
    ) -> Result<Response<GetGatewayStatusResponse>, Status> {
        let mut answer = Response::new(GetGatewayStatusResponse::default());
        answer.metadata_mut().insert(CONTRACT_KEY, 999.into());
        Ok(answer)
    }

    type WatchStream = tokio_stream::Empty<Result<WatchGatewayResponse, Status>>;

    async fn watch(&self, _: Request<WatchGatewayRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn test(&self, _: Request<TestGatewayRequest>) -> Result<Response<TestGatewayResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn reconnect(
        &self,
        _: Request<ReconnectGatewayRequest>,
    ) -> Result<Response<ReconnectGatewayResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_of_another_contract_is_not_believed() -> Result<()> {
    let home = Home::new()?;
    fs::create_dir_all(home.socket().parent().context("a folder")?)?;
    let listener = UnixListener::bind(home.socket())?;
    listener.set_nonblocking(true)?;
    let incoming = UnixListenerStream::new(tokio::net::UnixListener::from_std(listener)?);
    let server = tonic::transport::Server::builder().add_service(GatewayServer::new(Stranger));
    let server = tokio::spawn(server.serve_with_incoming(incoming));
    let error = tokio::task::block_in_place(|| home.ktrdr("ib status -f json"))?.fails(4, "CONTRACT_MISMATCH")?;
    assert!(error["message"].as_str().is_some_and(|text| text.contains("999")), "{error}");
    server.abort();
    Ok(())
}
