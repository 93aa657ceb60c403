//! Reading stored bars: one header, then rows in chunks. Never touches the gateway.

use tokio::sync::mpsc;

use super::MarketDataError;
use crate::{
    model::{Bars, Basis, Nanos, SeriesKey, Source, TimeRange},
    store::{Opened, Store, StoreError},
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
}

/// Chunks of rows, in order. Dropping it ends the reading.
pub type Rows = mpsc::Receiver<Result<Bars, MarketDataError>>;

/// A part of the answer: its rows in the range, read already where they had to be counted.
enum Part {
    Whole(Opened),
    Read(Bars),
}

/// Checks every partition that the range touches, then reads year by year.
pub(super) async fn query(
    store: Store,
    key: SeriesKey,
    range: Option<TimeRange>,
    window: Window,
) -> Result<(Header, Rows), MarketDataError> {
    let (rows, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let (header_to, header) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let prepared = prepare(&store, &key, range, window);
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
        if let Err(error) = produce(parts, (skip, send), &rows) {
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
) -> Result<(Header, Vec<(u64, Part)>), MarketDataError> {
    let state = store.state(key).filter(|state| state.bars() > 0);
    let Some(state) = state else { return Err(MarketDataError::SeriesNotFound { key: key.clone() }) };
    let everything = TimeRange::new(Nanos::MIN, Nanos::MAX).ok();
    let range = range.or(everything).ok_or(MarketDataError::RangeInvalid)?;
    let (mut parts, mut first, mut last) = (Vec::new(), None, None);
    for opened in store.open_years(key, &range)? {
        let (rows, from, to) = opened.facts();
        let (rows, part, ends) = if range.contains(from) && range.contains(to) {
            // it is read later, if its rows are wanted at all; damage is told before the first row
            store.verify_year(key, opened.year())?;
            (rows, Part::Whole(opened), Some((from, to)))
        } else {
            let bars = opened.bars()?;
            let bars = bars.slice(bars.rows_in(&range));
            let ends = bars.start.first().copied().zip(bars.start.last().copied());
            (bars.len() as u64, Part::Read(bars), ends)
        };
        if let Some((from, to)) = ends {
            first = first.or(Some(from));
            last = Some(to);
        }
        parts.push((rows, part));
    }
    let rows_in_range: u64 = parts.iter().map(|(rows, _)| rows).sum();
    let rows_sent = match window {
        Window::All => rows_in_range,
        Window::Head(rows) | Window::Tail(rows) => rows.min(rows_in_range),
    };
    let (basis, source) = (state.basis, state.source);
    Ok((Header { key: key.clone(), basis, source, rows_in_range, rows_sent, first, last }, parts))
}

fn produce(
    parts: Vec<(u64, Part)>,
    (mut skip, mut send): (u64, u64),
    rows: &mpsc::Sender<Result<Bars, MarketDataError>>,
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
        let bars = match part {
            Part::Whole(opened) => opened.bars()?,
            Part::Read(bars) => bars,
        };
        let mut from = bars.len().min(count(skip));
        skip = 0;
        while from < bars.len() && send > 0 {
            let to = bars.len().min(from.saturating_add(CHUNK_ROWS.min(count(send))));
            send -= (to - from) as u64;
            if rows.blocking_send(Ok(bars.slice(from..to))).is_err() {
                return Ok(()); // the reader has gone
            }
            from = to;
        }
    }
    Ok(())
}
