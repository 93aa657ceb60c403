//! Loads on the wire.

use ktrdr_proto::v1 as pb;
use tonic::Status;

use super::{convert, convert_operation};
use crate::{
    error::Failure,
    market_data::{LoadRequest, MarketDataError, Planned},
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

pub(super) fn planned(key: &SeriesKey, planned: Result<&Planned, &MarketDataError>) -> pb::PlannedLoad {
    let series = Some(convert::series_id(key));
    match planned {
        Ok(planned) => pb::PlannedLoad {
            series,
            missing: planned.missing.iter().take(convert::RANGES_MAX).map(convert::range_to_wire).collect(),
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
