//! Requests out of their fields.

use super::fields::{Fields, Unreadable};
use crate::protocol::messages::{
    AccountData, AccountUpdatesMulti, CompletedOrdersRequest, Contract, ContractDataRequest, HeadTimestampRequest,
    HistoricalDataRequest, MarketDataRequest, MarketDataTypeRequest, MarketRuleRequest, MatchingSymbolsRequest,
    RealTimeBarsRequest, RequestId, StartApi,
};
use crate::protocol::request::{Kind, Request};

/// Contracts of these types list their legs.
const BAG: &str = "BAG";

pub(super) fn request(version: i32, kind: Kind, fields: &mut Fields<'_>) -> Result<Request, Unreadable> {
    Ok(match kind {
        Kind::Start => Request::Start(start(fields)?),
        Kind::Ids => Request::Ids,
        Kind::ManagedAccounts => Request::ManagedAccounts,
        Kind::CurrentTime => Request::CurrentTime,
        Kind::CurrentTimeInMillis => Request::CurrentTimeInMillis,
        Kind::LogLevel => Request::LogLevel,
        Kind::Positions => Request::Positions,
        Kind::CancelPositions => Request::CancelPositions,
        Kind::OpenOrders => Request::OpenOrders,
        Kind::AutoOpenOrders => Request::AutoOpenOrders,
        Kind::AllOpenOrders => Request::AllOpenOrders,
        Kind::CompletedOrders => Request::CompletedOrders(CompletedOrdersRequest { api_only: fields.flag()? }),
        Kind::AccountData => Request::AccountData(account_data(fields)?),
        Kind::AccountUpdatesMulti => Request::AccountUpdatesMulti(account_updates(fields)?),
        Kind::Executions => Request::Executions(after_version(fields)?),
        Kind::CancelAccountUpdatesMulti => Request::CancelAccountUpdatesMulti(after_version(fields)?),
        Kind::ContractDetails => Request::ContractDetails(contract_details(version, fields)?),
        Kind::CancelContractDetails => Request::CancelContractDetails(alone(fields)?),
        Kind::MatchingSymbols => Request::MatchingSymbols(matching_symbols(fields)?),
        Kind::HeadTimestamp => Request::HeadTimestamp(head_timestamp(fields)?),
        Kind::CancelHeadTimestamp => Request::CancelHeadTimestamp(alone(fields)?),
        Kind::HistoricalData => Request::HistoricalData(historical_data(fields)?),
        Kind::CancelHistoricalData => Request::CancelHistoricalData(after_version(fields)?),
        Kind::RealTimeBars => Request::RealTimeBars(real_time_bars(fields)?),
        Kind::CancelRealTimeBars => Request::CancelRealTimeBars(after_version(fields)?),
        Kind::MarketData => Request::MarketData(market_data(fields)?),
        Kind::CancelMarketData => Request::CancelMarketData(after_version(fields)?),
        Kind::MarketDataType => Request::MarketDataType(market_data_type(fields)?),
        Kind::MarketRule => Request::MarketRule(MarketRuleRequest { rule: Some(fields.number()?) }),
    })
}

fn alone(fields: &mut Fields<'_>) -> Result<RequestId, Unreadable> {
    Ok(RequestId { id: Some(fields.number()?) })
}

fn after_version(fields: &mut Fields<'_>) -> Result<RequestId, Unreadable> {
    fields.skip(1)?;
    alone(fields)
}

fn start(fields: &mut Fields<'_>) -> Result<StartApi, Unreadable> {
    fields.skip(1)?;
    Ok(StartApi { client_id: Some(fields.number()?), optional_capabilities: fields.text()? })
}

fn account_data(fields: &mut Fields<'_>) -> Result<AccountData, Unreadable> {
    fields.skip(1)?;
    Ok(AccountData { subscribe: fields.flag()?, account: fields.text()? })
}

fn account_updates(fields: &mut Fields<'_>) -> Result<AccountUpdatesMulti, Unreadable> {
    fields.skip(1)?;
    Ok(AccountUpdatesMulti { id: Some(fields.number()?), account: fields.text()? })
}

/// The twelve fields of a contract.
fn contract(fields: &mut Fields<'_>) -> Result<Contract, Unreadable> {
    Ok(Contract {
        con_id: Some(fields.figure()?.map_or(Ok(0), whole)?),
        symbol: fields.text()?,
        sec_type: fields.text()?,
        last_trade_date_or_month: fields.text()?,
        strike: fields.figure()?,
        right: fields.text()?,
        multiplier: fields.figure()?,
        exchange: fields.text()?,
        primary_exch: fields.text()?,
        currency: fields.text()?,
        local_symbol: fields.text()?,
        trading_class: fields.text()?,
        description: None,
        include_expired: None,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
fn whole(figure: f64) -> Result<i32, Unreadable> {
    let fits = figure.fract() == 0.0 && figure.abs() <= f64::from(i32::MAX);
    if fits { Ok(figure as i32) } else { Err(Unreadable) }
}

fn contract_and_expired(fields: &mut Fields<'_>) -> Result<Contract, Unreadable> {
    let contract = contract(fields)?;
    Ok(Contract { include_expired: fields.flag()?, ..contract })
}

fn contract_details(version: i32, fields: &mut Fields<'_>) -> Result<ContractDataRequest, Unreadable> {
    fields.skip(1)?;
    let id = Some(fields.number()?);
    let contract = Some(contract_and_expired(fields)?);
    // Other ways to name a security, and since 176 its issuer.
    fields.skip(if version >= 176 { 3 } else { 2 })?;
    Ok(ContractDataRequest { id, contract })
}

fn matching_symbols(fields: &mut Fields<'_>) -> Result<MatchingSymbolsRequest, Unreadable> {
    Ok(MatchingSymbolsRequest { id: Some(fields.number()?), pattern: fields.text()? })
}

fn head_timestamp(fields: &mut Fields<'_>) -> Result<HeadTimestampRequest, Unreadable> {
    Ok(HeadTimestampRequest {
        id: Some(fields.number()?),
        contract: Some(contract_and_expired(fields)?),
        regular_hours: fields.flag()?,
        what_to_show: fields.text()?,
        format_date: Some(fields.number()?),
    })
}

fn historical_data(fields: &mut Fields<'_>) -> Result<HistoricalDataRequest, Unreadable> {
    let id = Some(fields.number()?);
    let contract = contract_and_expired(fields)?;
    let (end, bar_size, duration) = (fields.text()?, fields.text()?, fields.text()?);
    let (regular_hours, what_to_show) = (fields.flag()?, fields.text()?);
    let format_date = Some(fields.number()?);
    if contract.sec_type.as_deref() == Some(BAG) {
        let legs: usize = fields.number()?;
        fields.skip(legs.saturating_mul(4))?;
    }
    let keep_up_to_date = fields.flag()?;
    // Chart options.
    fields.skip(1)?;
    let contract = Some(contract);
    Ok(HistoricalDataRequest {
        id,
        contract,
        end,
        bar_size,
        duration,
        regular_hours,
        what_to_show,
        format_date,
        keep_up_to_date,
    })
}

fn real_time_bars(fields: &mut Fields<'_>) -> Result<RealTimeBarsRequest, Unreadable> {
    fields.skip(1)?;
    Ok(RealTimeBarsRequest {
        id: Some(fields.number()?),
        contract: Some(contract(fields)?),
        bar_size: Some(fields.number()?),
        what_to_show: fields.text()?,
        regular_hours: fields.flag()?,
    })
}

fn market_data(fields: &mut Fields<'_>) -> Result<MarketDataRequest, Unreadable> {
    fields.skip(1)?;
    let id = Some(fields.number()?);
    let contract = contract(fields)?;
    if contract.sec_type.as_deref() == Some(BAG) {
        let legs: usize = fields.number()?;
        fields.skip(legs.saturating_mul(4))?;
    }
    if fields.flag()? == Some(true) {
        // The delta-neutral contract.
        fields.skip(3)?;
    }
    fields.skip(1)?;
    Ok(MarketDataRequest { id, contract: Some(contract), snapshot: fields.flag()? })
}

fn market_data_type(fields: &mut Fields<'_>) -> Result<MarketDataTypeRequest, Unreadable> {
    fields.skip(1)?;
    Ok(MarketDataTypeRequest { data_type: Some(fields.number()?) })
}
