//! Answers to questions about contracts.

use super::Shared;
use super::answer::{Refusal, described, query};
use crate::market::{Contract, SecurityType, hours, price_steps};
use crate::protocol::dates;
use crate::protocol::messages::{
    ContractData, ContractDataRequest, ContractDetails, MarketRule, MarketRuleRequest, MatchingSymbolsRequest,
    PriceIncrement, RequestId, SymbolSample, SymbolSamples,
};
use crate::protocol::reply::Reply;

/// The gateway's short name of a contract request in refusals.
const KIND: &str = "bK";
/// Most symbols that a search returns.
const MOST_SAMPLES: usize = 16;

pub(crate) fn details(shared: &Shared, id: i32, request: &ContractDataRequest) -> Result<Vec<Reply>, Refusal> {
    let query = query(request.contract.as_ref());
    if let Some(lack) = query.lack(false) {
        return Err(Refusal::invalid(KIND, lack));
    }
    let found = shared.market.find(&query, shared.clock.now());
    if found.is_empty() {
        return Err(Refusal::no_definition());
    }
    let row = |contract: &Contract| {
        let (described, details) = (described(contract), detailed(contract, shared.clock.now()));
        Reply::ContractData(Box::new(ContractData { id: Some(id), contract: Some(described), details: Some(details) }))
    };
    let rows = found.iter().map(|contract| row(contract));
    Ok(rows.chain([Reply::ContractDataEnd(RequestId { id: Some(id) })]).collect())
}

pub(crate) fn matching(shared: &Shared, id: i32, request: &MatchingSymbolsRequest) -> Reply {
    let pattern = request.pattern.as_deref().unwrap_or_default();
    let found = shared.market.search(pattern);
    let samples = found.iter().take(MOST_SAMPLES).map(|contract| sample(contract)).collect();
    Reply::SymbolSamples(SymbolSamples { id: Some(id), samples })
}

/// The steps of prices under a rule that contract details name.
pub(crate) fn market_rule(request: &MarketRuleRequest) -> Result<Vec<Reply>, Refusal> {
    let rule = request.rule.unwrap_or(0);
    let step = price_steps(rule).ok_or_else(|| Refusal::invalid("cy", &format!("Unknown market rule {rule}")))?;
    let increments = vec![PriceIncrement { low_edge: Some(0.0), increment: Some(step) }];
    Ok(vec![Reply::MarketRule(MarketRule { rule: Some(rule), increments })])
}

/// In searches, a venue comes with its market tier, and what is traded there is not said.
fn sample(contract: &Contract) -> SymbolSample {
    let mut described = described(contract);
    described.exchange = None;
    described.local_symbol = None;
    described.trading_class = None;
    described.description = Some(contract.long_name.clone());
    if contract.primary == "NASDAQ" {
        described.primary_exch = Some("NASDAQ.NMS".to_owned());
    }
    let derivatives: &[&str] = if contract.kind == SecurityType::Stock { &["CFD", "OPT"] } else { &[] };
    SymbolSample {
        contract: Some(described),
        derivative_types: derivatives.iter().map(|kind| (*kind).to_owned()).collect(),
    }
}

fn detailed(contract: &Contract, now: i64) -> ContractDetails {
    let text = |text: &str| Some(text.to_owned());
    let rule = contract.market_rule().to_string();
    let step = if contract.kind == SecurityType::Stock { "0.0001" } else { "0.01" };
    ContractDetails {
        market_name: text(&contract.trading_class),
        min_tick: text(contract.min_tick),
        order_types: text("ACTIVETIM,ADJUST,ALERT,DAY,GTC,LMT,MKT,STP"),
        valid_exchanges: Some(contract.venues()),
        price_magnifier: Some(contract.magnifier),
        long_name: text(&contract.long_name),
        contract_month: contract.last_day.map(|day| day.strftime("%Y%m").to_string()),
        real_expiration_date: contract.last_day.map(dates::day),
        time_zone_id: text(contract.schedule.zone_name),
        trading_hours: Some(hours(&contract.schedule, now, false)),
        liquid_hours: Some(hours(&contract.schedule, now, true)),
        market_rule_ids: Some(contract.venues().split(',').map(|_| rule.clone()).collect::<Vec<_>>().join(",")),
        stock_type: (!contract.stock_type.is_empty()).then(|| contract.stock_type.to_owned()),
        min_size: text(step),
        size_increment: text(step),
        suggested_size_increment: text(if contract.kind == SecurityType::Stock { "100" } else { "0.01" }),
        ..ContractDetails::default()
    }
}
