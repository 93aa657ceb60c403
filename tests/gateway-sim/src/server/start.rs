//! A client's start: its id, its greeting, and all that can go wrong with them.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{NO_REQUEST, notice};
use super::faults::lock;
use super::outlet::{Flow, Outlet};
use super::{Shared, greeting};
use crate::faults::{Fault, FaultKind};
use crate::protocol::reply::Reply;

/// Whether this start is one of those to be refused.
pub(super) fn is_refused(shared: &Shared, fault: Option<&Fault>) -> bool {
    let one_less = |left: u32| left.checked_sub(1);
    let by_knob = shared.refusals_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok();
    if by_knob {
        shared.ledger.played(FaultKind::Reject326);
    }
    by_knob || fault.is_some_and(|fault| fault.kind() == FaultKind::Reject326)
}

/// Takes a client id; false if another client has it, or had it until a moment ago.
pub(super) fn take_id(shared: &Shared, client_id: i32) -> bool {
    let mut taken: std::sync::MutexGuard<'_, HashMap<i32, Option<Instant>>> = lock(&shared.client_ids);
    match taken.get(&client_id) {
        Some(None) => return false,
        Some(Some(held_until)) if *held_until > Instant::now() => {
            drop(taken);
            shared.ledger.played(FaultKind::HoldClientId);
            return false;
        }
        _ => {}
    }
    taken.insert(client_id, None);
    true
}

/// Frees a client id, now or after as long as the gateway takes to notice.
pub(super) fn leave_id(shared: &Shared, client_id: i32, cleanly: bool) {
    let hold = shared.faults.conditions.hold_client_id();
    let mut taken = lock(&shared.client_ids);
    if cleanly || hold.is_zero() {
        taken.remove(&client_id);
    } else {
        taken.insert(client_id, Some(Instant::now() + shared.clock.real(hold)));
    }
}

/// Says all that a client hears after its start, or as much of it as the fault leaves.
pub(super) async fn greet(shared: &Shared, outlet: &Outlet, fault: Option<&Fault>) -> Flow {
    let kind = fault.map(Fault::kind);
    if kind == Some(FaultKind::SilentAfterStart) {
        cut_after(shared, outlet, fault);
        return Flow::Continue(());
    }
    let [accounts, next_valid_id] = greeting::introduction();
    let mut replies: Vec<Reply> = match kind {
        Some(FaultKind::ReversedOrder) => vec![next_valid_id, accounts],
        Some(FaultKind::OmitManagedAccounts) => vec![next_valid_id],
        Some(FaultKind::OmitNextValidId) => vec![accounts],
        _ => vec![accounts, next_valid_id],
    };
    match kind {
        Some(FaultKind::OmitManagedAccounts | FaultKind::OmitNextValidId) => cut_after(shared, outlet, fault),
        Some(FaultKind::FloodBeforeReady) => {
            let frames = fault.map_or(0, |fault| fault.number("frames"));
            outlet.say_orders(u32::try_from(frames).unwrap_or(0)).await?;
        }
        _ => {}
    }
    let farms = greeting::farms(&shared.faults.weather);
    match (kind, fault) {
        (Some(FaultKind::NoFarms), _) => {}
        (Some(FaultKind::LateFarms), Some(fault)) => say_later(shared.clock.real(fault.millis("ms")), outlet, farms),
        _ => replies.extend(farms),
    }
    outlet.say_all(None, replies).await
}

/// A connection that leads nowhere does not stay for ever, whatever its client does.
fn cut_after(shared: &Shared, outlet: &Outlet, fault: Option<&Fault>) {
    let pause = fault.map_or(Duration::ZERO, |fault| shared.clock.real(fault.lasts()));
    let line = std::sync::Arc::clone(outlet.line());
    tokio::spawn(async move {
        if line.pause(pause).await {
            line.cut();
        }
    });
}

fn say_later(pause: Duration, outlet: &Outlet, replies: Vec<Reply>) {
    let outlet = outlet.clone();
    tokio::spawn(async move {
        if outlet.line().pause(pause).await {
            // Whether or not the client is still there.
            outlet.say_all(None, replies).await.is_break();
        }
    });
}

/// The refusal of a client id.
pub(super) fn refusal() -> Reply {
    let text = "Unable to connect as the client id is already in use. Retry with a unique client id.";
    notice(NO_REQUEST, 326, text)
}
