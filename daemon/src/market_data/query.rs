//! Reading stored bars: one header, then rows in chunks. Never touches the gateway.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::MarketDataError;
use crate::{
    model::{Bars, Basis, Nanos, SeriesKey, Source, TimeRange},
    store::{Store, StoreError},
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

/// What has to be read: years with the rows that lie in the range.
struct Plan {
    years: Vec<(i16, u64)>,
    /// Years that were read to count their rows: at most the first and the last.
    read: BTreeMap<i16, Bars>,
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
        let (header, plan) = match prepared {
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
        if let Err(error) = produce(&store, &key, range, plan, (skip, send), &rows) {
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
) -> Result<(Header, Plan), MarketDataError> {
    let state = store.state(key).filter(|state| state.bars() > 0);
    let Some(state) = state else {
        return Err(MarketDataError::SeriesNotFound { key: key.clone() });
    };
    let everything = TimeRange::new(Nanos::MIN, Nanos::MAX).ok();
    let range = range.or(everything).ok_or(MarketDataError::RangeInvalid)?;
    let mut plan = Plan { years: Vec::new(), read: BTreeMap::new() };
    let (mut first, mut last) = (None, None);
    for (year, rows, inside) in state.years_in(&range) {
        store.verify_year(key, year)?;
        let (rows, ends) = if inside {
            (rows, state.ends_of(year))
        } else {
            let bars = store.read_year(key, year)?;
            let within = bars.rows_in(&range);
            let ends = within.clone().next().zip(within.clone().next_back());
            let ends = ends.map(|(from, to)| (bars.start[from], bars.start[to]));
            plan.read.insert(year, bars.slice(within.clone()));
            (within.len() as u64, ends)
        };
        if let Some((from, to)) = ends {
            first = first.or(Some(from));
            last = Some(to);
        }
        plan.years.push((year, rows));
    }
    let rows_in_range: u64 = plan.years.iter().map(|(_, rows)| rows).sum();
    let rows_sent = match window {
        Window::All => rows_in_range,
        Window::Head(rows) | Window::Tail(rows) => rows.min(rows_in_range),
    };
    let header =
        Header { key: key.clone(), basis: state.basis, source: state.source, rows_in_range, rows_sent, first, last };
    Ok((header, plan))
}

fn produce(
    store: &Store,
    key: &SeriesKey,
    range: Option<TimeRange>,
    mut plan: Plan,
    (mut skip, mut send): (u64, u64),
    rows: &mpsc::Sender<Result<Bars, MarketDataError>>,
) -> Result<(), StoreError> {
    for (year, count) in plan.years {
        if skip >= count {
            skip -= count;
            continue;
        }
        // a load may have added bars since they were counted
        let bars = plan.read.remove(&year).map_or_else(|| store.read_year(key, year), Ok)?;
        let within = range.map_or(0..bars.len(), |range| bars.rows_in(&range));
        let mut from = within.end.min(within.start.saturating_add(usize::try_from(skip).unwrap_or(usize::MAX)));
        skip = 0;
        while from < within.end && send > 0 {
            let wanted = usize::try_from(send).unwrap_or(usize::MAX).min(CHUNK_ROWS);
            let to = within.end.min(from.saturating_add(wanted));
            send -= (to - from) as u64;
            if rows.blocking_send(Ok(bars.slice(from..to))).is_err() {
                return Ok(()); // the reader has gone
            }
            from = to;
        }
    }
    Ok(())
}
