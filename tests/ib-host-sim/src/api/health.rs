//! Who the service is and how it feels. Nothing of it ever changes, whatever the gateway does.

use jiff::Timestamp;
use serde_json::json;

use ktrdr_http_sim::Answer;

/// In UTC, and without saying so.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

pub(super) fn root() -> Answer {
    Answer::ok(&json!({
        "service": "IB Connector Host Service", "version": "1.0.0", "status": "running", "timestamp": now(),
    }))
}

pub(super) fn plain() -> Answer {
    Answer::ok(&json!({
        "healthy": true, "service": "ib-connector", "timestamp": now(), "status": "operational",
    }))
}

/// `/health/` is not `/health`.
pub(super) fn nested() -> Answer {
    let now = now();
    Answer::ok(&json!({
        "healthy": true, "service": "ib-connector", "timestamp": now,
        "ib_status": { "connected": false, "connection_count": 0 },
        "connection_info": { "service_running": true, "last_check": now },
        "error": null,
    }))
}

pub(super) fn detailed() -> Answer {
    Answer::ok(&json!({
        "healthy": true, "service": "ib-connector", "timestamp": now(),
        "ib_gateway_connected": false, "active_connections": 0, "total_requests": 0, "error_count": 0,
        "last_error": null, "uptime_seconds": 0.0, "connection_pool_status": { "pool_initialized": false },
    }))
}
