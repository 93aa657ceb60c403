//! What a symbol means: `data validate`.

use ktrdr_proto::v1::{TimeRange, TradingSession, ValidateResponse, WhatToShow};
use serde::Serialize;

use super::word;
use crate::time::Instant;

/// A contract and the beginning of its history. Hours are `null` when the gateway's time zone is not known.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a document, not a state")]
pub(crate) struct ContractView {
    pub(crate) symbol: String,
    pub(crate) valid: bool,
    pub(crate) con_id: i32,
    pub(crate) kind: String,
    pub(crate) exchange: String,
    pub(crate) primary_exchange: String,
    pub(crate) currency: String,
    pub(crate) long_name: String,
    pub(crate) local_symbol: String,
    pub(crate) trading_class: String,
    pub(crate) multiplier: String,
    pub(crate) last_trade_date: String,
    pub(crate) min_tick: f64,
    pub(crate) time_zone: String,
    pub(crate) time_zone_known: bool,
    pub(crate) trading_hours: Option<Vec<Hours>>,
    pub(crate) regular_hours: Option<Vec<Hours>>,
    pub(crate) what_to_show: &'static str,
    pub(crate) session: &'static str,
    /// `null` with `no_history` false: the gateway could not tell.
    pub(crate) head_timestamp: Option<Instant>,
    pub(crate) no_history: bool,
    pub(crate) as_of: Instant,
    pub(crate) cached: bool,
}

/// One session.
#[derive(Debug, Serialize)]
pub(crate) struct Hours {
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

impl Hours {
    /// `None` for a range that is open at an end, which hours never are.
    pub(crate) fn read(range: TimeRange) -> Option<Self> {
        Some(Self { start: Instant(range.start_ns?), end: Instant(range.end_ns?) })
    }
}

impl From<ValidateResponse> for ContractView {
    fn from(answer: ValidateResponse) -> Self {
        let contract = answer.contract.unwrap_or_default();
        let hours = |ranges: Vec<TimeRange>| {
            contract.time_zone_known.then(|| ranges.into_iter().filter_map(Hours::read).collect())
        };
        Self {
            trading_hours: hours(contract.trading_hours),
            regular_hours: hours(contract.regular_hours),
            symbol: contract.symbol,
            valid: true,
            con_id: contract.con_id,
            kind: contract.kind,
            exchange: contract.exchange,
            primary_exchange: contract.primary_exchange,
            currency: contract.currency,
            long_name: contract.long_name,
            local_symbol: contract.local_symbol,
            trading_class: contract.trading_class,
            multiplier: contract.multiplier,
            last_trade_date: contract.last_trade_date,
            min_tick: contract.min_tick,
            time_zone: contract.time_zone,
            time_zone_known: contract.time_zone_known,
            what_to_show: word::<WhatToShow>(answer.what_to_show),
            session: word::<TradingSession>(answer.session),
            head_timestamp: answer.head_ns.map(Instant),
            no_history: answer.no_history,
            as_of: Instant(contract.as_of_ns),
            cached: contract.cached,
        }
    }
}
