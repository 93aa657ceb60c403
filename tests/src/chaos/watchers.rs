//! Clients that watch live bars, leave and come back. What they are told must be in one piece and, at the end, what
//! history says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use ktrdr_proto::v1::{
    BarColumns, ClosedBars, LoadRequest, SeriesId, SubscribeRequest, SubscribeResponse, TimeRange, Timeframe,
    subscribe_response::Event,
};
use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::{
    calls::{Clients, daemon_is_back, failed},
    loads,
    market::Figures,
    visitors,
    world::World,
};

const SECOND: i64 = 1_000_000_000;
/// Bars of five seconds and bars that are kept up to date, of a stock and of a currency pair, with their steps in seconds.
const WATCHED: [(&str, Timeframe, i64); 4] = [
    ("AAPL", Timeframe::Seconds5, 5),
    ("MSFT", Timeframe::Minutes1, 60),
    ("EURUSD", Timeframe::Seconds5, 5),
    ("USDJPY", Timeframe::Minutes1, 60),
];
/// Nobody hears nothing for so long: bars come, or it is told that none do.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// After the run, all of them are loaded within this.
const LOAD_MAX: Duration = Duration::from_mins(2);

/// What was told of each watched series.
#[derive(Debug, Default)]
pub(crate) struct Told([Mutex<BTreeMap<i64, Figures>>; WATCHED.len()]);

/// What became of the live bars.
#[derive(Debug, Default)]
pub(crate) struct LiveVerdict {
    /// Different bars that were told.
    pub(crate) told: u64,
    /// Told, and not what history says.
    pub(crate) wrong: u64,
}

/// Watches this and that until the run is over.
pub(crate) async fn watch_until_over(world: Arc<World>, number: usize) {
    let mut rng = Rng::with_seed(world.seed ^ (300 + number as u64));
    let Ok(clients) = Clients::new(&world) else { return };
    // each of them is watched by somebody from the beginning
    let mut watched = number % WATCHED.len();
    while !world.is_over() {
        let stay = Duration::from_millis(rng.u64(500..8_000));
        watch(&world, &clients, watched, rng.u32(..20), stay).await;
        watched = rng.usize(..WATCHED.len());
        tokio::time::sleep(Duration::from_millis(rng.u64(5..300))).await;
        if world.daemon_number() % 2 == 1 {
            daemon_is_back(&world, &clients).await;
        }
    }
}

fn series(number: usize) -> SeriesId {
    let (symbol, timeframe, _) = WATCHED[number];
    SeriesId { symbol: symbol.to_owned(), timeframe: timeframe.into() }
}

async fn watch(world: &World, clients: &Clients, number: usize, history: u32, stay: Duration) {
    let before = world.daemon_number();
    world.tally().calls += 1;
    let request = SubscribeRequest { series: Some(series(number)), history, ..SubscribeRequest::default() };
    let ended = match clients.data.clone().subscribe(request).await {
        Ok(events) => listen(world, number, events.into_inner(), Instant::now() + stay).await,
        Err(status) => Err(status),
    };
    if let Err(status) = ended {
        drop(failed::<()>(world, "Subscribe", before, &status));
    }
}

/// Listens for as long as it wants to.
async fn listen(
    world: &World,
    number: usize,
    mut events: Streaming<SubscribeResponse>,
    until: Instant,
) -> Result<(), Status> {
    let mut last = None;
    loop {
        let silence = Instant::now() + SILENCE_MAX;
        let event = tokio::select! {
            event = events.message() => event?,
            () = tokio::time::sleep_until(until.min(silence)) => {
                if silence < until {
                    world.tally().without_end.push(format!("Subscribe: nothing for {SILENCE_MAX:?}"));
                }
                return Ok(());
            }
        };
        match event.and_then(|event| event.event) {
            Some(Event::Closed(closed)) => note(world, number, &closed, &mut last),
            Some(Event::Missed(_)) => last = None,
            Some(Event::Running(bars)) if bars.start_ns().next() <= last => {
                world.tally().surprises.push(format!("{}: a bar runs that is over", WATCHED[number].0));
            }
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

/// Closed bars must follow each other, unless it is told that one may be missing.
fn note(world: &World, number: usize, closed: &ClosedBars, last: &mut Option<i64>) {
    let none = BarColumns::default();
    let columns = closed.bars.as_ref().unwrap_or(&none);
    if closed.gap_before {
        *last = None;
    }
    let (symbol, _, step) = WATCHED[number];
    for (start, figures) in visitors::rows(columns) {
        if last.is_some_and(|last| start != last + step * SECOND) {
            let text = format!("{symbol} {step} s live: {start} follows {last:?}, filled: {}", closed.filled);
            world.tally().surprises.push(text);
        }
        *last = Some(start);
        let known = world.told.of(number).insert(start, figures);
        if known.is_some_and(|known| !same(known, figures)) {
            let text = format!("{symbol} {step} s live: {start} was {known:?}, and {figures:?} to another");
            world.tally().surprises.push(text);
        }
    }
}

/// Nothing equals nothing.
fn same(one: Figures, other: Figures) -> bool {
    one.map(f64::to_bits) == other.map(f64::to_bits)
}

impl Told {
    fn of(&self, number: usize) -> std::sync::MutexGuard<'_, BTreeMap<i64, Figures>> {
        self.0[number].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads what was watched, from a gateway that is calm again, and compares.
pub(crate) async fn look(world: &World, clients: &Clients) -> LiveVerdict {
    let mut verdict = LiveVerdict::default();
    for (number, (symbol, _, step)) in WATCHED.iter().enumerate() {
        let told = std::mem::take(&mut *world.told.of(number));
        let (Some((first, _)), Some((last, _))) = (told.first_key_value(), told.last_key_value()) else {
            world.tally().surprises.push(format!("{symbol} {step} s live: not one bar was told"));
            continue;
        };
        let range = TimeRange { start_ns: Some(*first), end_ns: Some(last + step * SECOND) };
        let request = LoadRequest { series: Some(series(number)), range: Some(range), ..LoadRequest::default() };
        if tokio::time::timeout(LOAD_MAX, loads::complete(world, clients, &request)).await.is_err() {
            world.tally().without_end.push(format!("{symbol} {step} s: the load of what was watched"));
            continue;
        }
        let Ok(parts) = visitors::stored(clients, &series(number), None).await else {
            world.tally().surprises.push(format!("{symbol} {step} s: what was watched cannot be read"));
            continue;
        };
        let stored: BTreeMap<i64, Figures> = parts.iter().flat_map(visitors::rows).collect();
        let is_wrong = |(start, figures): &(&i64, &Figures)| !stored.get(start).is_some_and(|is| same(*is, **figures));
        let wrong: Vec<_> = told.iter().filter(is_wrong).collect();
        if let Some((start, figures)) = wrong.first() {
            let text = format!("{symbol} {step} s live: {start} was {figures:?}, history says {:?}", stored.get(start));
            world.tally().surprises.push(text);
        }
        verdict.told += told.len() as u64;
        verdict.wrong += wrong.len() as u64;
    }
    verdict
}
