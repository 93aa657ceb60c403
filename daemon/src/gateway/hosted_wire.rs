//! Answers of the IB host service (pure): bars are a JSON text inside of a JSON text.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use super::{Contract, SecurityKind, translate};
use crate::model::{Bar, Bars, Nanos, WhatToShow};
use ktrdr_proto::text::one_line;

/// `GET /`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Root {
    pub(super) service: String,
}

/// `POST /data/historical`.
#[derive(Debug, Deserialize)]
pub(super) struct History {
    pub(super) success: bool,
    #[serde(default)]
    pub(super) data: Option<String>,
    #[serde(default)]
    pub(super) rows: Option<u64>,
    #[serde(default)]
    pub(super) error: Option<String>,
}

/// `POST /data/validate`.
#[derive(Debug, Deserialize)]
pub(super) struct Validation {
    pub(super) success: bool,
    #[serde(default)]
    pub(super) is_valid: bool,
    #[serde(default)]
    pub(super) contract_info: Option<Info>,
}

/// `GET /data/head-timestamp`.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    pub(super) timestamp: Option<String>,
}

/// What it knows of a contract.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    symbol: String,
    contract: Inner,
    exchange: Option<String>,
    currency: Option<String>,
    description: Option<String>,
    trading_hours: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Inner {
    con_id: i32,
    exchange: Option<String>,
    primary_exchange: Option<String>,
    currency: Option<String>,
    local_symbol: Option<String>,
    trading_class: Option<String>,
}

/// In our words. The service tells no price step, and hours only in some of its versions.
pub(super) fn contract(info: Info, kind: SecurityKind) -> Result<Contract, String> {
    let inner = info.contract;
    if inner.con_id <= 0 {
        return Err(format!("the host service told no id of {:?}", info.symbol));
    }
    let text = |one: Option<String>, other: Option<String>| {
        one_line(&one.filter(|text| !text.is_empty()).or(other).unwrap_or_default())
    };
    let primary = text(inner.primary_exchange, info.exchange);
    // a list of days, or all of them in one text
    let listed = |key: &str| match info.trading_hours.as_ref().and_then(|hours| hours.get(key)) {
        Some(Value::Array(parts)) => parts.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>(),
        Some(Value::String(text)) => text.split(';').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let told_zone = info.trading_hours.as_ref().and_then(|hours| hours.get("timezone")?.as_str());
    Ok(Contract {
        id: inner.con_id,
        kind,
        exchange: match kind {
            SecurityKind::Stock => "SMART".into(),
            SecurityKind::Forex => "IDEALPRO".into(),
            _ => one_line(&inner.exchange.unwrap_or_default()),
        },
        currency: text(inner.currency, info.currency),
        long_name: text(info.description, None),
        time_zone: one_line(told_zone.unwrap_or_else(|| zone_of(kind, &primary))),
        trading_hours: listed("trading_hours"),
        liquid_hours: listed("liquid_hours"),
        min_tick: 0.01,
        local_symbol: text(inner.local_symbol, Some(info.symbol)),
        trading_class: text(inner.trading_class, None),
        primary_exchange: if kind == SecurityKind::Forex { String::new() } else { primary },
        multiplier: String::new(),
        last_trade_date: String::new(),
    })
}

/// Where an exchange is, for services that do not tell; IB keeps the day of currency pairs in New York.
fn zone_of(kind: SecurityKind, exchange: &str) -> &'static str {
    match exchange {
        _ if kind == SecurityKind::Forex => "US/Eastern",
        "LSE" | "LSEETF" => "Europe/London",
        "IBIS" | "IBIS2" | "FWB" => "Europe/Berlin",
        "SBF" => "Europe/Paris",
        "AEB" => "Europe/Amsterdam",
        "EBS" => "Europe/Zurich",
        "TSE" => "Canada/Eastern",
        "TSEJ" => "Japan",
        "SEHK" => "Hongkong",
        "ASX" => "Australia/Sydney",
        _ => "US/Eastern",
    }
}

/// A row of bars.
#[derive(Debug, Deserialize)]
struct Row {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    #[serde(default)]
    volume: Option<f64>,
}

/// Entries in their order, doubles and all: a map would hide them.
struct Rows(Vec<(String, Row)>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bars by their time")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let mut rows = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    rows.push(entry);
                }
                Ok(Rows(rows))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Sorted bars, and the starts of those whose prices cannot be; `None` when there are none at all.
pub(super) fn bars(data: &str, rows: Option<u64>, what: WhatToShow) -> Result<Option<(Bars, Vec<Nanos>)>, String> {
    let Rows(entries) = serde_json::from_str(data).map_err(|error| format!("bars that cannot be read: {error}"))?;
    if rows != Some(entries.len() as u64) {
        return Err(format!("{} bars came, and {rows:?} were announced", entries.len()));
    }
    let mut bars = Vec::with_capacity(entries.len());
    for (stamp, row) in entries {
        let start = instant(&stamp).ok_or_else(|| format!("a time that cannot be read: {stamp:?}"))?;
        // quotes have no volume; −1 means that there is none
        let volume = row.volume.filter(|volume| what == WhatToShow::Trades && *volume >= 0.0);
        bars.push(Bar { start, open: row.open, high: row.high, low: row.low, close: row.close, volume });
    }
    if bars.windows(2).any(|pair| pair[0].start >= pair[1].start) {
        return Err("bars that are not in the order of time, each once".into());
    }
    if bars.is_empty() {
        return Ok(None);
    }
    let (bars, spoiled): (Vec<Bar>, Vec<Bar>) = bars.into_iter().partition(Bar::is_possible);
    Ok(Some((bars.into_iter().collect(), spoiled.into_iter().map(|bar| bar.start).collect())))
}

/// An instant with `Z` or an offset; without one it is UTC.
pub(super) fn instant(text: &str) -> Option<Nanos> {
    let stamp: jiff::Timestamp = text.parse().or_else(|_| format!("{text}Z").parse()).ok()?;
    translate::nanos(stamp.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::{bars as read, *};

    const TWO: &str = r#"{"2025-01-02T14:30:00.000Z":{"open":1.0,"high":3.0,"low":1.0,"close":2.0,"volume":5.0},
        "2025-01-02T15:30:00.000Z":{"open":2.0,"high":3.0,"low":1.0,"close":2.5,"volume":-1}}"#;

    #[test]
    fn bars_are_read_twice_and_counted() {
        let (bars, spoiled) = read(TWO, Some(2), WhatToShow::Trades).unwrap().unwrap();
        assert_eq!((bars.start.len(), bars.volume.as_slice(), spoiled.len()), (2, &[Some(5.0), None][..], 0));
        assert_eq!(bars.start[0], 1_735_828_200_000_000_000);
        assert_eq!(read("{}", Some(0), WhatToShow::Trades), Ok(None));
        for (data, rows) in [
            (TWO, Some(3)),
            (TWO, None),
            ("[]", Some(0)),
            ("{", Some(0)),
            (r#"{"x":{"open":1,"high":1,"low":1,"close":1}}"#, Some(1)),
        ] {
            assert!(read(data, rows, WhatToShow::Trades).is_err(), "{data} {rows:?}");
        }
        let doubled = TWO.replace("15:30", "14:30");
        assert!(read(&doubled, Some(2), WhatToShow::Trades).unwrap_err().contains("each once"));
    }

    #[test]
    fn prices_that_cannot_be_are_told_apart() {
        let data = TWO.replace("\"low\":1.0,\"close\":2.0", "\"low\":9.0,\"close\":2.0");
        let (bars, spoiled) = read(&data, Some(2), WhatToShow::Midpoint).unwrap().unwrap();
        assert_eq!((bars.start.len(), spoiled.len(), bars.volume[0]), (1, 1, None));
    }

    #[test]
    fn a_contract_without_an_id_is_none() {
        let info: Info = serde_json::from_value(serde_json::json!({
            "symbol": "AAPL", "contract": {"secType": "STK", "conId": 265_598, "primaryExchange": "NASDAQ", "currency": "USD"},
            "description": "APPLE INC",
        })).unwrap();
        let told = contract(info, SecurityKind::Stock).unwrap();
        assert_eq!((told.id, told.local_symbol.as_str(), told.time_zone.as_str()), (265_598, "AAPL", "US/Eastern"));
        assert!(contract(Info::default(), SecurityKind::Stock).is_err());
    }

    #[test]
    fn times_are_utc_where_they_do_not_say() {
        assert_eq!(instant("2025-01-02T14:30:00.000Z"), instant("2025-01-02T14:30:00"));
        assert_eq!(instant("2025-01-02T09:30:00-05:00"), instant("2025-01-02T14:30:00Z"));
        assert_eq!(instant("soon"), None);
    }

    /// An answer of the service, as any of the four that it can be; or the bars inside of one.
    #[test]
    fn foreign_bytes() {
        fn inner(data: &str) -> Result<String, String> {
            let rows = data.matches("open").count() as u64;
            for rows in [Some(rows), Some(1), None] {
                let Some((bars, spoiled)) = read(data, rows, WhatToShow::Trades)? else { return Ok("no bars".into()) };
                assert_eq!(Some((bars.len() + spoiled.len()) as u64), rows);
                assert!(bars.is_sorted() && bars.iter().all(|bar| bar.is_possible()), "{bars:?}");
            }
            Ok("bars".into())
        }
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "hosted").memory(64, 1 << 20).check(|bytes| {
            let told = |error: serde_json::Error| error.to_string();
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            if inner(text).is_ok() {
                return Ok("bars alone".into());
            }
            serde_json::from_slice::<Root>(bytes).map_err(told)?;
            if let Ok(Head { timestamp: Some(stamp) }) = serde_json::from_slice(bytes) {
                return instant(&stamp).map(|_| "head".into()).ok_or_else(|| "no time".into());
            }
            if let Ok(Validation { contract_info: Some(info), .. }) = serde_json::from_slice(bytes) {
                let contract = contract(info, SecurityKind::Stock)?;
                assert!(contract.id > 0 && !format!("{contract:?}").contains('\u{1b}'), "{contract:?}");
                for text in
                    [&contract.long_name, &contract.currency, &contract.primary_exchange, &contract.local_symbol]
                {
                    assert!(!text.contains(char::is_control), "{text:?}");
                }
                return Ok("contract".into());
            }
            match serde_json::from_slice(bytes) {
                Ok(History { data: Some(data), .. }) => inner(&data),
                Ok(History { error: Some(error), .. }) => Ok(error.chars().take(1).collect()),
                Ok(History { success, rows, .. }) => Ok(format!("{success} {}", rows.is_some())),
                Err(error) => Err(told(error)),
            }
        });
    }
}
