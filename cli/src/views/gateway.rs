//! The gateway: `ib …`.

use ktrdr_proto::v1::{GatewayState, GatewayStatus, PacingStatus};
use serde::Serialize;

use super::word;
use crate::{
    output::table::{Cell, Table, Tone},
    time::Instant,
};

/// The state of the connection.
#[derive(Debug, Serialize)]
pub(crate) struct GatewayView {
    pub(crate) state: &'static str,
    since: Option<Instant>,
    reason: String,
    next: String,
    address: String,
    client_id: Option<i32>,
    server_version: Option<i32>,
    pacing: Pacing,
    requests: Requests,
    reconnects: u64,
    farms: Vec<Farm>,
    unknown_codes: Vec<UnknownCode>,
}

#[derive(Debug, Serialize)]
struct Pacing {
    used: u32,
    limit: u32,
    next_slot_seconds: f64,
    users: Vec<User>,
    paused_seconds: f64,
    slow: bool,
}

#[derive(Debug, Serialize)]
struct User {
    origin: String,
    requests: u32,
}

#[derive(Debug, Serialize)]
struct UnknownCode {
    code: i32,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Requests {
    open: u32,
    queued: u32,
}

#[derive(Debug, Serialize)]
struct Farm {
    name: String,
    up: bool,
}

impl From<GatewayStatus> for GatewayView {
    fn from(status: GatewayStatus) -> Self {
        let pacing = status.pacing.unwrap_or_default();
        let requests = status.requests.unwrap_or_default();
        let farms = status.farms.into_iter().map(|farm| Farm { name: farm.name, up: farm.up });
        Self {
            state: word::<GatewayState>(status.state),
            since: Some(status.since_ns).filter(|since| *since != 0).map(Instant),
            reason: status.reason,
            next: status.next,
            address: status.address,
            client_id: status.client_id,
            server_version: status.server_version,
            pacing: Pacing::from(pacing),
            requests: Requests { open: requests.open, queued: requests.queued },
            reconnects: status.reconnects,
            farms: farms.collect(),
            unknown_codes: status
                .unknown_codes
                .into_iter()
                .map(|unknown| UnknownCode { code: unknown.code, count: unknown.count })
                .collect(),
        }
    }
}

impl GatewayView {
    /// The state, coloured.
    pub(crate) fn state_cell(&self) -> Cell {
        state_cell(self.state)
    }

    /// Everything, for people.
    pub(crate) fn table(&self) -> Table {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut table = Table::properties();
        table.property("State", self.state_cell());
        table.property_if("Since", self.since.map(|since| format!("{since:.0}")));
        table.property_if("Reason", text(&self.reason));
        table.property_if("Next", text(&self.next));
        table.property_if("Address", text(&self.address));
        table.property_if("Client id", self.client_id.map(|id| id.to_string()));
        table.property_if("Server version", self.server_version.map(|version| version.to_string()));
        table.property("Pacing", self.pacing.text());
        for user in &self.pacing.users {
            table.property("  used by", format!("{} {}", user.requests, user.origin));
        }
        if self.pacing.paused_seconds > 0.0 {
            let wait = format!("IB refused for pacing; nothing is asked for {:.0} s", self.pacing.paused_seconds);
            table.property("Paused", Cell::toned(&wait, Tone::Bad));
        } else if self.pacing.slow {
            table.property("Slowed", Cell::toned("IB refused for pacing; half of the budget is used", Tone::Busy));
        }
        table.property("Requests", format!("{} open, {} queued", self.requests.open, self.requests.queued));
        table.property("Reconnects", self.reconnects.to_string());
        for farm in &self.farms {
            let cell = if farm.up { Cell::toned("up", Tone::Good) } else { Cell::toned("down", Tone::Bad) };
            table.property(&format!("Farm {}", farm.name), cell);
        }
        for unknown in &self.unknown_codes {
            table.property(&format!("Code {}", unknown.code), format!("unknown, came {} times", unknown.count));
        }
        table
    }

    /// One line of `ib status --watch`.
    pub(crate) fn line(&self) -> String {
        let since = self.since.map(|since| format!("{since:.3}  ")).unwrap_or_default();
        let reason = if self.reason.is_empty() { String::new() } else { format!("  {}", self.reason) };
        // what comes next is of interest where something is amiss
        let next =
            if self.next.is_empty() || self.state == "ready" { String::new() } else { format!("; {}", self.next) };
        format!("{since}{:<13}{reason}{next}", self.state)
    }
}

/// The word of a state, coloured.
pub(crate) fn state_cell(state: &str) -> Cell {
    let tone = match state {
        "ready" => Tone::Good,
        "connecting" | "synchronising" | "degraded" | "resting" => Tone::Busy,
        "disabled" | "unspecified" | "unknown" => Tone::Plain,
        _ => Tone::Bad,
    };
    Cell::toned(state, tone)
}

impl From<PacingStatus> for Pacing {
    fn from(pacing: PacingStatus) -> Self {
        let users = pacing.users.into_iter().map(|user| User { origin: user.origin, requests: user.requests });
        Self {
            used: pacing.used,
            limit: pacing.limit,
            next_slot_seconds: pacing.next_slot_seconds,
            users: users.collect(),
            paused_seconds: pacing.paused_seconds,
            slow: pacing.slow,
        }
    }
}

impl Pacing {
    fn text(&self) -> String {
        let used = format!("{} of {} small-bar requests in ten minutes", self.used, self.limit);
        if self.next_slot_seconds > 0.0 { format!("{used}, next in {:.1} s", self.next_slot_seconds) } else { used }
    }
}
