//! From a symbol to the one contract that is meant.

use std::{collections::BTreeMap, time::Duration};

use ibapi::{Client, contracts::Contract as IbContract};

use super::{Contract, GatewayError, SecurityKind, Verdict, translate};
use crate::model::{Instrument, Symbol};

/// The crate bounds nothing here; IB's own answers take seconds at most.
pub(super) const TIME_MAX: Duration = Duration::from_secs(20);

/// Where stocks of the United States are listed; old gateways call NASDAQ "ISLAND".
const US_EXCHANGES: [&str; 8] = ["NASDAQ", "NYSE", "ARCA", "AMEX", "BATS", "IEX", "ISLAND", "PINK"];

/// What the gateway is asked for, and what kind it is.
fn wanted(symbol: &Symbol) -> (IbContract, SecurityKind) {
    // in any currency: with one asked for, the listings in others would not be told; and at any exchange, as far as
    // the symbol names none: there is no SMART for futures and indices
    let of_kind = |kind, name: &str, exchange: Option<&str>| IbContract {
        symbol: name.into(),
        security_type: translate::security_type(kind),
        exchange: exchange.unwrap_or_default().into(),
        currency: "".into(),
        include_expired: kind == SecurityKind::Future,
        ..IbContract::default()
    };
    match symbol.instrument() {
        Instrument::Pair { base, quote } => (IbContract::forex(base, quote).build(), SecurityKind::Forex),
        Instrument::Stock { name, primary } => {
            // IB writes a share class with a blank: BRK B
            let name = match name.split_once(['.', '-']) {
                Some((name, class)) if class.len() == 1 => format!("{name} {class}"),
                _ => name.to_owned(),
            };
            let kind = SecurityKind::Stock;
            let primary_exchange = primary.unwrap_or_default().into();
            (IbContract { primary_exchange, ..of_kind(kind, &name, Some("SMART")) }, kind)
        }
        Instrument::Index { name, exchange } => (of_kind(SecurityKind::Index, name, exchange), SecurityKind::Index),
        Instrument::Future { root, month, exchange } => {
            let kind = SecurityKind::Future;
            let last_trade_date_or_contract_month = month.to_owned();
            (IbContract { last_trade_date_or_contract_month, ..of_kind(kind, root, exchange) }, kind)
        }
        Instrument::Continuous { root, exchange } => {
            (of_kind(SecurityKind::ContinuousFuture, root, exchange), SecurityKind::ContinuousFuture)
        }
    }
}

/// What a person can type to mean this one. Of futures of one month, the day tells them apart.
fn spelling(symbol: &Symbol, row: &Contract, days_differ: bool) -> String {
    let at = |name: String, exchange: &str| if exchange.is_empty() { name } else { format!("{name}@{exchange}") };
    match symbol.instrument() {
        Instrument::Pair { .. } => symbol.to_string(),
        Instrument::Stock { name, .. } => at(name.to_owned(), &row.primary_exchange),
        Instrument::Index { name, .. } => at(format!("{name}-IND"), &row.exchange),
        Instrument::Continuous { root, .. } => at(format!("{root}-CONT"), &row.exchange),
        Instrument::Future { root, month, .. } => {
            let day = Some(row.last_trade_date.as_str()).filter(|day| days_differ && !day.is_empty());
            at(format!("{root}-{}", day.unwrap_or(month)), &row.exchange)
        }
    }
}

/// Asks the gateway. Never a guess: several candidates are told.
pub(super) async fn resolve(client: &Client, symbol: &Symbol, time_max: Duration) -> Result<Contract, GatewayError> {
    let (wanted, kind) = wanted(symbol);
    let failed = |error| match translate::error(error, "a request for contract details", time_max) {
        GatewayError::Refused { verdict: Verdict { reason, .. }, .. }
            if *reason == ktrdr_proto::reason::CONTRACT_NOT_FOUND =>
        {
            GatewayError::ContractNotFound { symbol: symbol.to_string() }
        }
        other => other,
    };
    let mut answer = client.contract_details_stream(&wanted).subscribe().await.map_err(failed)?;
    let rows = answer.collect_to_end_within(time_max).await.map_err(failed)?;
    choose(symbol, rows.into_iter().map(|row| translate::details(row, kind)))
}

/// One contract, or the only one in dollars on an exchange of the United States, or an error that names them all.
fn choose(symbol: &Symbol, rows: impl Iterator<Item = Contract>) -> Result<Contract, GatewayError> {
    // details of one contract may come once an exchange
    let mut contracts = BTreeMap::new();
    for row in rows {
        contracts.entry(row.id).or_insert(row);
    }
    if contracts.len() > 1 {
        let american = |row: &Contract| row.currency == "USD" && US_EXCHANGES.contains(&row.primary_exchange.as_str());
        if contracts.values().filter(|row| american(row)).count() == 1 {
            contracts.retain(|_, row| american(row));
        }
    }
    match contracts.len() {
        0 => Err(GatewayError::ContractNotFound { symbol: symbol.to_string() }),
        1 => contracts.pop_first().map(|(_, row)| row).ok_or(GatewayError::Lost),
        _ => {
            let first_day = contracts.values().next().map(|row| row.last_trade_date.clone());
            let days_differ = contracts.values().any(|row| Some(&row.last_trade_date) != first_day.as_ref());
            let named = |row: &Contract| {
                let typed = spelling(symbol, row, days_differ);
                let times = if row.multiplier.is_empty() { "" } else { ", multiplier " };
                format!("{typed} {} ({}{times}{})", row.currency, row.long_name, row.multiplier)
            };
            let candidates = contracts.values().map(named).collect::<Vec<_>>().join(", ");
            Err(GatewayError::ContractAmbiguous { symbol: symbol.to_string(), candidates })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i32, primary: &str, currency: &str) -> Contract {
        Contract {
            id,
            kind: SecurityKind::Stock,
            exchange: "SMART".into(),
            primary_exchange: primary.into(),
            currency: currency.into(),
            long_name: "A COMPANY".into(),
            time_zone: "US/Eastern".into(),
            trading_hours: Vec::new(),
            liquid_hours: Vec::new(),
            min_tick: 0.01,
            local_symbol: String::new(),
            trading_class: String::new(),
            multiplier: String::new(),
            last_trade_date: String::new(),
        }
    }

    fn chosen(rows: &[Contract]) -> Result<i32, GatewayError> {
        choose(&Symbol::parse("MSFT").unwrap(), rows.iter().cloned()).map(|row| row.id)
    }

    #[test]
    fn the_only_american_listing_in_dollars_wins_and_nothing_is_guessed() {
        assert_eq!(chosen(&[row(1, "LSE", "GBP")]).unwrap(), 1);
        assert_eq!(chosen(&[row(1, "MEXI", "MXN"), row(2, "NASDAQ", "USD"), row(3, "EBS", "USD")]).unwrap(), 2);
        assert_eq!(chosen(&[row(2, "NASDAQ", "USD"), row(2, "NASDAQ", "USD")]).unwrap(), 2);
        let error = chosen(&[row(1, "NYSE", "USD"), row(2, "NASDAQ", "USD")]).unwrap_err();
        let GatewayError::ContractAmbiguous { candidates, .. } = error else { panic!("{error}") };
        assert!(candidates.contains("MSFT@NYSE USD") && candidates.contains("MSFT@NASDAQ USD"), "{candidates}");
        assert!(matches!(chosen(&[]), Err(GatewayError::ContractNotFound { .. })));
    }

    #[test]
    fn candidates_are_text_that_can_be_typed() {
        let future = |id, day: &str, exchange: &str| Contract {
            kind: SecurityKind::Future,
            exchange: exchange.into(),
            last_trade_date: day.into(),
            multiplier: "1000".into(),
            ..row(id, "", "USD")
        };
        for (typed, rows, wanted) in [
            (
                "VIX-202503",
                [future(1, "20250312", "CFE"), future(2, "20250319", "CFE")],
                ["VIX-20250312@CFE", "VIX-20250319@CFE"],
            ),
            (
                "SI-202503",
                [future(1, "20250327", "COMEX"), future(2, "20250327", "NYMEX")],
                ["SI-202503@COMEX", "SI-202503@NYMEX"],
            ),
            ("BRK-B", [row(1, "NYSE", "USD"), row(2, "AMEX", "USD")], ["BRK-B@NYSE", "BRK-B@AMEX"]),
        ] {
            let symbol = Symbol::parse(typed).unwrap();
            let error = choose(&symbol, rows.into_iter()).unwrap_err();
            let GatewayError::ContractAmbiguous { candidates, .. } = error else { panic!("{error}") };
            for one in wanted {
                assert!(candidates.contains(&format!("{one} USD")), "{candidates}");
                assert_eq!(Symbol::parse(one).unwrap().as_str(), one);
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_written_as_ib_writes_it() {
        let asked = |text| wanted(&Symbol::parse(text).unwrap()).0;
        for text in ["BRK.B", "BRK-B", "BRK/B"] {
            assert_eq!(asked(text).symbol.to_string(), "BRK B");
        }
        assert_eq!(asked("EURUSD").symbol.to_string(), "EUR");
        assert_eq!(asked("EURUSD").currency.to_string(), "USD");
        let vodafone = asked("VOD@LSE");
        assert_eq!(
            (vodafone.exchange.to_string(), vodafone.primary_exchange.to_string()),
            ("SMART".into(), "LSE".into())
        );
        let future = asked("ES 202503");
        assert_eq!((future.security_type.as_str(), future.symbol.to_string()), ("FUT", "ES".into()));
        assert_eq!((future.last_trade_date_or_contract_month.as_str(), future.include_expired), ("202503", true));
        assert_eq!(future.exchange.to_string(), "", "no SMART for futures");
        assert_eq!(asked("ES-CONT@CME").exchange.to_string(), "CME");
        assert_eq!(asked("ES-CONT").security_type.as_str(), "CONTFUT");
        assert_eq!(asked("spx").security_type.as_str(), "IND");
    }
}
