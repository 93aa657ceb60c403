//! Live bars: what is told is what history says, one subscription serves all, and nothing that breaks in between is seen in
//! the bars.
//!
//! The market's clock runs faster than ours, from hours ago on: so its bars are in the past of the daemon's clock, and
//! history may be compared with them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use ktrdr_proto::v1::{
    ClosedBars, SeriesId, SubscribeRequest, SubscribeResponse, Timeframe, market_data_client::MarketDataClient,
    subscribe_response::Event,
};
use ktrdr_tests::{
    cli::Started,
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    home::Home,
    series::{self, Bar},
    wait,
};
use rustix::process::Signal;
use tonic::{Streaming, transport::Endpoint};

use crate::support::{SCALE, gateway_is, stored};

const SECOND: i64 = 1_000_000_000;

/// A market that began so many hours ago and is always open.
struct Market {
    began: Instant,
    from: Timestamp,
    /// Market seconds in a second.
    speed: u32,
}

impl Market {
    fn new(hours_ago: i64, speed: u32) -> Result<Self> {
        let from = Timestamp::now().checked_sub(SignedDuration::from_hours(hours_ago))?;
        Ok(Self { began: Instant::now(), from, speed })
    }

    /// For a gateway that starts now, with the same prices at the same times as any other of this market.
    fn flags(&self) -> Result<String> {
        let gone = SignedDuration::try_from(self.began.elapsed() * self.speed)?;
        let now = self.from.checked_add(gone)?;
        Ok(format!("--time-scale {SCALE} --always-open --market-speed {} --now {now}", self.speed))
    }
}

/// Bars that a watch has printed so far.
fn printed(watch: &Started) -> Result<Vec<Bar>> {
    let text = watch.stdout()?;
    // the last line may be half written
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    series::printed(whole)
}

fn has_printed(watch: &Started, count: usize) -> Result<()> {
    wait::until_true(&format!("{count} bars"), wait::LIMIT, || Ok(printed(watch)?.len() >= count))
        .with_context(|| format!("stdout {:?}, stderr {:?}", watch.stdout(), watch.stderr()))
}

/// Ctrl-C; what it has printed.
fn interrupted(mut watch: Started) -> Result<Vec<Bar>> {
    watch.process().signal(Signal::INT)?;
    series::printed(&watch.ended()?.ok()?)
}

/// What history says of the time of these bars, loaded now.
fn history(home: &Home, series: &str, bars: &[Bar]) -> Result<Vec<Bar>> {
    let (first, last) = (bars.first().context("a bar")?, bars.last().context("a bar")?);
    let end = last.start.parse::<Timestamp>()?.checked_add(SignedDuration::from_secs(1))?;
    home.ktrdr(&format!("data load {series} --start {} --end {end} -f json", first.start))?.ok()?;
    let stored = stored(home, series)?;
    Ok(stored.into_iter().filter(|bar| bar.start >= first.start && bar.start <= last.start).collect())
}

/// Nothing is open at the gateway any more.
fn nothing_is_open(home: &Home) -> Result<()> {
    wait::until_true("no open request", wait::LIMIT, || {
        let status = home.ktrdr("ib status -f json")?.json()?;
        Ok(status["state"] == "ready" && status["requests"]["open"] == 0)
    })
}

#[test]
fn closed_bars_are_what_history_says_of_them_later() -> Result<()> {
    let sim = GatewaySim::start(&Market::new(4, 60)?.flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    for (line, series) in [
        ("data watch AAPL -t 1m --history 30 --count 34", "AAPL -t 1m"),
        ("data watch EURUSD -t 5s --count 24", "EURUSD -t 5s"),
    ] {
        let bars = series::printed(&daemon.ktrdr(line)?.ok()?)?;
        assert_eq!(bars.len(), if series.ends_with("1m") { 34 } else { 24 });
        assert_eq!(history(&daemon, series, &bars)?, bars, "{series}");
    }
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_gateway_that_dies_leaves_no_hole_and_no_bar_twice() -> Result<()> {
    for series in ["AAPL -t 1m", "MSFT -t 5s"] {
        let market = Market::new(4, 60)?;
        let sim = GatewaySim::start(&market.flags()?)?;
        let port = sim.port();
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let watch = daemon.ktrdr_started(&format!("data watch {series}"))?;
        has_printed(&watch, 2)?;
        sim.kill()?;
        watch.says("Interrupted: ")?;
        gateway_is(&daemon, "disconnected")?;
        let before = printed(&watch)?.len();
        let sim = GatewaySim::start_on(port, &market.flags()?)?;
        watch.says("Bars come again")?;
        has_printed(&watch, before + 4)?;
        let bars = interrupted(watch)?;
        assert_eq!(history(&daemon, series, &bars)?, bars, "{series}");
        drop(daemon.terminate()?);
        sim.report()?;
    }
    Ok(())
}

#[test]
fn all_who_watch_share_one_subscription_and_the_last_one_ends_it() -> Result<()> {
    let sim = GatewaySim::start(&Market::new(4, 60)?.flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let first = daemon.ktrdr_started("data watch AAPL -t 1m")?;
    has_printed(&first, 1)?;
    let second = daemon.ktrdr_started("data watch aapl -t 1m --history 2")?;
    has_printed(&second, 4)?;
    let (first, second) = (interrupted(first)?, interrupted(second)?);
    let shared = first.iter().filter(|bar| second.contains(bar)).count();
    assert!(shared >= 2, "{first:?} {second:?}");
    nothing_is_open(&daemon)?;
    drop(daemon.terminate()?);
    let report = sim.report()?;
    assert_eq!(report.historical(), 1, "{:#}", report.document());
    assert_eq!(report.requests("cancel_historical_data"), 1, "{:#}", report.document());
    Ok(())
}

#[test]
fn what_cannot_be_watched_is_refused_with_its_reason() -> Result<()> {
    let sim = GatewaySim::start(&Market::new(4, 60)?.flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr("data watch AAPL -t 1s -f json")?.fails(2, "TIMEFRAME_INVALID")?;
    daemon.ktrdr("data watch EURUSD -t 1m --what trades -f json")?.fails(1, "WHAT_TO_SHOW_UNAVAILABLE")?;
    daemon.ktrdr("data watch NOSUCH -t 1m -f json")?.fails(7, "CONTRACT_NOT_FOUND")?;
    daemon.ktrdr("data watch AAPL -t 1m --keep --count 1")?.ok()?;
    wait::until_true("a stored bar", wait::LIMIT, || Ok(daemon.ktrdr("data range AAPL -t 1m")?.status == 0))?;
    daemon.ktrdr("data watch AAPL -t 1m --keep --trading-hours -f json")?.fails(1, "SESSION_MISMATCH")?;
    drop(daemon.terminate()?);
    sim.report()?;
    let daemon = TestDaemon::alone()?;
    daemon.ktrdr("data watch AAPL -t 1m -f json")?.fails(5, "GATEWAY_UNREACHABLE")?;
    Ok(())
}

#[test]
fn kept_bars_are_stored_and_not_asked_for_again() -> Result<()> {
    let sim = GatewaySim::start(&Market::new(4, 60)?.flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let bars = series::printed(&daemon.ktrdr("data watch AAPL -t 1m --keep --count 4")?.ok()?)?;
    let last = bars.last().context("a bar")?;
    wait::until_true("the last bar to be stored", wait::LIMIT, || {
        let ran = daemon.ktrdr("data show AAPL -t 1m --all -f csv")?;
        Ok(ran.status == 0 && series::printed(&ran.stdout)?.iter().any(|bar| bar.start >= last.start))
    })?;
    let kept = stored(&daemon, "AAPL -t 1m")?;
    assert!(bars.iter().all(|bar| kept.contains(bar)), "{bars:?} {kept:?}");
    nothing_is_open(&daemon)?;
    let (first, end) = (&bars[0].start, &last.start);
    let load = format!("data load AAPL -t 1m --start {first} --end {end} -f json");
    assert_eq!(daemon.ktrdr(&load)?.json()?["requests_made"], 0, "known complete");
    assert_eq!(history(&daemon, "AAPL -t 1m", &kept)?, kept);
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

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
            Event::Closed(ClosedBars { bars, .. }) => starts.extend(bars.unwrap_or_default().start_ns),
            Event::Missed(bars) => missed.push((starts.len(), bars.bars)),
            Event::Header(_) | Event::State(_) => {}
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
