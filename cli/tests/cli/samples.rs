//! Messages that several tests answer with.

use std::collections::HashMap;

use ktrdr_proto::{
    reason::{self, Reason},
    v1::{
        BarColumns, Failure, LoadResult, Operation, OperationState, Progress, QueryHeader, SeriesId, SeriesSummary,
        Source, TimeRange, Timeframe, TradingSession, WhatToShow, operation,
    },
};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

/// 2025-06-06T22:00:00Z.
pub(crate) const FRIDAY: i64 = 1_749_247_200_000_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000_000;
pub(crate) const ID: &str = "op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T";

pub(crate) fn series() -> SeriesId {
    SeriesId { symbol: "NVDA".to_owned(), timeframe: Timeframe::Hours1.into() }
}

/// Two bars in two chunks; the second has no volume.
pub(crate) fn bars() -> Vec<BarColumns> {
    let bar = |start_ns, [open, high, low, close]: [f64; 4], volume: f64| {
        BarColumns::new(&[start_ns], [&[open], &[high], &[low], &[close]], [volume].into_iter())
    };
    vec![
        bar(FRIDAY - HOUR, [202.0, 202.5, 201.125, 202.3], 1_215_812.0),
        bar(FRIDAY, [202.3, 210.0, 0.1, 202.333_333_333_333_34], f64::NAN),
    ]
}

pub(crate) fn header() -> QueryHeader {
    QueryHeader {
        series: Some(series()),
        session: TradingSession::AllHours.into(),
        what_to_show: WhatToShow::Trades.into(),
        source: Source::Import.into(),
        rows_in_range: 240,
        rows_sent: 2,
        first_ns: Some(FRIDAY - 239 * HOUR),
        last_ns: Some(FRIDAY),
        ..QueryHeader::default()
    }
}

pub(crate) fn summary() -> SeriesSummary {
    SeriesSummary {
        series: Some(series()),
        session: TradingSession::AllHours.into(),
        what_to_show: WhatToShow::Trades.into(),
        source: Source::Gateway.into(),
        first_ns: FRIDAY - 239 * HOUR,
        last_ns: FRIDAY,
        bars: 12_240,
        size_bytes: 345_678,
        assumed: false,
        revision: 0x6b74,
    }
}

pub(crate) fn operation(state: OperationState) -> Operation {
    Operation {
        id: ID.to_owned(),
        kind: "load".to_owned(),
        state: state.into(),
        subject: "NVDA 1h".to_owned(),
        progress: Some(Progress {
            percent: Some(50.0),
            done: 2,
            total: 4,
            unit: "requests".to_owned(),
            message: "fetching 2024".to_owned(),
            ..Progress::default()
        }),
        created_at_ns: FRIDAY,
        started_at_ns: Some(FRIDAY + 1_000_000),
        ended_at_ns: None,
        failure: None,
        result: None,
        retry_of: None,
    }
}

/// The end of a load, with what it brought.
pub(crate) fn ended(state: OperationState, failure: Option<Failure>) -> Operation {
    let gap = TimeRange { start_ns: Some(FRIDAY - 5 * HOUR), end_ns: Some(FRIDAY - 3 * HOUR) };
    let gaps_left = if state == OperationState::Completed { vec![] } else { vec![gap] };
    Operation {
        ended_at_ns: Some(FRIDAY + 2_501_000_000),
        failure,
        result: Some(operation::Result::Load(LoadResult {
            series: Some(series()),
            mode: "tail".to_owned(),
            bars_loaded: 1_200,
            bars_total: 12_240,
            bars_revised: 1,
            requests_made: 4,
            gaps_left,
        })),
        ..operation(state)
    }
}

pub(crate) fn failure(reason: &Reason, messages: &[&str]) -> Failure {
    Failure {
        reason: reason.name.to_owned(),
        messages: messages.iter().map(|message| (*message).to_owned()).collect(),
        metadata: HashMap::new(),
        retry_after_seconds: None,
    }
}

/// An error as our daemon sends it.
pub(crate) fn status(reason: &Reason, message: &str, metadata: &[(&str, &str)]) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason.name, reason::DOMAIN, metadata.iter().copied().map(owned).collect::<HashMap<_, _>>());
    Status::with_error_details(reason.code, message, details)
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}
