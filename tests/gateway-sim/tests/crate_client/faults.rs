//! What the crate makes of faults, as far as the daemon relies on it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

use std::time::Duration;

use ibapi::contracts::Contract;
use ibapi::market_data::historical::{BarSize, ToDuration};
use ibapi::{Client, Error};
use ktrdr_gateway_sim::Knobs;
use ktrdr_gateway_sim::faults::{Fault, FaultKind, Rule};

use crate::support::{Gateway, in_time};

/// For what never comes.
const LIMIT: Duration = Duration::from_millis(500);
/// Far more than an answer takes, even a long one.
const LONG: Duration = Duration::from_secs(20);

async fn fetch(client: &Client) -> Result<usize, Error> {
    let apple = Contract::stock("AAPL").build();
    let asked = client.historical_data(&apple, BarSize::Hour).duration(1.days()).fetch();
    Ok(in_time(asked).await?.bars.len())
}

async fn connect(gateway: &Gateway, limit: Duration) -> Result<Client, Error> {
    in_time(gateway.builder(9).one_shot_timeout(limit).connect()).await
}

/// The outcome of one request that was hit, in a word.
async fn outcome(fault: Fault, limit: Duration) -> &'static str {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = connect(&gateway, limit).await.unwrap();
    gateway.inject(Rule::new(fault).on("historical_data").unwrap());
    match fetch(&client).await {
        Ok(_) => "bars",
        Err(Error::Notice(_)) => "notice",
        Err(Error::ConnectionReset | Error::ConnectionFailed | Error::Io(_)) => "lost",
        Err(Error::Shutdown) => "shutdown",
        Err(Error::UnsupportedTimeZone(_)) => "zone",
        Err(error) if format!("{error:?}").to_lowercase().contains("time") => "time",
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn an_answer_that_was_hit() {
    for (kind, expected) in [
        (FaultKind::DropResponse, "time"),
        (FaultKind::NoEnd, "time"),
        (FaultKind::HiddenError, "time"),
        (FaultKind::WrongReqId, "time"),
        (FaultKind::Error, "notice"),
        (FaultKind::DataThenError, "notice"),
        (FaultKind::ErrorThenData, "bars"),
        (FaultKind::DupEnd, "bars"),
        (FaultKind::ForeignEnd, "bars"),
        (FaultKind::UtcEnd, "bars"),
        (FaultKind::Huge, "bars"),
        (FaultKind::NanPrice, "bars"),
        (FaultKind::Unsorted, "bars"),
        (FaultKind::UnknownId, "bars"),
        (FaultKind::UnknownZoneEnd, "zone"),
    ] {
        let limit = if expected == "time" { LIMIT } else { LONG };
        assert_eq!(outcome(Fault::new(kind), limit).await, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn connections_that_lead_nowhere_and_one_that_does() {
    let gateway = Gateway::start(Knobs::default()).await;
    gateway.inject(Rule::new(Fault::new(FaultKind::AcceptThenClose)));
    assert!(matches!(connect(&gateway, LONG).await, Err(Error::ConnectionRejected(_))));
    gateway.inject(Rule::new(Fault::new(FaultKind::OldVersion)));
    assert!(matches!(connect(&gateway, LONG).await, Err(Error::ServerVersion(213, 187, _))));
    gateway.inject(Rule::new(Fault::new(FaultKind::Reject326)));
    assert!(matches!(connect(&gateway, LONG).await, Err(Error::ClientIdInUse { .. })));
    for silent in [FaultKind::SilentAfterAccept, FaultKind::SilentAfterStart, FaultKind::OmitManagedAccounts] {
        gateway.inject(Rule::new(Fault::new(silent)));
        let connecting = tokio::time::timeout(LIMIT, gateway.builder(9).connect()).await;
        assert!(connecting.is_err(), "{silent:?}: {:?}", connecting.map(|client| client.map(drop)));
    }
    for harmless in [FaultKind::ReversedOrder, FaultKind::BadZoneInAck, FaultKind::NoFarms, FaultKind::LateFarms] {
        gateway.inject(Rule::new(Fault::new(harmless)));
        let client = connect(&gateway, LONG).await.unwrap();
        assert!(fetch(&client).await.is_ok_and(|bars| bars > 0), "{harmless:?}");
        in_time(client.disconnect()).await;
    }
    let report = gateway.stop().await;
    assert_eq!((report.connections.total, report.connections.most_at_once), (10, 1));
    assert!(report.violations.iter().all(|violation| violation.rule == "knocking_too_fast"), "{report:?}");
}
