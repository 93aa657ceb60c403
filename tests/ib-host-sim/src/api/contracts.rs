//! Contracts and the start of their data.

use jiff::Timestamp;
use ktrdr_gateway_sim::Listing;
use serde_json::{Map, Value, json};

use super::validation::{Fields, query};
use super::{ATTEMPTS, Call, no_connection};
use crate::service::IbHost;
use ktrdr_http_sim::Answer;

pub(super) async fn validate(host: &IbHost, call: &Call) -> Answer {
    let read = || {
        let mut fields = Fields::of(call)?;
        let (symbol, timeframes) = (fields.text("symbol"), fields.optional_texts("timeframes"));
        fields.done().map(|()| (symbol, timeframes.unwrap_or_default()))
    };
    match read() {
        Ok((symbol, timeframes)) => look_up(host, &symbol, &timeframes).await,
        Err(refusal) => refusal,
    }
}

pub(super) async fn symbol_info(host: &IbHost, symbol: &str) -> Answer {
    look_up(host, symbol, &["1h".to_owned()]).await
}

/// What a symbol stands for; nothing while the gateway is down, which takes its time.
pub(super) async fn found(host: &IbHost, symbol: &str) -> Option<Listing> {
    if host.gateway_is_down() {
        no_connection(host, ATTEMPTS).await;
        return None;
    }
    host.feed.find(symbol, None)
}

/// The same words for a symbol that does not exist and for a gateway that does not answer.
pub(super) fn not_found(symbol: &str) -> String {
    match symbol.split_at_checked(3) {
        Some((base, quote)) if symbol.len() == 6 && symbol.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("Symbol {symbol} not found. Did you mean {base}.{quote}?")
        }
        _ => format!("Symbol {symbol} not found"),
    }
}

async fn look_up(host: &IbHost, symbol: &str, timeframes: &[String]) -> Answer {
    let Some(listing) = found(host, symbol).await else {
        return Answer::ok(&json!({
            "success": true, "is_valid": false, "error_message": not_found(symbol), "contract_info": null,
            "head_timestamps": {}, "error": null,
        }));
    };
    let head = listing.head.map(iso);
    let heads: Map<String, Value> = match &head {
        Some(head) => timeframes.iter().map(|timeframe| (timeframe.clone(), head.as_str().into())).collect(),
        None => Map::new(),
    };
    Answer::ok(&json!({
        "success": true, "is_valid": true, "error_message": null,
        "contract_info": contract_info(symbol, &listing, head.as_deref().filter(|_| !heads.is_empty()), &heads),
        "head_timestamps": heads, "error": null,
    }))
}

/// Head timestamps are in it if any were asked for.
fn contract_info(symbol: &str, listing: &Listing, head: Option<&str>, heads: &Map<String, Value>) -> Value {
    let now = epoch_seconds();
    json!({
        "symbol": symbol,
        "contract": {
            "secType": listing.security_type, "conId": listing.id, "symbol": listing.symbol,
            "exchange": listing.exchange, "primaryExchange": listing.primary, "currency": listing.currency,
            "localSymbol": listing.local_symbol, "tradingClass": listing.trading_class,
        },
        "asset_type": listing.security_type,
        "exchange": listing.exchange,
        "currency": listing.currency,
        "description": listing.long_name,
        "validated_at": now,
        "trading_hours": {
            "timezone": listing.zone_name, "trading_hours": listing.trading_hours,
            "liquid_hours": listing.liquid_hours,
        },
        "head_timestamp_fetched_at": head.is_some().then_some(now),
        "head_timestamp_timeframes": head.is_some().then_some(heads),
        "head_timestamp": head,
    })
}

/// The timeframe must be said, and does not matter.
pub(super) async fn head(host: &IbHost, call: &Call) -> Answer {
    let [symbol, _] = match query(call, ["symbol", "timeframe"]) {
        Ok(values) => values,
        Err(refusal) => return refusal,
    };
    let head = found(host, &symbol).await.and_then(|listing| listing.head).map(iso);
    Answer::ok(&json!({ "success": true, "timestamp": head, "error": null }))
}

/// As Python writes an instant in UTC.
pub(super) fn iso(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// Python's `time.time()`.
fn epoch_seconds() -> f64 {
    Timestamp::now().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::not_found;

    #[test]
    fn six_letters_might_be_a_pair() {
        assert_eq!(not_found("AAPL"), "Symbol AAPL not found");
        assert_eq!(not_found("EURUSD"), "Symbol EURUSD not found. Did you mean EUR.USD?");
    }
}
