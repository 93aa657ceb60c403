//! Reading stored bars: one header, then rows in chunks. Never touches the gateway.
//!
//! A reader may take as long as it likes, and there may be a thousand of them: nothing is decoded for one that has not taken what
//! there is, no thread waits for one, and what was decoded is given back when it is not taken soon.

use std::{ops::Range, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{Chunk, MarketDataError, view::Seen};
use crate::{
    model::{Bars, Basis, Nanos, SeriesKey, Source, TimeRange, Timeframe},
    store::{Ends, Opened, SeriesState, Store, StoreError},
};

/// Rows of one chunk: 6 columns of 8 bytes make 240 KB, the flat optimum for a stream, far below gRPC's 4 MiB.
const CHUNK_ROWS: usize = 5_000;
/// Of a long one: 480 KB, which a client of Arrow Flight takes a twentieth faster.
const LONG_CHUNK_ROWS: usize = 10_000;
/// Chunks made ahead of the reader. A slow one stalls itself alone.
const CHUNKS_AHEAD: usize = 2;
/// What was decoded is held so long for a reader that does not take the next chunk. Others take one in a millisecond.
const PATIENCE: Duration = Duration::from_millis(250);
/// Rows that are decoded at a time for one that was slow, and for all when there is no room for more.
const PIECE_ROWS: usize = 8 * CHUNK_ROWS;
/// But not less than this part of what is left: each time, the file is read and checked as a whole.
const PIECES_MAX: usize = 16;

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
    /// Of the stored series, if the rows are its own.
    pub revision: Option<u64>,
}

/// Chunks of rows, in order. Dropping it ends the reading.
pub type Rows = mpsc::Receiver<Result<Chunk, MarketDataError>>;

/// Who is read for, and how many rows a chunk has.
struct Reader {
    rows: mpsc::Sender<Result<Chunk, MarketDataError>>,
    most: usize,
}

/// A part of the answer.
enum Part {
    /// From this row on.
    Stored(Opened, usize),
    /// Made already.
    Made(Arc<Bars>),
    /// Some hours of a range of it.
    Filtered(Opened, TimeRange),
}

impl Part {
    /// Some of its rows, and where they are in what is returned. Blocks.
    fn rows(&self, wanted: Range<usize>, seen: Option<&Seen>) -> Result<(Arc<Bars>, Range<usize>), StoreError> {
        match self {
            Self::Stored(opened, first) => opened.rows(first + wanted.start..first + wanted.end),
            Self::Made(bars) => Ok((bars.clone(), wanted)),
            Self::Filtered(opened, range) => {
                let bars = opened.bars()?;
                let bars = bars.slice(bars.rows_in(range));
                let bars = match seen {
                    Some(seen) => seen.filtered(bars),
                    None => bars,
                };
                Ok((Arc::new(bars), wanted))
            }
        }
    }
}

/// Parts with their rows, and the ends of all of them.
type Parts = (Vec<(u64, Part)>, Ends);

/// Checks every partition that the range touches, then reads year by year.
pub(super) async fn query(
    store: Store,
    key: SeriesKey,
    range: Option<TimeRange>,
    (window, long_chunks): (Window, bool),
    seen: Option<Seen>,
) -> Result<(Header, Rows), MarketDataError> {
    let (rows, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let seen = Arc::new(seen);
    let (reading, as_seen) = (store.clone(), seen.clone());
    let prepared = store.in_turn(move || prepare(&reading, &key, range, window, (*as_seen).as_ref())).await;
    let (header, parts) = prepared.ok_or(MarketDataError::Defect)??;
    let (skip, send) = match window {
        Window::Tail(_) => (header.rows_in_range - header.rows_sent, header.rows_sent),
        _ => (0, header.rows_sent),
    };
    let to = Reader { rows, most: if long_chunks { LONG_CHUNK_ROWS } else { CHUNK_ROWS } };
    tokio::spawn(async move {
        if let Err(error) = produce(&store, parts, (skip, send), &seen, &to).await {
            // who has gone need not be told
            to.rows.send(Err(error)).await.unwrap_or_default();
        }
    });
    Ok((header, receiver))
}

fn prepare(
    store: &Store,
    key: &SeriesKey,
    range: Option<TimeRange>,
    window: Window,
    seen: Option<&Seen>,
) -> Result<(Header, Vec<(u64, Part)>), MarketDataError> {
    let range = range.unwrap_or(TimeRange::ALL);
    let reads = seen.filter(|seen| seen.resample.is_some()).map_or(range, |seen| seen.reads(&range));
    let opened = store.open_series(key, &reads)?.filter(|(state, _)| state.bars() > 0);
    let Some((state, years)) = opened else { return Err(MarketDataError::not_found(store, key.clone())) };
    let (parts, ends) = match seen {
        None => stored(store, key, years, &range)?,
        Some(seen) if seen.resample.is_some() => resampled(years, &range, &reads, &state, seen)?,
        Some(seen) => filtered(years, &range, seen)?,
    };
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
        // bars that are made or chosen depend on calendars, too
        revision: seen.is_none().then(|| state.revision()),
    };
    Ok((header, parts))
}

/// As they are stored.
fn stored(store: &Store, key: &SeriesKey, years: Vec<Opened>, range: &TimeRange) -> Result<Parts, MarketDataError> {
    let (mut parts, mut ends) = (Vec::new(), None);
    for opened in years {
        let (rows, from, to) = opened.facts();
        let (rows, part, own) = if range.contains(from) && range.contains(to) {
            // it is read later, if its rows are wanted at all; damage is told before the first row
            store.verify_year(key, opened.year())?;
            (rows, Part::Stored(opened, 0), Some((from, to)))
        } else {
            let (rows, own) = opened.rows_in(range)?;
            (rows.len() as u64, Part::Stored(opened, rows.start), own)
        };
        ends = joined(ends, own);
        parts.push((rows, part));
    }
    Ok((parts, ends))
}

/// Some hours: read once to count, and again to send, so that memory does not grow.
fn filtered(years: Vec<Opened>, range: &TimeRange, seen: &Seen) -> Result<Parts, MarketDataError> {
    let (mut parts, mut ends) = (Vec::new(), None);
    for opened in years {
        let bars = opened.bars()?;
        let bars = seen.filtered(bars.slice(bars.rows_in(range)));
        ends = joined(ends, ends_of(&bars));
        parts.push((bars.len() as u64, Part::Filtered(opened, *range)));
    }
    Ok((parts, ends))
}

/// Longer bars; there are so few of them that they are held in memory.
fn resampled(
    years: Vec<Opened>,
    range: &TimeRange,
    reads: &TimeRange,
    state: &SeriesState,
    seen: &Seen,
) -> Result<Parts, MarketDataError> {
    let Some(mut resampler) = seen.resampler(state) else { return Ok((Vec::new(), None)) };
    let mut made = Vec::new();
    for opened in years {
        let bars = opened.bars()?;
        made.push(resampler.push(&seen.filtered(bars.slice(bars.rows_in(reads)))));
    }
    made.push(resampler.finish());
    let (mut parts, mut ends) = (Vec::new(), None);
    for bars in made {
        let bars = bars.slice(bars.rows_in(range));
        ends = joined(ends, ends_of(&bars));
        parts.push((bars.len() as u64, Part::Made(Arc::new(bars))));
    }
    Ok((parts, ends))
}

fn ends_of(bars: &Bars) -> Ends {
    bars.start.first().copied().zip(bars.start.last().copied())
}

fn joined(ends: Ends, own: Ends) -> Ends {
    match (ends, own) {
        (Some((first, _)), Some((_, last))) => Some((first, last)),
        (ends, own) => own.or(ends),
    }
}

async fn produce(
    store: &Store,
    parts: Vec<(u64, Part)>,
    (mut skip, mut send): (u64, u64),
    seen: &Arc<Option<Seen>>,
    to: &Reader,
) -> Result<(), MarketDataError> {
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
        send -= wanted.len() as u64;
        if !send_part(store, &Arc::new(part), wanted, seen, to).await? {
            break;
        }
    }
    Ok(())
}

/// Whether the reader is still there.
async fn send_part(
    store: &Store,
    part: &Arc<Part>,
    mut left: Range<usize>,
    seen: &Arc<Option<Seen>>,
    to: &Reader,
) -> Result<bool, MarketDataError> {
    let mut is_slow = false;
    while !left.is_empty() {
        let Ok(mut place) = to.rows.reserve().await else { return Ok(false) };
        let room = if is_slow { None } else { store.room_for(left.len()).map(Arc::new) };
        let most = if room.is_some() { left.len() } else { PIECE_ROWS.max(left.len() / PIECES_MAX) };
        let wanted = left.start..left.end.min(left.start.saturating_add(most));
        let (part, seen) = (part.clone(), seen.clone());
        let decoded = store.in_turn(move || part.rows(wanted, (*seen).as_ref())).await;
        let (bars, mut own) = decoded.ok_or(MarketDataError::Defect)??;
        loop {
            let chunk = own.start..own.end.min(own.start.saturating_add(to.most));
            (left.start, own.start) = (left.start + chunk.len(), chunk.end);
            place.send(Ok(Chunk::new(bars.clone(), chunk, room.clone())));
            if own.is_empty() {
                break;
            }
            place = match tokio::time::timeout(PATIENCE, to.rows.reserve()).await {
                Ok(Ok(place)) => place,
                Ok(Err(_)) => return Ok(false),
                Err(_) => {
                    is_slow = true;
                    break;
                }
            };
        }
    }
    Ok(true)
}
