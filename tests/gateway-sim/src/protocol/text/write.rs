//! Replies into their fields.

use super::fields::Line;
use crate::protocol::messages::{
    Contract, ContractData, ContractDetails, ErrorMessage, HistoricalBar, HistoricalBars, HistoricalDataEnd,
    HistoricalDataUpdate, HistoricalSchedule, MarketRule, RealTimeBarTick, SymbolSamples,
};
use crate::protocol::reply::Reply;

/// From this version on an answer's window comes in a message of its own.
const SEPARATE_END: i32 = 196;

/// False if this version has no such message.
pub(super) fn reply(version: i32, reply: &Reply, line: &mut Line) -> bool {
    match reply {
        Reply::Error(message) => error(version, message, line),
        Reply::NextValidId(message) => {
            line.add(1).maybe(message.order_id.as_ref());
        }
        Reply::ManagedAccounts(message) => {
            line.add(1).maybe(message.accounts.as_ref());
        }
        Reply::CurrentTime(message) => {
            line.add(1).maybe(message.time.as_ref());
        }
        Reply::CurrentTimeInMillis(message) => {
            line.maybe(message.time.as_ref());
        }
        Reply::ContractData(message) => contract_data(version, message, line),
        Reply::ContractDataEnd(message)
        | Reply::ExecutionsEnd(message)
        | Reply::SnapshotEnd(message)
        | Reply::AccountUpdatesMultiEnd(message) => {
            line.add(1).maybe(message.id.as_ref());
        }
        Reply::PositionsEnd(_) | Reply::OpenOrdersEnd(_) => {
            line.add(1);
        }
        // Its one field is empty.
        Reply::CompletedOrdersEnd(_) => {
            line.add("");
        }
        Reply::AccountDataEnd(message) => {
            line.add(1).maybe(message.account.as_ref());
        }
        Reply::SymbolSamples(message) => samples(version, message, line),
        Reply::HeadTimestamp(message) => {
            line.maybe(message.id.as_ref()).maybe(message.timestamp.as_ref());
        }
        Reply::HistoricalData(message) => bars(version, message, line),
        Reply::HistoricalDataEnd(_) if version < SEPARATE_END => return false,
        Reply::HistoricalDataEnd(HistoricalDataEnd { id, start, end }) => {
            line.maybe(id.as_ref()).maybe(start.as_ref()).maybe(end.as_ref());
        }
        Reply::HistoricalDataUpdate(message) => update(message, line),
        Reply::HistoricalSchedule(message) => schedule(message, line),
        Reply::RealTimeBar(message) => real_time_bar(message, line),
        Reply::MarketDataType(message) => {
            line.add(1).maybe(message.id.as_ref()).maybe(message.data_type.as_ref());
        }
        Reply::MarketRule(message) => market_rule(message, line),
    }
    true
}

/// Moved at 194: the time came in, the layout's own version went.
fn error(version: i32, message: &ErrorMessage, line: &mut Line) {
    if version < 194 {
        line.add(2);
    }
    line.maybe(message.id.as_ref()).maybe(message.code.as_ref()).words(message.text.as_ref());
    if version >= 166 {
        // No order was rejected.
        line.add("");
    }
    if version >= 194 {
        line.maybe(message.time.as_ref());
    }
}

fn contract_data(version: i32, message: &ContractData, line: &mut Line) {
    let (contract, details) =
        (message.contract.clone().unwrap_or_default(), message.details.clone().unwrap_or_default());
    if version < 164 {
        line.add(8);
    }
    line.maybe(message.id.as_ref()).maybe(contract.symbol.as_ref()).maybe(contract.sec_type.as_ref());
    line.maybe(contract.last_trade_date_or_month.as_ref());
    if version >= 182 {
        line.maybe(contract.last_trade_date_or_month.as_ref());
    }
    line.add(contract.strike.unwrap_or(0.0)).maybe(contract.right.as_ref()).maybe(contract.exchange.as_ref());
    line.maybe(contract.currency.as_ref()).maybe(contract.local_symbol.as_ref()).maybe(details.market_name.as_ref());
    line.maybe(contract.trading_class.as_ref()).maybe(contract.con_id.as_ref()).maybe(details.min_tick.as_ref());
    if version < 164 {
        // The size of a lot in market data.
        line.add(100);
    }
    detailed(&contract, &details, line);
    if version >= 186 {
        // Nothing makes it ineligible.
        line.add(0);
    }
}

/// The fields that all versions share.
fn detailed(contract: &Contract, details: &ContractDetails, line: &mut Line) {
    line.maybe(contract.multiplier.as_ref()).maybe(details.order_types.as_ref());
    line.maybe(details.valid_exchanges.as_ref()).add(details.price_magnifier.unwrap_or(1));
    line.add(details.under_con_id.unwrap_or(0)).words(details.long_name.as_ref()).maybe(contract.primary_exch.as_ref());
    line.maybe(details.contract_month.as_ref());
    // Industry, category, subcategory.
    line.add("").add("").add("");
    line.maybe(details.time_zone_id.as_ref()).maybe(details.trading_hours.as_ref());
    line.maybe(details.liquid_hours.as_ref());
    // Rule and multiplier of economic value, other ids of the security, its market data group, what it is derived from.
    line.add("").add("").add(0).add(1).add("").add("");
    line.maybe(details.market_rule_ids.as_ref()).maybe(details.real_expiration_date.as_ref());
    line.maybe(details.stock_type.as_ref()).maybe(details.min_size.as_ref()).maybe(details.size_increment.as_ref());
    line.maybe(details.suggested_size_increment.as_ref());
}

fn samples(version: i32, message: &SymbolSamples, line: &mut Line) {
    line.maybe(message.id.as_ref()).add(message.samples.len());
    for sample in &message.samples {
        let contract = sample.contract.clone().unwrap_or_default();
        line.maybe(contract.con_id.as_ref()).maybe(contract.symbol.as_ref()).maybe(contract.sec_type.as_ref());
        line.maybe(contract.primary_exch.as_ref()).maybe(contract.currency.as_ref());
        line.add(sample.derivative_types.len());
        for kind in &sample.derivative_types {
            line.add(kind);
        }
        if version >= 176 {
            // The issuer is not said.
            line.words(contract.description.as_ref()).add("");
        }
    }
}

fn bars(version: i32, message: &HistoricalBars, line: &mut Line) {
    line.maybe(message.data.id.as_ref());
    if version < SEPARATE_END {
        line.add(&message.start).add(&message.end);
    }
    line.add(message.data.bars.len());
    for bar in &message.data.bars {
        let HistoricalBar { date, open, high, low, close, volume, average, count } = bar;
        line.maybe(date.as_ref()).maybe(open.as_ref()).maybe(high.as_ref()).maybe(low.as_ref()).maybe(close.as_ref());
        line.maybe(volume.as_ref()).maybe(average.as_ref()).maybe(count.as_ref());
    }
}

/// In an order of its own.
fn update(message: &HistoricalDataUpdate, line: &mut Line) {
    let HistoricalBar { date, open, high, low, close, volume, average, count } =
        message.bar.clone().unwrap_or_default();
    line.maybe(message.id.as_ref()).maybe(count.as_ref()).maybe(date.as_ref()).maybe(open.as_ref());
    line.maybe(close.as_ref()).maybe(high.as_ref()).maybe(low.as_ref()).maybe(average.as_ref());
    line.maybe(volume.as_ref());
}

fn schedule(message: &HistoricalSchedule, line: &mut Line) {
    line.maybe(message.id.as_ref()).maybe(message.start.as_ref()).maybe(message.end.as_ref());
    line.maybe(message.zone.as_ref()).add(message.sessions.len());
    for session in &message.sessions {
        line.maybe(session.start.as_ref()).maybe(session.end.as_ref()).maybe(session.date.as_ref());
    }
}

fn real_time_bar(message: &RealTimeBarTick, line: &mut Line) {
    let RealTimeBarTick { id, time, open, high, low, close, volume, average, count } = message;
    line.add(3).maybe(id.as_ref()).maybe(time.as_ref()).maybe(open.as_ref()).maybe(high.as_ref());
    line.maybe(low.as_ref()).maybe(close.as_ref()).maybe(volume.as_ref()).maybe(average.as_ref());
    line.maybe(count.as_ref());
}

fn market_rule(message: &MarketRule, line: &mut Line) {
    line.maybe(message.rule.as_ref()).add(message.increments.len());
    for increment in &message.increments {
        line.maybe(increment.low_edge.as_ref()).maybe(increment.increment.as_ref());
    }
}
