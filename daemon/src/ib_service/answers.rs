//! The documents of the old service, as its clients read them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    clock,
    gateway::{Contract, State, Status},
    market_data::Validated,
    model::{Nanos, SECOND},
    web::Answer,
};

pub(super) const JSON: &str = "application/json";

pub(super) fn document(status: u16, document: &Value) -> Answer {
    Answer::whole(status, JSON, document.to_string())
}

/// What its framework says where nothing is to be had.
pub(super) fn detail(status: u16, text: &str) -> Answer {
    document(status, &json!({ "detail": text }))
}

pub(super) fn instant(at: Nanos) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(at)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// UTC, and without saying so.
fn now() -> String {
    instant(clock::now()).strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// UTC, as Python writes it.
pub(super) fn iso(at: Nanos) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

pub(super) fn root() -> Answer {
    let about = json!({
        "service": "IB Connector Host Service", "version": "1.0.0", "status": "running", "timestamp": now(),
    });
    document(200, &about)
}

pub(super) fn health() -> Answer {
    let about = json!({ "healthy": true, "service": "ib-connector", "timestamp": now(), "status": "operational" });
    document(200, &about)
}

/// The old one said `false` for ever; ours is what the connection is.
pub(super) fn health_of(status: &Status) -> Answer {
    let (now, connected) = (now(), status.state == State::Ready);
    let about = json!({
        "healthy": true, "service": "ib-connector", "timestamp": now,
        "ib_status": { "connected": connected, "connection_count": usize::from(connected) },
        "connection_info": { "service_running": true, "last_check": now },
        "error": trouble(status),
    });
    document(200, &about)
}

pub(super) fn health_in_detail(status: &Status, started: Nanos) -> Answer {
    let connected = status.state == State::Ready;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a life")]
    let uptime = (clock::now() - started).max(0) as f64 / SECOND as f64;
    let about = json!({
        "healthy": true, "service": "ib-connector", "timestamp": now(),
        "ib_gateway_connected": connected, "active_connections": usize::from(connected),
        "total_requests": status.pacing.used, "error_count": 0, "last_error": trouble(status),
        "uptime_seconds": uptime,
        "connection_pool_status": { "pool_initialized": connected },
    });
    document(200, &about)
}

fn trouble(status: &Status) -> Option<&str> {
    (status.state != State::Ready).then_some(status.reason.as_str())
}

pub(super) fn no_history(why: &str) -> Answer {
    document(200, &json!({ "success": false, "data": null, "error": why, "rows": null }))
}

pub(super) fn no_symbol(success: bool, message: &str) -> Answer {
    let error = (!success).then_some(message);
    document(
        200,
        &json!({
            "success": success, "is_valid": false, "error_message": message, "contract_info": null, "head_timestamps": {}, "error": error,
        }),
    )
}

pub(super) fn symbol(asked: &str, known: &Validated, head: Option<Nanos>, timeframes: &[String]) -> Answer {
    let head = head.map(iso);
    let heads: Map<String, Value> = match &head {
        Some(head) => timeframes.iter().map(|timeframe| (timeframe.clone(), head.as_str().into())).collect(),
        None => Map::new(),
    };
    document(
        200,
        &json!({
            "success": true, "is_valid": true, "error_message": null,
            "contract_info": contract_info(asked, known, &heads, head.as_deref()),
            "head_timestamps": heads, "error": null,
        }),
    )
}

fn contract_info(asked: &str, known: &Validated, heads: &Map<String, Value>, head: Option<&str>) -> Value {
    let contract: &Contract = &known.contract;
    let kind = security_type(contract);
    #[expect(clippy::cast_precision_loss, reason = "Python's time.time() is no more precise")]
    let validated = known.as_of as f64 / SECOND as f64;
    // head timestamps are in it if any were asked for
    let head = head.filter(|_| !heads.is_empty());
    json!({
        "symbol": asked,
        "contract": {
            "secType": kind, "conId": contract.id, "symbol": known.symbol.as_str(), "exchange": contract.exchange,
            "primaryExchange": contract.primary_exchange, "currency": contract.currency,
            "localSymbol": contract.local_symbol, "tradingClass": contract.trading_class,
        },
        "asset_type": kind,
        "exchange": if contract.primary_exchange.is_empty() { &contract.exchange } else { &contract.primary_exchange },
        "currency": contract.currency,
        "description": contract.long_name,
        "validated_at": validated,
        "trading_hours": {
            "timezone": contract.time_zone, "trading_hours": contract.trading_hours, "liquid_hours": contract.liquid_hours,
        },
        "head_timestamp_fetched_at": head.map(|_| validated),
        "head_timestamp_timeframes": head.map(|_| heads),
        "head_timestamp": head,
    })
}

/// In IB's words.
fn security_type(contract: &Contract) -> &'static str {
    use crate::gateway::SecurityKind;
    match contract.kind {
        SecurityKind::Stock => "STK",
        SecurityKind::Forex => "CASH",
        SecurityKind::Future => "FUT",
        SecurityKind::ContinuousFuture => "CONTFUT",
        SecurityKind::Index => "IND",
    }
}

pub(super) fn head(head: Option<Nanos>) -> Answer {
    document(200, &json!({ "success": true, "timestamp": head.map(iso), "error": null }))
}

pub(super) fn no_head(why: &str) -> Answer {
    document(200, &json!({ "success": false, "timestamp": null, "error": why }))
}
