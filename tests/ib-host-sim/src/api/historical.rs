//! Bars, as a JSON text inside of JSON.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ktrdr_gateway_sim::{FeedBar, Listing};
use serde::Serialize;
use serde_json::{Value, json};

use super::contracts::{found, iso, not_found};
use super::dates::Moment;
use super::validation::Fields;
use super::{Call, no_connection};
use crate::service::IbHost;
use ktrdr_http_sim::{Answer, FaultKind};

/// After a validation, so that the gateway has its peace.
const PAUSE: Duration = Duration::from_millis(500);

struct Request {
    symbol: String,
    timeframe: String,
    start: Moment,
    end: Moment,
    instrument_type: Option<String>,
}

fn read(call: &Call) -> Result<Request, Answer> {
    let mut fields = Fields::of(call)?;
    let request = Request {
        symbol: fields.text("symbol"),
        timeframe: fields.text("timeframe"),
        start: fields.date("start"),
        end: fields.date("end"),
        instrument_type: fields.optional_text("instrument_type").filter(|text| !text.is_empty()),
    };
    fields.done().map(|()| request)
}

pub(super) async fn bars(host: &IbHost, call: &Call, fault: Option<FaultKind>) -> Answer {
    let request = match read(call) {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    match fetch(host, &request).await {
        Ok(bars) => told(&bars, fault),
        Err(why) => Answer::ok(&json!({ "success": false, "data": null, "error": why, "rows": null })),
    }
}

async fn fetch(host: &IbHost, request: &Request) -> Result<Vec<FeedBar>, String> {
    let listing = match &request.instrument_type {
        Some(security_type) => {
            if host.gateway_is_down() {
                no_connection(host, 1).await;
                return Err("Timeout while creating connection".to_owned());
            }
            let listing = host.feed.find(&request.symbol, Some(&security_type.to_uppercase()));
            listing.ok_or("No security definition has been found for the request")?
        }
        None => validated(host, request).await?,
    };
    let (start, end) = (request.start.second(), request.end.second());
    let (feed, timeframe) = (Arc::clone(&host.feed), request.timeframe.clone());
    let bars = tokio::task::spawn_blocking(move || feed.bars(&listing, &timeframe, start, end)).await;
    let bars = bars.map_err(|error| error.to_string())?;
    if bars.is_none() {
        // It looks for a connection first.
        no_connection(host, 1).await;
    }
    bars.ok_or_else(|| format!("Unsupported timeframe: {}", request.timeframe))
}

/// Without a type the service looks the symbol up first, and checks where its data begins.
async fn validated(host: &IbHost, request: &Request) -> Result<Listing, String> {
    let listing = found(host, &request.symbol).await;
    let listing = listing.ok_or_else(|| format!("Symbol validation failed: {}", not_found(&request.symbol)))?;
    if request.start.naive {
        return Err("can't compare offset-naive and offset-aware datetimes".to_owned());
    }
    if let Some(head) = listing.head.filter(|head| request.start.second() < *head) {
        return Err(format!("Data not available before {}", iso(head)));
    }
    tokio::time::sleep(host.feed.real(PAUSE)).await;
    Ok(listing)
}

#[derive(Serialize)]
struct Row {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

fn told(bars: &[FeedBar], fault: Option<FaultKind>) -> Answer {
    let mut entries: Vec<String> = bars.iter().filter_map(entry).collect();
    if let (Some(FaultKind::Doubled), Some(first)) = (fault, entries.first().cloned()) {
        entries.insert(0, first);
    }
    let rows = entries.len() + usize::from(fault == Some(FaultKind::RowsLie));
    let text = format!("{{{}}}", entries.join(","));
    let data = if fault == Some(FaultKind::NotTwice) {
        serde_json::from_str(&text).unwrap_or_default()
    } else {
        Value::from(text)
    };
    Answer::ok(&json!({ "success": true, "data": data, "error": null, "rows": rows }))
}

/// `"2025-01-02T14:30:00.000Z":{…}`.
fn entry(bar: &FeedBar) -> Option<String> {
    let at = Timestamp::from_second(bar.start).ok()?.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let FeedBar { open, high, low, close, volume, .. } = *bar;
    let row = serde_json::to_string(&Row { open, high, low, close, volume }).ok()?;
    Some(format!("\"{at}\":{row}"))
}
