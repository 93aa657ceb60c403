//! Bars that a fault has passed over.

use super::catalogue::FaultKind;
use super::fault::Fault;
use crate::protocol::dates;
use crate::protocol::messages::{HistoricalBar, HistoricalBars};
use crate::protocol::reply::Reply;

/// One bar in so many is hit.
const EVERY: usize = 10;
/// "Unset", as some gateways write it.
const SENTINEL: &str = "9223372036854775807";
/// For a single bar, which has no distance to the next.
const DEFAULT_STEP: i64 = 60;

pub(crate) fn of(reply: &Reply) -> Option<&HistoricalBars> {
    match reply {
        Reply::HistoricalData(bars) => Some(bars),
        _ => None,
    }
}

/// Changes bars and their window; leaves an answer without bars alone.
pub(crate) fn spoil(kind: FaultKind, fault: &Fault, replies: &mut [Reply], now: i64) {
    for reply in replies {
        match reply {
            Reply::HistoricalData(told) => {
                spoil_bars(kind, fault, &mut told.data.bars, now);
                told.start = window(kind, fault, &told.start);
                told.end = window(kind, fault, &told.end);
            }
            Reply::HistoricalDataEnd(end) => {
                for date in [&mut end.start, &mut end.end].into_iter().flatten() {
                    *date = window(kind, fault, date);
                }
            }
            _ => {}
        }
    }
}

fn spoil_bars(kind: FaultKind, fault: &Fault, bars: &mut Vec<HistoricalBar>, now: i64) {
    match kind {
        FaultKind::EmptyBars => bars.clear(),
        FaultKind::ShortRange => drop(bars.drain(..bars.len() / 2)),
        FaultKind::Unsorted => bars.reverse(),
        FaultKind::DuplicateTimestamps => {
            let twice = |(index, bar): (usize, HistoricalBar)| {
                let wrong = (index % EVERY == 0).then(|| shifted(&bar));
                wrong.into_iter().chain([bar])
            };
            *bars = bars.drain(..).enumerate().flat_map(twice).collect();
        }
        FaultKind::RunningLastBar => bars.extend(running(bars, now)),
        FaultKind::ZonedDates => {
            for bar in bars {
                if let Some(second) = second(bar) {
                    bar.date = Some(dates::in_gateway_zone(second));
                }
            }
        }
        FaultKind::SentinelVolume => bars.iter_mut().for_each(|bar| bar.volume = Some(SENTINEL.to_owned())),
        FaultKind::NanPrice => bars.iter_mut().step_by(EVERY).for_each(|bar| bar.high = Some(f64::NAN)),
        FaultKind::ImpossiblePrice => {
            bars.iter_mut().step_by(EVERY).for_each(|bar| bar.high = bar.low.map(|low| low - 1.0));
        }
        FaultKind::WrongPrice => bars.iter_mut().step_by(EVERY).for_each(|bar| *bar = shifted(bar)),
        FaultKind::Huge => {
            let wanted = usize::try_from(fault.number("bars")).unwrap_or(0);
            if !bars.is_empty() && bars.len() < wanted {
                *bars = bars.iter().cycle().take(wanted).cloned().collect();
            }
        }
        _ => {}
    }
}

/// The same bar at other prices, all of them possible.
fn shifted(bar: &HistoricalBar) -> HistoricalBar {
    let up = |price: Option<f64>| price.map(|price| price * 1.25);
    HistoricalBar { open: up(bar.open), high: up(bar.high), low: up(bar.low), close: up(bar.close), ..bar.clone() }
}

/// The bar of this moment, if the last one is older.
fn running(bars: &[HistoricalBar], now: i64) -> Option<HistoricalBar> {
    let last = bars.last()?;
    let of_last = second(last)?;
    let step = bars.windows(2).filter_map(|pair| Some(second(&pair[1])? - second(&pair[0])?)).min();
    let step = step.unwrap_or(DEFAULT_STEP).max(1);
    let start = of_last + (now - of_last).div_euclid(step) * step;
    (start > of_last).then(|| HistoricalBar { date: Some(start.to_string()), ..last.clone() })
}

/// The start of a bar that is not a day's.
fn second(bar: &HistoricalBar) -> Option<i64> {
    let date = bar.date.as_deref().filter(|date| date.len() > "yyyymmdd".len())?;
    date.parse().ok()
}

fn window(kind: FaultKind, fault: &Fault, date: &str) -> String {
    let bare = date.rsplit_once(' ').map_or(date, |(bare, _)| bare);
    match kind {
        FaultKind::UtcEnd => {
            dates::parse_end(date).and_then(|end| end.second).map_or(date.to_owned(), dates::utc_dashed)
        }
        FaultKind::ZonelessEnd => bare.to_owned(),
        FaultKind::UnknownZoneEnd => format!("{bare} {}", fault.text("zone")),
        _ => date.to_owned(),
    }
}
