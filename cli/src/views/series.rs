//! Stored series: `data list` and `data range`.

use ktrdr_proto::v1::{SeriesSummary, Source, TradingSession, WhatToShow};
use serde::Serialize;

use super::{timeframe, word};
use crate::time::Instant;

/// One stored series.
#[derive(Debug, Serialize)]
pub(crate) struct SeriesView {
    pub(crate) symbol: String,
    pub(crate) timeframe: &'static str,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    pub(crate) bars: u64,
    pub(crate) bytes: u64,
    pub(crate) source: &'static str,
    pub(crate) session: &'static str,
    pub(crate) what_to_show: &'static str,
    pub(crate) assumed: bool,
}

impl From<SeriesSummary> for SeriesView {
    fn from(summary: SeriesSummary) -> Self {
        Self {
            timeframe: timeframe(summary.series.as_ref()),
            symbol: summary.series.unwrap_or_default().symbol,
            start: Instant(summary.first_ns),
            end: Instant(summary.last_ns),
            bars: summary.bars,
            bytes: summary.size_bytes,
            source: word::<Source>(summary.source),
            session: word::<TradingSession>(summary.session),
            what_to_show: word::<WhatToShow>(summary.what_to_show),
            assumed: summary.assumed,
        }
    }
}

/// First and last bar of one series. The keys, nesting included, are those of the old command line.
#[derive(Debug, Serialize)]
pub(crate) struct RangeView {
    pub(crate) symbol: String,
    pub(crate) timeframe: &'static str,
    pub(crate) range: Range,
}

#[derive(Debug, Serialize)]
pub(crate) struct Range {
    symbol: String,
    timeframe: &'static str,
    pub(crate) start_date: Instant,
    pub(crate) end_date: Instant,
    pub(crate) point_count: u64,
}

impl From<SeriesSummary> for RangeView {
    fn from(summary: SeriesSummary) -> Self {
        let SeriesView { symbol, timeframe, start, end, bars, .. } = SeriesView::from(summary);
        let range = Range { symbol: symbol.clone(), timeframe, start_date: start, end_date: end, point_count: bars };
        Self { symbol, timeframe, range }
    }
}
