//! Loads on the wire.

use ktrdr_proto::v1 as pb;
use tonic::Status;

use super::{convert, convert_operation, status};
use crate::{
    error::Failure,
    market_data::{LoadRequest, MarketDataError, Planned, SERIES_MAX},
    model::{Basis, SeriesKey, Session, WhatToShow},
};

pub(super) fn one(request: &pb::LoadRequest) -> Result<LoadRequest, Status> {
    let key = convert::series_key(request.series.as_ref())?;
    let (start, end) = convert::bounds(request.range);
    let basis = basis(request.session, request.what_to_show, &key)?;
    let (mode, on_split) = (convert::mode(request.mode)?, convert::on_split(request.on_split)?);
    Ok(LoadRequest { key, mode, start, end, basis, on_split, verify: request.verify })
}

pub(super) fn many(request: &pb::LoadManyRequest) -> Result<Vec<LoadRequest>, Status> {
    if request.series.len() > SERIES_MAX {
        return Err(status::invalid("name between one and a thousand series"));
    }
    let load = |series: &pb::SeriesId| {
        one(&pb::LoadRequest {
            request_id: String::new(),
            series: Some(series.clone()),
            mode: request.mode,
            range: request.range,
            session: request.session,
            what_to_show: request.what_to_show,
            on_split: request.on_split,
            verify: request.verify,
        })
    };
    request.series.iter().map(load).collect()
}

/// All hours, and the usual prices, where nobody says.
pub(super) fn basis(session: i32, what: i32, key: &SeriesKey) -> Result<Basis, Status> {
    Ok(Basis {
        session: convert::optional_session(session)?.unwrap_or(Session::AllHours),
        what: convert::optional_what(what)?.unwrap_or(WhatToShow::usual(&key.symbol)),
    })
}

/// Ranges of all plans of an answer together: some two of the four MiB that any client takes of one.
const RANGES_OF_ALL: usize = 100_000;

/// Of one plan among so many.
pub(super) fn ranges_of_each(plans: usize) -> usize {
    convert::RANGES_MAX.min(RANGES_OF_ALL / plans.max(1))
}

/// With so many of the ranges that are missing.
pub(super) fn planned(key: &SeriesKey, planned: Result<&Planned, &MarketDataError>, ranges: usize) -> pb::PlannedLoad {
    let series = Some(convert::series_id(key));
    match planned {
        Ok(planned) => pb::PlannedLoad {
            series,
            missing: planned.missing.iter().take(ranges).map(convert::range_to_wire).collect(),
            requests: planned.requests,
            small: planned.small,
            seconds_at_least: planned.seconds_at_least,
            bars_at_most: planned.bars_at_most,
            contract_unknown: planned.contract_unknown,
            head_unknown: planned.head_unknown,
            failure: None,
        },
        Err(error) => {
            let failure = Some(convert_operation::failure(&Failure::from(error)));
            pb::PlannedLoad { series, failure, ..pb::PlannedLoad::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_a_thousand_series_is_taken_and_one_for_more_is_not() {
        let series = pb::SeriesId { symbol: "AAPL".into(), timeframe: pb::Timeframe::Days1.into() };
        let of = |count| pb::LoadManyRequest { series: vec![series.clone(); count], ..Default::default() };
        assert_eq!(many(&of(SERIES_MAX)).unwrap().len(), SERIES_MAX);
        assert!(many(&of(SERIES_MAX + 1)).unwrap_err().message().contains("a thousand series"));
        let ranges = [1, 10, 11, SERIES_MAX].map(|plans| (ranges_of_each(plans), ranges_of_each(plans) * plans));
        assert_eq!(ranges.map(|(each, _)| each), [10_000, 10_000, 9_090, 100]);
        assert!(ranges.iter().all(|(_, all)| *all <= RANGES_OF_ALL));
    }
}
