//! Reading stored bars: one header, then rows in chunks. Never touches the gateway.

use std::{ops::Range, sync::Arc};

use tokio::sync::mpsc;

use super::{MarketDataError, view::Seen};
use crate::{
    model::{Bar, Bars, Basis, Nanos, SeriesKey, Source, TimeRange, Timeframe},
    store::{Opened, SeriesState, Store, StoreError},
};

/// Rows of one chunk: 6 columns of 8 bytes make 240 KB, the flat optimum for a stream, far below gRPC's 4 MiB.
const CHUNK_ROWS: usize = 5_000;
/// Chunks made ahead of the reader. A slow one stalls itself alone.
const CHUNKS_AHEAD: usize = 2;

/// Which rows of the range are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Window {
    /// All of them.
    All,
    /// The first ones.
    Head(u64),
    /// The last ones.
    Tail(u64),
}

/// What is said before the rows.
#[derive(Debug, Clone)]
pub struct Header {
    /// The series.
    pub key: SeriesKey,
    /// Session and prices.
    pub basis: Basis,
    /// Where its bars came from.
    pub source: Source,
    /// Rows in the range.
    pub rows_in_range: u64,
    /// Rows that follow.
    pub rows_sent: u64,
    /// First bar of the range.
    pub first: Option<Nanos>,
    /// Last bar of the range.
    pub last: Option<Nanos>,
    /// The bars are made of stored ones of this size.
    pub derived_from: Option<Timeframe>,
    /// The market's clock, when it was asked for and is known.
    pub time_zone: Option<String>,
}

/// Some rows of bars that others may be reading, too.
#[derive(Debug)]
pub struct Chunk {
    /// All that were read.
    pub bars: Arc<Bars>,
    /// Which of them it is.
    pub rows: Range<usize>,
}

impl Chunk {
    /// Its bars.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bar> + '_ {
        self.rows.clone().map(|row| self.bars.at(row))
    }
}

/// Chunks of rows, in order. Dropping it ends the reading.
pub type Rows = mpsc::Receiver<Result<Chunk, MarketDataError>>;

/// A part of the answer: its rows in the range, read already where they had to be counted.
enum Part {
    Whole(Opened),
    Read(Bars),
    /// Some hours of a range of it.
    Filtered(Opened, TimeRange),
}

/// Parts with their rows, and the ends of all of them.
type Parts = (Vec<(u64, Part)>, Option<(Nanos, Nanos)>);

/// Checks every partition that the range touches, then reads year by year.
pub(super) async fn query(
    store: Store,
    key: SeriesKey,
    range: Option<TimeRange>,
    window: Window,
    seen: Option<Seen>,
) -> Result<(Header, Rows), MarketDataError> {
    let (rows, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let (header_to, header) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let prepared = prepare(&store, &key, range, window, seen.as_ref());
        let (header, parts) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return drop(header_to.send(Err(error))),
        };
        let (skip, send) = match window {
            Window::Tail(_) => (header.rows_in_range - header.rows_sent, header.rows_sent),
            _ => (0, header.rows_sent),
        };
        if header_to.send(Ok(header)).is_err() {
            return;
        }
        if let Err(error) = produce(parts, (skip, send), seen.as_ref(), &rows) {
            drop(rows.blocking_send(Err(error.into())));
        }
    });
    let header = header.await.map_err(|_| MarketDataError::Defect)??;
    Ok((header, receiver))
}

fn prepare(
    store: &Store,
    key: &SeriesKey,
    range: Option<TimeRange>,
    window: Window,
    seen: Option<&Seen>,
) -> Result<(Header, Vec<(u64, Part)>), MarketDataError> {
    let state = store.state(key).filter(|state| state.bars() > 0);
    let Some(state) = state else { return Err(MarketDataError::SeriesNotFound { key: key.clone() }) };
    let range = range.unwrap_or(TimeRange::ALL);
    let (parts, ends) = match seen {
        None => stored(store, key, &range)?,
        Some(seen) if seen.resample.is_some() => (resampled(store, key, &range, &state, seen)?, None),
        Some(seen) => filtered(store, key, &range, seen)?,
    };
    let ends = ends.or_else(|| ends_of(&parts));
    let rows_in_range: u64 = parts.iter().map(|(rows, _)| rows).sum();
    let rows_sent = match window {
        Window::All => rows_in_range,
        Window::Head(rows) | Window::Tail(rows) => rows.min(rows_in_range),
    };
    let derived = seen.and_then(|seen| seen.resample);
    let header = Header {
        key: SeriesKey { timeframe: derived.unwrap_or(key.timeframe), ..key.clone() },
        basis: state.basis,
        source: state.source,
        rows_in_range,
        rows_sent,
        first: ends.map(|(first, _)| first),
        last: ends.map(|(_, last)| last),
        derived_from: derived.map(|_| key.timeframe),
        time_zone: None,
    };
    Ok((header, parts))
}

/// As they are stored.
fn stored(store: &Store, key: &SeriesKey, range: &TimeRange) -> Result<Parts, MarketDataError> {
    let (mut parts, mut ends) = (Vec::new(), None);
    for opened in store.open_years(key, range)? {
        let (rows, from, to) = opened.facts();
        let (rows, part, own) = if range.contains(from) && range.contains(to) {
            // it is read later, if its rows are wanted at all; damage is told before the first row
            store.verify_year(key, opened.year())?;
            (rows, Part::Whole(opened), Some((from, to)))
        } else {
            let bars = opened.bars()?;
            let bars = bars.slice(bars.rows_in(range));
            let own = bars.start.first().copied().zip(bars.start.last().copied());
            (bars.len() as u64, Part::Read(bars), own)
        };
        ends = joined(ends, own);
        parts.push((rows, part));
    }
    Ok((parts, ends))
}

/// Some hours: read once to count, and again to send, so that memory does not grow.
fn filtered(store: &Store, key: &SeriesKey, range: &TimeRange, seen: &Seen) -> Result<Parts, MarketDataError> {
    let (mut parts, mut ends) = (Vec::new(), None);
    for opened in store.open_years(key, range)? {
        let bars = opened.again()?.bars()?;
        let bars = seen.filtered(bars.slice(bars.rows_in(range)));
        ends = joined(ends, bars.start.first().copied().zip(bars.start.last().copied()));
        parts.push((bars.len() as u64, Part::Filtered(opened, *range)));
    }
    Ok((parts, ends))
}

/// Longer bars; there are so few of them that they are held in memory.
fn resampled(
    store: &Store,
    key: &SeriesKey,
    range: &TimeRange,
    state: &SeriesState,
    seen: &Seen,
) -> Result<Vec<(u64, Part)>, MarketDataError> {
    let reads = seen.reads(range);
    let Some(mut resampler) = seen.resampler(state) else { return Ok(Vec::new()) };
    let mut made = Vec::new();
    for opened in store.open_years(key, &reads)? {
        let bars = opened.bars()?;
        made.push(resampler.push(&seen.filtered(bars.slice(bars.rows_in(&reads)))));
    }
    made.push(resampler.finish());
    let within = made.into_iter().map(|bars| bars.slice(bars.rows_in(range)));
    Ok(within.map(|bars| (bars.len() as u64, Part::Read(bars))).collect())
}

fn joined(ends: Option<(Nanos, Nanos)>, own: Option<(Nanos, Nanos)>) -> Option<(Nanos, Nanos)> {
    match (ends, own) {
        (Some((first, _)), Some((_, last))) => Some((first, last)),
        (ends, own) => own.or(ends),
    }
}

fn ends_of(parts: &[(u64, Part)]) -> Option<(Nanos, Nanos)> {
    let read = parts.iter().filter_map(|(_, part)| match part {
        Part::Read(bars) => bars.start.first().copied().zip(bars.start.last().copied()),
        Part::Whole(_) | Part::Filtered(..) => None,
    });
    read.fold(None, |ends, own| joined(ends, Some(own)))
}

fn produce(
    parts: Vec<(u64, Part)>,
    (mut skip, mut send): (u64, u64),
    seen: Option<&Seen>,
    rows: &mpsc::Sender<Result<Chunk, MarketDataError>>,
) -> Result<(), StoreError> {
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    for (rows_of_part, part) in parts {
        if skip >= rows_of_part {
            skip -= rows_of_part;
            continue;
        }
        if send == 0 {
            break;
        }
        let wanted = count(skip)..count(rows_of_part.min(skip.saturating_add(send)));
        skip = 0;
        let (bars, wanted) = match part {
            Part::Whole(opened) => opened.rows(wanted)?,
            Part::Read(bars) => (Arc::new(bars), wanted),
            Part::Filtered(opened, range) => {
                let bars = opened.bars()?;
                let bars = bars.slice(bars.rows_in(&range));
                let bars = match seen {
                    Some(seen) => seen.filtered(bars),
                    None => bars,
                };
                (Arc::new(bars), wanted)
            }
        };
        send -= wanted.len() as u64;
        for from in wanted.clone().step_by(CHUNK_ROWS) {
            let to = wanted.end.min(from.saturating_add(CHUNK_ROWS));
            if rows.blocking_send(Ok(Chunk { bars: bars.clone(), rows: from..to })).is_err() {
                return Ok(()); // the reader has gone
            }
        }
    }
    Ok(())
}
