//! A session that somebody wants stopped: asked until it has stopped, or until it is known that it will not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    answers::StopAnswer,
    capabilities::StopBy,
    dispatch::Slot,
    follow::{End, Follow},
    host::{Following, Host, Sight},
    report::Report,
};
use crate::error::in_line;

/// After a stop that was accepted. The oldest service waits 30 s itself, the container worker needs 3.
const PATIENCE: Duration = Duration::from_secs(45);
/// Times that it is asked within that.
const ASKED: u32 = 4;

/// What came of it.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It has ended; perhaps by itself, before the stop arrived.
    Ended(Arc<Report>),
    /// The host does not know it any more.
    Gone,
    /// It trains on, as far as is known.
    Runs(String),
}

/// After a stop that was accepted, and for a host that does not answer one.
pub(super) fn patience(host: &Host) -> Duration {
    PATIENCE / host.service.hurry()
}

/// Asks, again while it is seen to run, waits, and says what is known.
pub(super) async fn stop(host: &Arc<Host>, id: &str, follow: &mut Follow<'_>) -> Stopped {
    follow.context.progress(|progress| progress.message = format!("asking {} to stop", host.name));
    let begun = Instant::now();
    let limit = patience(host);
    loop {
        let answer = host.backend.stop(id).await;
        let lies = host.backend.known_capabilities().is_some_and(|known| known.stop == StopBy::Nothing);
        let doubt = match answer {
            Ok(StopAnswer::Stopping) if lies => {
                return Stopped::Runs(format!("{} cannot stop a running session: it trains on to its end", host.name));
            }
            // whether it had ended, was never there or has not begun yet: the lists tell
            Ok(StopAnswer::Over | StopAnswer::Stopping) => None,
            Ok(StopAnswer::Unknown(text)) => Some(text),
            Err(error) => Some(in_line(&error)),
        };
        let pause = (limit / ASKED).min(limit.saturating_sub(begun.elapsed())).max(host.unit * 3);
        match tokio::time::timeout(pause, follow.until_end()).await {
            Ok(End::Final(report)) => return Stopped::Ended(report),
            Ok(End::Lost(_)) => return Stopped::Gone,
            Err(_) if begun.elapsed() >= limit => {
                let why = doubt.map(|doubt| format!(": {doubt}")).unwrap_or_default();
                return Stopped::Runs(format!("{} was asked to stop it, and it still runs{why}", host.name));
            }
            Err(_) => {}
        }
    }
}

/// Keeps the slot of a session that trains on although nobody wants it, until it has ended.
pub(super) fn linger(slot: Slot, mut following: Following, id: String) {
    tokio::spawn(async move {
        loop {
            match following.next().await {
                Sight::Seen(report) if report.phase.is_final() => break,
                absent if absent.is_absent() => break,
                _ => {}
            }
        }
        tracing::info!(host = slot.host.name, session = id, "a session that was to stop has ended");
        drop(slot);
    });
}
