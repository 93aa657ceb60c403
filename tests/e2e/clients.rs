//! Many clients at once.

use anyhow::Result;
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, GetRangeRequest, ListOperationsRequest, ListSeriesRequest, SeriesId, Timeframe,
};
use ktrdr_tests::daemon::TestDaemon;

use crate::support::import;

const CLIENTS: usize = 20;
const CALLS: usize = 500;
/// What an allocator may keep without anything leaking.
const GROWTH_MAX: u64 = 8 << 20;

async fn client(daemon: &TestDaemon) -> Result<()> {
    let (mut data, mut operations, mut about) = (daemon.market_data()?, daemon.operations()?, daemon.daemon()?);
    let series = || Some(SeriesId { symbol: "AAPL".to_owned(), timeframe: Timeframe::Days1.into() });
    for call in 0..CALLS {
        match call % 4 {
            0 => drop(data.get_range(GetRangeRequest { series: series() }).await?),
            1 => drop(operations.list(ListOperationsRequest::default()).await?),
            2 => drop(about.get_status(GetDaemonStatusRequest {}).await?),
            _ => drop(data.list_series(ListSeriesRequest {}).await?),
        }
    }
    Ok(())
}

async fn round(daemon: &std::sync::Arc<TestDaemon>) -> Result<u64> {
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let daemon = daemon.clone();
            tokio::spawn(async move { client(&daemon).await })
        })
        .collect();
    for client in clients {
        client.await??;
    }
    Ok(daemon.status()?.memory_bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_clients_with_500_calls_each_meet_no_error_and_no_growth() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv"])?;
    let daemon = std::sync::Arc::new(daemon);
    let warm = round(&daemon).await?;
    let after = round(&daemon).await?;
    assert!(after.saturating_sub(warm) < GROWTH_MAX, "{warm} bytes, then {after}");
    Ok(())
}

#[test]
fn twenty_commands_at_once_all_end_well() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv", "NVDA_1h.csv"])?;
    let lines = ["data range AAPL", "operations list", "daemon status", "data show NVDA -t 1h --all"];
    let commands: Vec<_> = (0..20).map(|at| daemon.ktrdr_started(lines[at % lines.len()])).collect::<Result<_>>()?;
    for command in commands {
        command.ended()?.ok()?;
    }
    Ok(())
}
