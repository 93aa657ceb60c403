//! Many clients of one live series, and slow ones.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use ktrdr_proto::v1::{
    ClosedBars, SeriesId, SubscribeRequest, SubscribeResponse, Timeframe, market_data_client::MarketDataClient,
    subscribe_response::Event,
};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, wait};
use tonic::{Streaming, transport::Endpoint};

use crate::{live::Market, support::SCALE};

const SECOND: i64 = 1_000_000_000;

type Live = Streaming<SubscribeResponse>;

fn subscription(symbol: &str) -> SubscribeRequest {
    let series = SeriesId { symbol: symbol.to_owned(), timeframe: Timeframe::Seconds5.into() };
    SubscribeRequest { series: Some(series), ..SubscribeRequest::default() }
}

/// A client that takes only little before it is read from. Its connection may hold more than its stream: the fewer bytes
/// that may hold, the fewer small frames does h2 suffer to wait there.
async fn narrow(daemon: &TestDaemon) -> Result<Live> {
    let endpoint = Endpoint::from_shared(format!("unix://{}", daemon.socket().display()))?
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(1 << 20);
    let mut client = MarketDataClient::new(endpoint.connect_lazy());
    Ok(client.subscribe(subscription("AAPL")).await?.into_inner())
}

async fn next(live: &mut Live) -> Result<Event> {
    let message = tokio::time::timeout(wait::LIMIT, live.message()).await.context("no event in time")??;
    message.and_then(|message| message.event).context("the stream ended")
}

/// Reads until so many closed bars have come: their starts, and the numbers of bars missed before them.
async fn read(live: &mut Live, count: usize) -> Result<(Vec<i64>, Vec<(usize, u64)>)> {
    let (mut starts, mut missed) = (Vec::new(), Vec::new());
    while starts.len() < count {
        match next(live).await? {
            Event::Closed(ClosedBars { bars, .. }) => starts.extend(bars.unwrap_or_default().start_ns()),
            Event::Missed(bars) => missed.push((starts.len(), bars.bars)),
            Event::Header(_) | Event::State(_) => {}
            Event::NotKept(lost) => bail!("not kept: {lost:?}"),
            Event::Running(_) => bail!("bars of five seconds come when they are over"),
        }
    }
    Ok((starts, missed))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_is_told_what_it_missed_and_nobody_else_misses_anything() -> Result<()> {
    let sim = GatewaySim::start(&Market::new(24 * 20, 2_400)?.flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let mut slow = narrow(&daemon).await?;
    let mut quick = daemon.market_data()?.subscribe(subscription("AAPL")).await?.into_inner();
    let (told, missed) = read(&mut quick, 6_000).await?;
    assert_eq!(missed, []);
    assert!(told.windows(2).all(|pair| pair[1] == pair[0] + 5 * SECOND), "one after the other");

    let (told, missed) = read(&mut slow, 3_000).await?;
    ensure!(!missed.is_empty(), "{} bars and none missed", told.len());
    let mut expected = told[0];
    for (at, start) in told.iter().enumerate() {
        let left_out: u64 = missed.iter().filter(|(before, _)| *before == at && at > 0).map(|(_, bars)| bars).sum();
        expected += i64::try_from(left_out)? * 5 * SECOND;
        assert_eq!(*start, expected, "bar {at} of {told:?}, missed {missed:?}");
        expected += 5 * SECOND;
    }
    drop((slow, quick));
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// Processor time that a process has used.
fn used(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // a tick is a hundredth of a second on every Linux there is
    Ok(Duration::from_millis(ticks * 10))
}

/// So many clients of one series, each on a connection of its own, for so many bars; processor time of the daemon.
async fn fan_out(clients: usize, bars: usize) -> Result<Duration> {
    let sim = GatewaySim::start(&Market::new(24 * 20, 1_200)?.flags()?)?;
    let mut daemon = TestDaemon::hurried(&sim, SCALE)?;
    let mut streams = Vec::new();
    for _ in 0..clients {
        streams.push(daemon.market_data()?.subscribe(subscription("AAPL")).await?.into_inner());
    }
    for stream in &mut streams {
        read(stream, 1).await?;
    }
    let before = used(daemon.process().id())?;
    let reading = streams.into_iter().map(|mut stream| tokio::spawn(async move { read(&mut stream, bars).await }));
    for reader in reading.collect::<Vec<_>>() {
        let (_, missed) = reader.await??;
        assert_eq!(missed, []);
    }
    let used = used(daemon.process().id())?.saturating_sub(before);
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.requests("real_time_bars"), 1, "one subscription for {clients} clients");
    Ok(used)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_clients_of_one_series_are_one_subscription() -> Result<()> {
    fan_out(100, 200).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, asserts no time; build with --release: cargo test --release -p ktrdr-tests fan_out -- --ignored --nocapture"]
async fn what_fan_out_costs_a_client() -> Result<()> {
    const BARS: u32 = 4_000;
    let (one, hundred) = (fan_out(1, BARS as usize).await?, fan_out(100, BARS as usize).await?);
    let each = hundred.saturating_sub(one) / (99 * BARS);
    eprintln!("{BARS} bars: {one:?} of the daemon's processor time for one client, {hundred:?} for a hundred");
    eprintln!("each further client costs {each:?} a bar");
    Ok(())
}
