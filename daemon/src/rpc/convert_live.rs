//! Live bars on the wire.

use ktrdr_proto::v1::{self as pb, subscribe_response::Event};

use super::convert;
use crate::{
    market_data::{LiveEvent, LivePhase, LiveState},
    model::{Basis, SeriesKey, Source},
};

pub(super) fn header(key: &SeriesKey, basis: Basis, keep: bool) -> pb::SubscribeResponse {
    said(Event::Header(pb::SubscribeHeader {
        series: Some(convert::series_id(key)),
        session: convert::session_to_wire(basis).into(),
        what_to_show: convert::what_to_wire(basis).into(),
        source: convert::source_to_wire(Source::Gateway).into(),
        keep,
    }))
}

pub(super) fn event(event: LiveEvent) -> pb::SubscribeResponse {
    said(match event {
        LiveEvent::State(state) => Event::State(to_wire(&state)),
        LiveEvent::Missed(bars) => Event::Missed(pb::MissedBars { bars }),
        LiveEvent::Closed { bars, filled, gap_before } => {
            Event::Closed(pb::ClosedBars { bars: Some(convert::columns(&bars, 0..bars.len())), filled, gap_before })
        }
        LiveEvent::NotKept { bars, why } => {
            Event::NotKept(pb::NotKept { bars, reason: why.reason.clone(), messages: why.messages.clone() })
        }
        LiveEvent::Running(bar) => Event::Running(convert::columns(&[bar].into_iter().collect(), 0..1)),
    })
}

fn said(event: Event) -> pb::SubscribeResponse {
    pb::SubscribeResponse { event: Some(event) }
}

fn to_wire(state: &LiveState) -> pb::LiveState {
    let phase = match state.phase {
        LivePhase::Starting => pb::LivePhase::Starting,
        LivePhase::Flowing => pb::LivePhase::Flowing,
        LivePhase::Interrupted => pb::LivePhase::Interrupted,
    };
    let why = state.why.as_deref();
    pb::LiveState {
        phase: phase.into(),
        since_ns: state.since,
        reason: why.map(|why| why.reason.clone()).unwrap_or_default(),
        messages: why.map(|why| why.messages.clone()).unwrap_or_default(),
    }
}
