//! The model's words and the wire's, both ways. Requests are checked here, once.

use ktrdr_proto::v1 as pb;
use tonic::Status;

use super::status;
use crate::{
    clock,
    market_data::{Chunk, Header, Hours, MarketDataError, Mode, OnSplit, View, Window},
    model::{Bars, Basis, Nanos, SeriesKey, Session, Source, Symbol, TimeRange, Timeframe, WhatToShow},
    store::{FileFormat, SeriesState},
};

/// Both enums list the same sizes in the same order; the wire's begins with "unspecified".
/// Ranges of one message, which stays far below gRPC's 4 MiB.
pub(super) const RANGES_MAX: usize = 10_000;

pub(super) fn timeframe_to_wire(timeframe: Timeframe) -> pb::Timeframe {
    i32::try_from(timeframe as usize + 1).ok().and_then(|value| pb::Timeframe::try_from(value).ok()).unwrap_or_default()
}

fn timeframe(value: i32) -> Option<Timeframe> {
    usize::try_from(value).ok().and_then(|value| Timeframe::all().nth(value.checked_sub(1)?))
}

/// As people spell it.
pub(super) fn spelt(text: &str) -> Result<Timeframe, Status> {
    Timeframe::parse(text).ok_or_else(|| status::of(&MarketDataError::Timeframe))
}

/// An absent or unknown timeframe is an error: there is no default.
pub(super) fn series_key(series: Option<&pb::SeriesId>) -> Result<SeriesKey, Status> {
    let series = series.ok_or_else(|| status::invalid("the series is missing"))?;
    let symbol = symbol(&series.symbol)?;
    let timeframe = timeframe(series.timeframe).ok_or_else(|| status::of(&MarketDataError::Timeframe))?;
    Ok(SeriesKey { symbol, timeframe })
}

pub(super) fn symbol(text: &str) -> Result<Symbol, Status> {
    Symbol::read(text, clock::year()).map_err(|error| status::of(&MarketDataError::Symbol(error)))
}

/// `None` for unspecified.
pub(super) fn optional_timeframe(value: i32) -> Result<Option<Timeframe>, Status> {
    match value {
        0 => Ok(None),
        value => timeframe(value).map(Some).ok_or_else(|| status::of(&MarketDataError::Timeframe)),
    }
}

pub(super) fn optional_session(value: i32) -> Result<Option<Session>, Status> {
    match pb::TradingSession::try_from(value) {
        Ok(pb::TradingSession::Unspecified) => Ok(None),
        Ok(pb::TradingSession::AllHours) => Ok(Some(Session::AllHours)),
        Ok(pb::TradingSession::RegularHours) => Ok(Some(Session::RegularHours)),
        Err(_) => Err(status::invalid(format!("there is no session {value}"))),
    }
}

pub(super) fn optional_what(value: i32) -> Result<Option<WhatToShow>, Status> {
    match pb::WhatToShow::try_from(value) {
        Ok(pb::WhatToShow::Unspecified) => Ok(None),
        Ok(pb::WhatToShow::Trades) => Ok(Some(WhatToShow::Trades)),
        Ok(pb::WhatToShow::Midpoint) => Ok(Some(WhatToShow::Midpoint)),
        Ok(pb::WhatToShow::Bid) => Ok(Some(WhatToShow::Bid)),
        Ok(pb::WhatToShow::Ask) => Ok(Some(WhatToShow::Ask)),
        Err(_) => Err(status::invalid(format!("there are no prices {value}"))),
    }
}

pub(super) fn mode(value: i32) -> Result<Mode, Status> {
    match pb::LoadMode::try_from(value) {
        Ok(pb::LoadMode::Unspecified | pb::LoadMode::Tail) => Ok(Mode::Tail),
        Ok(pb::LoadMode::Backfill) => Ok(Mode::Backfill),
        Ok(pb::LoadMode::Full) => Ok(Mode::Full),
        Ok(pb::LoadMode::Local) => Ok(Mode::Local),
        Err(_) => Err(status::invalid(format!("there is no load mode {value}"))),
    }
}

pub(super) fn on_split(value: i32) -> Result<OnSplit, Status> {
    match pb::OnSplit::try_from(value) {
        Ok(pb::OnSplit::Unspecified | pb::OnSplit::Fail) => Ok(OnSplit::Fail),
        Ok(pb::OnSplit::Refetch) => Ok(OnSplit::Refetch),
        Err(_) => Err(status::invalid(format!("there is no way {value} to treat a split"))),
    }
}

pub(super) fn view(request: &pb::QueryRequest) -> Result<View, Status> {
    let hours = match pb::HoursOfDay::try_from(request.hours) {
        Ok(pb::HoursOfDay::Unspecified) => None,
        Ok(pb::HoursOfDay::Regular) => Some(Hours::Regular),
        Ok(pb::HoursOfDay::Extended) => Some(Hours::Extended),
        Err(_) => return Err(status::invalid(format!("there are no hours {}", request.hours))),
    };
    let resample = optional_timeframe(request.resample)?;
    Ok(View { resample, hours, time_zone: request.with_time_zone, ..View::default() })
}

pub(super) fn range_to_wire(range: &TimeRange) -> pb::TimeRange {
    pb::TimeRange { start_ns: Some(range.start()), end_ns: Some(range.end()) }
}

/// Absent bounds are open.
pub(super) fn bounds(range: Option<pb::TimeRange>) -> (Option<Nanos>, Option<Nanos>) {
    range.map_or((None, None), |range| (range.start_ns, range.end_ns))
}

pub(super) fn window(window: Option<pb::query_request::Window>) -> Window {
    match window {
        None => Window::All,
        Some(pb::query_request::Window::Head(rows)) => Window::Head(rows),
        Some(pb::query_request::Window::Tail(rows)) => Window::Tail(rows),
    }
}

pub(super) fn series_id(key: &SeriesKey) -> pb::SeriesId {
    pb::SeriesId { symbol: key.symbol.to_string(), timeframe: timeframe_to_wire(key.timeframe).into() }
}

pub(super) fn session_to_wire(basis: Basis) -> pb::TradingSession {
    match basis.session {
        Session::AllHours => pb::TradingSession::AllHours,
        Session::RegularHours => pb::TradingSession::RegularHours,
    }
}

pub(super) fn what_to_wire(basis: Basis) -> pb::WhatToShow {
    match basis.what {
        WhatToShow::Trades => pb::WhatToShow::Trades,
        WhatToShow::Midpoint => pb::WhatToShow::Midpoint,
        WhatToShow::Bid => pb::WhatToShow::Bid,
        WhatToShow::Ask => pb::WhatToShow::Ask,
    }
}

pub(super) fn source_to_wire(source: Source) -> pb::Source {
    match source {
        Source::Gateway => pb::Source::Gateway,
        Source::Import => pb::Source::Import,
        Source::Mixed => pb::Source::Mixed,
    }
}

pub(super) fn summary(key: &SeriesKey, state: &SeriesState) -> pb::SeriesSummary {
    pb::SeriesSummary {
        series: Some(series_id(key)),
        session: session_to_wire(state.basis).into(),
        what_to_show: what_to_wire(state.basis).into(),
        source: source_to_wire(state.source).into(),
        first_ns: state.first().unwrap_or_default(),
        last_ns: state.last().unwrap_or_default(),
        bars: state.bars(),
        size_bytes: state.size_bytes(),
        assumed: state.assumed,
        revision: state.revision(),
    }
}

fn query_header(header: &Header) -> pb::QueryHeader {
    pb::QueryHeader {
        series: Some(series_id(&header.key)),
        session: session_to_wire(header.basis).into(),
        what_to_show: what_to_wire(header.basis).into(),
        source: source_to_wire(header.source).into(),
        rows_in_range: header.rows_in_range,
        rows_sent: header.rows_sent,
        first_ns: header.first,
        last_ns: header.last,
        derived_from: header.derived_from.map_or(pb::Timeframe::Unspecified, timeframe_to_wire).into(),
        time_zone: header.time_zone.clone().unwrap_or_default(),
        revision: header.revision.unwrap_or_default(),
    }
}

pub(super) fn header(header: &Header) -> pb::QueryResponse {
    pb::QueryResponse { part: Some(pb::query_response::Part::Header(query_header(header))) }
}

pub(super) fn export_header(header: &Header) -> pb::ExportResponse {
    pb::ExportResponse { part: Some(pb::export_response::Part::Header(query_header(header))) }
}

pub(super) fn piece(data: Vec<u8>) -> pb::ExportResponse {
    pb::ExportResponse { part: Some(pb::export_response::Part::Data(data)) }
}

pub(super) fn export_format(value: i32) -> Result<FileFormat, Status> {
    match pb::ExportFormat::try_from(value) {
        Ok(pb::ExportFormat::Unspecified | pb::ExportFormat::Parquet) => Ok(FileFormat::Parquet),
        Ok(pb::ExportFormat::Arrow) => Ok(FileFormat::Arrow),
        Err(_) => Err(status::invalid(format!("there is no export format {value}"))),
    }
}

/// NaN says "no volume": it costs no second column.
pub(super) fn columns(bars: &Bars, rows: std::ops::Range<usize>) -> pb::BarColumns {
    let prices = [&bars.open, &bars.high, &bars.low, &bars.close].map(|column| &column[rows.clone()]);
    let volume = bars.volume[rows.clone()].iter().map(|volume| volume.unwrap_or(f64::NAN));
    pb::BarColumns::new(&bars.start[rows], prices, volume)
}

pub(super) fn bars(chunk: &Chunk) -> pb::QueryResponse {
    let columns = columns(&chunk.bars, chunk.rows.clone());
    pb::QueryResponse { part: Some(pb::query_response::Part::Bars(columns)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ktrdr_proto::spelling;

    #[test]
    fn timeframes_agree_with_the_contract_in_order_and_spelling() {
        for one in Timeframe::all() {
            let wire = timeframe_to_wire(one);
            assert_eq!(spelling::timeframe(wire), Some(one.name()));
            assert_eq!(timeframe(wire.into()), Some(one));
        }
        assert_eq!((timeframe(0), timeframe(23), timeframe(-1)), (None, None, None));
    }

    /// Bytes of a request, as every one of those that are turned into words of the model.
    #[test]
    fn foreign_bytes() {
        use super::super::{convert_calendar, convert_check, convert_load, convert_training};
        use prost::Message;

        fn told<T>(converted: Result<T, Status>, tally: &mut Result<u32, String>) {
            match converted {
                Ok(_) => *tally = Ok(tally.clone().unwrap_or(0) + 1),
                Err(status) => {
                    assert!(status.code() != tonic::Code::Internal, "{status:?}");
                    ktrdr_foreign::fit_to_print(status.message());
                    if tally.is_err() {
                        *tally = Err(status.message().to_owned());
                    }
                }
            }
        }
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "request").memory(64, 1 << 20).check(|bytes| {
            let mut tally = Err("it is no message".to_owned());
            if let Ok(request) = pb::LoadRequest::decode(bytes) {
                told(convert_load::one(&request), &mut tally);
            }
            if let Ok(request) = pb::LoadManyRequest::decode(bytes) {
                told(convert_load::many(&request), &mut tally);
            }
            if let Ok(request) = pb::QueryRequest::decode(bytes) {
                told(view(&request), &mut tally);
                told(series_key(request.series.as_ref()), &mut tally);
                window(request.window);
                let (start, end) = bounds(request.range);
                assert_eq!(range_to_wire(&TimeRange::ALL).start_ns.is_some(), start.or(end).or(Some(0)).is_some());
            }
            if let Ok(request) = pb::ExportRequest::decode(bytes) {
                told(export_format(request.format), &mut tally);
            }
            if let Ok(request) = pb::CheckRequest::decode(bytes) {
                told(convert_check::keys(&request), &mut tally);
            }
            if let Ok(request) = pb::GetCalendarRequest::decode(bytes) {
                told(convert_calendar::dates(&request), &mut tally);
            }
            if let Ok(request) = pb::StartTrainingRequest::decode(bytes) {
                told(convert_training::request(&request), &mut tally);
            }
            tally.map(|count| count.to_string())
        });
    }
}
