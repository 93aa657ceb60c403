//! Contracts on the wire.

use ktrdr_proto::v1 as pb;

use super::convert;
use crate::{
    market_data::{Head, Validated},
    model::TimeRange,
};

pub(super) fn contract(one: &Validated) -> pb::Contract {
    let contract = &one.contract;
    let ranges = |all: &[TimeRange]| all.iter().map(convert::range_to_wire).collect();
    pb::Contract {
        symbol: one.symbol.to_string(),
        con_id: contract.id,
        kind: contract.kind.name().into(),
        exchange: contract.exchange.clone(),
        primary_exchange: contract.primary_exchange.clone(),
        currency: contract.currency.clone(),
        long_name: contract.long_name.clone(),
        local_symbol: contract.local_symbol.clone(),
        trading_class: contract.trading_class.clone(),
        multiplier: contract.multiplier.clone(),
        last_trade_date: contract.last_trade_date.clone(),
        time_zone: contract.time_zone.clone(),
        time_zone_known: one.zone_known,
        trading_hours: ranges(&one.trading_hours),
        regular_hours: ranges(&one.regular_hours),
        min_tick: contract.min_tick,
        as_of_ns: one.as_of,
        cached: one.cached,
    }
}

pub(super) fn validated(one: &Validated) -> pb::ValidateResponse {
    pb::ValidateResponse {
        contract: Some(contract(one)),
        what_to_show: convert::what_to_wire(one.basis).into(),
        session: convert::session_to_wire(one.basis).into(),
        head_ns: if let Head::At(head) = one.head { Some(head) } else { None },
        no_history: one.head == Head::NoHistory,
    }
}
