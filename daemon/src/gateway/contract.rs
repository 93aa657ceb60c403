//! From a symbol to the one contract that is meant.

use std::{collections::BTreeMap, time::Duration};

use ibapi::{Client, contracts::Contract as IbContract};

use super::{Contract, GatewayError, SecurityKind, Verdict, translate};
use crate::model::Symbol;

/// The crate bounds nothing here; IB's own answers take seconds at most.
pub(super) const TIME_MAX: Duration = Duration::from_secs(20);

/// Where stocks of the United States are listed; old gateways call NASDAQ "ISLAND".
const US_EXCHANGES: [&str; 8] = ["NASDAQ", "NYSE", "ARCA", "AMEX", "BATS", "IEX", "ISLAND", "PINK"];

/// What the gateway is asked for, and what kind it is.
fn wanted(symbol: &Symbol) -> (IbContract, SecurityKind) {
    if let Some((base, quote)) = symbol.currency_pair() {
        return (IbContract::forex(base, quote).build(), SecurityKind::Forex);
    }
    // IB writes a share class with a blank: BRK B
    let name = match symbol.as_str().split_once(['.', '-']) {
        Some((name, class)) if class.len() == 1 => format!("{name} {class}"),
        _ => symbol.to_string(),
    };
    // in any currency: with one asked for, the listings in others would not be told
    let any_currency = IbContract { currency: "".into(), ..IbContract::stock(name).build() };
    (any_currency, SecurityKind::Stock)
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
    let mut contracts: BTreeMap<i32, Contract> = rows.map(|row| (row.id, row)).collect();
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
            let named =
                |row: &Contract| format!("{symbol}@{} {} ({})", row.primary_exchange, row.currency, row.long_name);
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
    fn share_classes_and_pairs_are_asked_for_as_ib_writes_them() {
        let asked = |text| wanted(&Symbol::parse(text).unwrap()).0;
        assert_eq!(asked("BRK.B").symbol.to_string(), "BRK B");
        assert_eq!(asked("EURUSD").symbol.to_string(), "EUR");
        assert_eq!(asked("EURUSD").currency.to_string(), "USD");
    }
}
