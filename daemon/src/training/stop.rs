//! A session that somebody wants stopped: asked until it has stopped, or until it is known that it will not.

use std::{sync::Arc, time::Duration};

use super::{
    answers::StopAnswer,
    capabilities::StopBy,
    dispatch::Slot,
    follow::{End, Follow},
    host::{Host, Sight},
    report::Report,
};
use crate::{clock, error::chain};

/// After a stop that was accepted. The oldest service waits 30 s itself, the container worker needs 3.
const PATIENCE: Duration = Duration::from_secs(45);

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

/// Asks, waits, and says what is known.
pub(super) async fn stop(host: &Arc<Host>, id: &str, follow: &mut Follow<'_>) -> Stopped {
    follow.context.progress(|progress| progress.message = format!("asking {} to stop", host.name));
    let answer = host.backend.stop(id).await;
    let lies = host.backend.known_capabilities().is_some_and(|known| known.stop == StopBy::Nothing);
    let doubt = match answer {
        // the next list tells whether it had ended or was never there
        Ok(StopAnswer::Over | StopAnswer::Stopping) if !lies => None,
        Ok(StopAnswer::Over) => None,
        Ok(StopAnswer::Stopping) => {
            return Stopped::Runs(format!("{} cannot stop a running session: it trains on to its end", host.name));
        }
        Ok(StopAnswer::Unknown(text)) => Some(text),
        Err(error) => Some(chain(&error).join(": ")),
    };
    match tokio::time::timeout(PATIENCE / host.service.hurry(), follow.until_end()).await {
        Ok(End::Final(report)) => Stopped::Ended(report),
        Ok(End::Lost(_)) => Stopped::Gone,
        Err(_) => {
            let why = doubt.map(|doubt| format!(": {doubt}")).unwrap_or_default();
            Stopped::Runs(format!("{} was asked to stop it, and it still runs{why}", host.name))
        }
    }
}

/// Keeps the slot of a session that trains on although nobody wants it, until it has ended.
pub(super) fn linger(slot: Slot, id: String) {
    tokio::spawn(async move {
        let mut following = slot.host.follow(&id, None);
        loop {
            match following.next().await {
                Sight::Seen(report) if report.phase.is_final() => break,
                Sight::Missing { lists } if lists >= 2 => break,
                _ => {}
            }
        }
        tracing::info!(
            host = slot.host.name,
            session = id,
            at = clock::text(clock::now()),
            "a session that was to stop has ended"
        );
        drop(slot);
    });
}
