//! Somebody opens the ledger with another program, and begins to write.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ktrdr_proto::v1::{LoadRequest, SeriesId, Timeframe};
use rusqlite::Connection;

use super::{Seen, as_it_must};
use crate::{
    daemon::{TestDaemon, spawn},
    home::Home,
    steps::{import, stored_text},
    wait,
};

/// Longer than the daemon waits for a lock.
const ANSWER_MAX: Duration = Duration::from_secs(20);

fn lock(home: &Home) -> Result<Connection> {
    let other = Connection::open(home.data().join("ktrdr.sqlite"))?;
    other.execute_batch("BEGIN EXCLUSIVE").context("the lock")?;
    Ok(other)
}

pub(super) fn locked() -> Result<Seen> {
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    import(&daemon, &["AAPL_1d.csv"])?.ok()?;
    let before = stored_text(&daemon, "AAPL")?;

    let other = lock(&daemon)?;
    let began = Instant::now();
    let asked: Vec<_> = (0..5)
        .map(|_| {
            let file = crate::data_folder().join("GOOGL_1d.csv");
            daemon.ktrdr_started(&format!("data import -f json {}", file.display()))
        })
        .collect::<Result<_>>()?;
    ensure!(stored_text(&daemon, "AAPL")? == before, "what is stored is served");
    daemon.ktrdr("operations list")?.ok()?;
    for ran in asked {
        let ran = ran.ended()?;
        ran.fails(5, "LEDGER_LOCKED")?;
    }
    let refused = began.elapsed();
    ensure!(refused < ANSWER_MAX, "five were refused after {refused:?}");
    drop(other);
    given_up(&daemon)?;

    import(&daemon, &["GOOGL_1d.csv"])?.ok()?;
    let after = stored_text(&daemon, "GOOGL")?;
    let daemon = daemon.restart()?;
    ensure!(stored_text(&daemon, "AAPL")? == before && stored_text(&daemon, "GOOGL")? == after, "nothing is lost");
    daemon.ktrdr("data verify")?.ok()?;
    daemon.terminate()?;
    Ok(as_it_must(format!(
        "LEDGER_LOCKED after {:.1} s, bars served meanwhile, goes on afterwards",
        refused.as_secs_f64()
    )))
}

/// A client that does not wait for the end of the lock, and asks again with the same id: it is one operation.
fn given_up(daemon: &TestDaemon) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let request = LoadRequest {
            request_id: "given-up".to_owned(),
            series: Some(SeriesId { symbol: "MSFT".to_owned(), timeframe: Timeframe::Days1.into() }),
            ..LoadRequest::default()
        };
        let other = lock(daemon)?;
        let mut client = daemon.market_data()?;
        let waited = tokio::time::timeout(Duration::from_secs(1), client.load(request.clone())).await;
        ensure!(waited.is_err(), "the lock holds it up: {waited:?}");
        drop(other);
        let known = client.load(request).await.context("the same again")?.into_inner();
        ensure!(known.joined && known.same_request, "it was entered by the first: {known:?}");
        Ok(())
    })
}

pub(super) fn locked_at_start() -> Result<Seen> {
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    import(&daemon, &["AAPL_1d.csv"])?.ok()?;
    let before = stored_text(&daemon, "AAPL")?;
    // killed, so that the next start has something to put in order
    let mut killed = daemon.kill_9()?;
    let other = lock(killed.home())?;
    let status = spawn(killed.home())?.ended_within(wait::LIMIT)?;
    let log = std::fs::read_to_string(killed.home().daemon_log())?;
    ensure!(status.code() == Some(1), "it ended with {status}: {log}");
    ensure!(log.contains("another program has the ledger") && log.contains("hint: "), "it said {log}");
    drop(other);
    let daemon = killed.start()?;
    ensure!(stored_text(&daemon, "AAPL")? == before, "nothing is lost");
    daemon.terminate()?;
    Ok(as_it_must("says so and ends with 1; starts when the lock is gone"))
}
