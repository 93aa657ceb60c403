//! The first lines: the daemon, the gateway, pacing.

use ktrdr_proto::v1::{GatewayState, PacingStatus};
use ratatui::text::{Line, Span};

use super::{
    super::state::State,
    paint::{GAP, Paint, faint},
};
use crate::{
    output::{
        gauge::gauge,
        table::{Cell, Tone, bytes},
    },
    time::{Stamps, duration, span},
    views::{gateway::state_cell, word},
};

/// Characters of the pacing budget.
const BUDGET: usize = 20;
/// A share of it from which on it is remarkable.
const TIGHT: f64 = 0.8;
/// Longer than an answer usually takes.
const SLOW_NS: i64 = 1_000_000_000;

/// A label and what there is to say under it.
struct Said {
    spans: Vec<Span<'static>>,
    paint: Paint,
}

impl Said {
    fn of(label: &str, paint: Paint) -> Self {
        Self { spans: vec![Span::styled(format!("{label:<9}"), faint())], paint }
    }

    fn add(&mut self, text: impl Into<String>, tone: Tone) {
        if self.spans.len() > 1 {
            self.spans.push(Span::raw(GAP));
        }
        self.spans.push(Span::styled(text.into(), self.paint.tone(tone)));
    }

    fn add_if(&mut self, text: String) {
        if !text.is_empty() {
            self.add(text, Tone::Plain);
        }
    }

    fn cell(&mut self, cell: &Cell) {
        self.add(cell.text(), cell.tone());
    }
}

impl From<Said> for Line<'static> {
    fn from(said: Said) -> Self {
        Self::from(said.spans)
    }
}

pub(super) fn lines(state: &State, paint: Paint) -> Vec<Line<'static>> {
    let mut lines = vec![daemon(state, paint), gateway(state, paint)];
    lines.extend(trouble(state, paint));
    lines.extend(pacing(state, paint));
    lines
}

/// When that was, for the right end of the first line.
pub(super) fn clock(state: &State, paint: Paint) -> Line<'static> {
    let time = Stamps::default().plain(state.look.at_ns).get(11..19).unwrap_or_default().to_owned();
    let paused = if state.paused { Span::styled("paused ", paint.tone(Tone::Busy)) } else { Span::raw("") };
    Line::from(vec![paused, Span::styled(format!("{time} UTC"), faint())])
}

fn daemon(state: &State, paint: Paint) -> Line<'static> {
    let daemon = &state.look.daemon;
    let mut said = Said::of("daemon", paint);
    said.add(daemon.version.clone(), Tone::Plain);
    if let Some(why) = &state.silence {
        let gone = span(state.look.at_ns, state.now_ns);
        said.add(format!("no answer for {gone}, asking on: {why}"), Tone::Bad);
        return said.into();
    }
    if let Some(asked) = state.asked_ns.filter(|asked| state.now_ns - asked >= SLOW_NS) {
        said.add(format!("has not answered for {}", span(asked, state.now_ns)), Tone::Busy);
    }
    said.add(format!("up {}", span(daemon.started_at_ns, state.look.at_ns)), Tone::Plain);
    said.add(bytes(daemon.memory_bytes), Tone::Plain);
    said.add(format!("pid {}", daemon.pid), Tone::Plain);
    if let Some(bucket) = &daemon.bucket {
        match (bucket.last_error.as_str(), bucket.files_behind) {
            ("", 0) => said.add("bucket has everything", Tone::Plain),
            ("", behind) => said.add(format!("bucket {behind} files behind"), Tone::Busy),
            (error, behind) => said.add(format!("bucket {behind} files behind: {error}"), Tone::Bad),
        }
    }
    said.into()
}

fn gateway(state: &State, paint: Paint) -> Line<'static> {
    let gateway = &state.look.gateway;
    let mut said = Said::of("gateway", paint);
    said.cell(&state_cell(word::<GatewayState>(gateway.state)));
    if gateway.since_ns != 0 {
        said.add(format!("for {}", span(gateway.since_ns, state.look.at_ns)), Tone::Plain);
    }
    said.add_if(gateway.address.clone());
    said.add_if(gateway.client_id.map(|id| format!("client {id}")).unwrap_or_default());
    if gateway.reconnects > 0 {
        said.add(format!("{} reconnects", gateway.reconnects), Tone::Plain);
    }
    if gateway.state() == GatewayState::Ready {
        said.add_if(gateway.next.clone());
    }
    said.into()
}

/// Why the gateway is not ready, and what comes next; which farms are away.
fn trouble(state: &State, paint: Paint) -> Option<Line<'static>> {
    let gateway = &state.look.gateway;
    let mut said = Said::of("", paint);
    let down: Vec<&str> = gateway.farms.iter().filter(|farm| !farm.up).map(|farm| farm.name.as_str()).collect();
    if gateway.state() != GatewayState::Ready {
        let parts = [gateway.reason.as_str(), gateway.next.as_str()];
        said.add_if(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "));
    }
    if !down.is_empty() {
        said.add(format!("farms down: {}", down.join(", ")), Tone::Bad);
    }
    (said.spans.len() > 1).then(|| said.into())
}

fn pacing(state: &State, paint: Paint) -> Option<Line<'static>> {
    let gateway = &state.look.gateway;
    let pacing = gateway.pacing.as_ref().filter(|pacing| pacing.limit > 0)?;
    let mut said = Said::of("pacing", paint);
    let share = f64::from(pacing.used) / f64::from(pacing.limit);
    said.add(gauge(share, BUDGET), if share >= TIGHT { Tone::Busy } else { Tone::Good });
    said.add(format!("{}/{}", pacing.used, pacing.limit), Tone::Plain);
    held_back(&mut said, pacing);
    let requests = gateway.requests.unwrap_or_default();
    said.add(format!("requests {} open, {} queued", requests.open, requests.queued), Tone::Plain);
    Some(said.into())
}

fn held_back(said: &mut Said, pacing: &PacingStatus) {
    if pacing.paused_seconds > 0.0 {
        said.add(format!("IB refused; nothing for {}", duration(pacing.paused_seconds)), Tone::Bad);
    } else if pacing.slow {
        said.add("IB refused; half of it is used", Tone::Busy);
    }
    // a tenth of a second is no wait
    if pacing.next_slot_seconds >= 0.1 {
        said.add(format!("next in {}", duration(pacing.next_slot_seconds)), Tone::Busy);
    }
}
