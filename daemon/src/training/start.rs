//! A session is started exactly once, whatever the network does.
//!
//! The id is ours and in the ledger before the request leaves. An answer that does not come, or says nothing, is settled
//! by looking for the id, never by starting another session; the same id may be sent once more when the host has shown
//! two lists without it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    TrainingError,
    answers::StartAnswer,
    host::{Following, Host, Sight},
    plan::Plan,
};

/// How a start came out.
#[derive(Debug)]
pub(super) enum Started {
    /// It runs there; followed from now on.
    Running(Following),
    /// The host has no room.
    Busy(Option<Duration>),
}

/// How long after a start its outcome may stay unknown before that is said, in shortest pauses between polls (1 s).
const SETTLED_AFTER: u32 = 30;
/// Lists without the session that are proof enough.
const LISTS: u32 = 2;

/// What looking for a session brought.
enum Found {
    There,
    /// The host answers, and has it not.
    Absent,
    /// The host does not answer.
    Silent(String),
}

/// Starts session `id`, or finds that it is started.
pub(super) async fn once(
    host: &Arc<Host>,
    id: &str,
    plan: &Plan,
    following: Following,
) -> Result<Started, TrainingError> {
    settle(host, id, plan, following, 0).await
}

/// The same after a restart of the daemon, which does not know whether the request had left.
pub(super) async fn again(
    host: &Arc<Host>,
    id: &str,
    plan: &Plan,
    mut following: Following,
) -> Result<Started, TrainingError> {
    match look_for(host, &mut following).await {
        Found::There => Ok(Started::Running(following)),
        Found::Absent => settle(host, id, plan, following, 1).await,
        Found::Silent(why) => Err(TrainingError::Unconfirmed { host: host.name.clone(), why }),
    }
}

async fn settle(
    host: &Arc<Host>,
    id: &str,
    plan: &Plan,
    mut following: Following,
    sent_before: u32,
) -> Result<Started, TrainingError> {
    let mut sent = sent_before;
    loop {
        let answer = host.backend.start(id, plan).await;
        sent += 1;
        // what was seen before the answer proves nothing
        following.anew();
        let why = match answer {
            StartAnswer::Started => return Ok(Started::Running(following)),
            // the first one may yet be carried out
            StartAnswer::NotSent(source) if sent > 1 => crate::error::chain(&source).join(": "),
            StartAnswer::NotSent(source) | StartAnswer::Refused(source) => {
                return Err(TrainingError::NotStarted { host: host.name.clone(), source });
            }
            StartAnswer::Busy { retry_after } => {
                // a repeat of our own start is answered with "busy", too
                return Ok(match look_for(host, &mut following).await {
                    Found::There => Started::Running(following),
                    Found::Absent | Found::Silent(_) => Started::Busy(retry_after),
                });
            }
            StartAnswer::Exists => "the host says that the session exists".to_owned(),
            StartAnswer::Unknown(why) => why,
        };
        tracing::info!(host = host.name, why, "the start has no clear answer; looking for the session");
        match look_for(host, &mut following).await {
            Found::There => return Ok(Started::Running(following)),
            Found::Absent if sent < 2 => {}
            Found::Absent => return Err(TrainingError::Unconfirmed { host: host.name.clone(), why }),
            Found::Silent(silence) => {
                let why = format!("{why}; then {silence}");
                return Err(TrainingError::Unconfirmed { host: host.name.clone(), why });
            }
        }
    }
}

async fn look_for(host: &Host, following: &mut Following) -> Found {
    let (begun, limit): (_, Duration) = (Instant::now(), host.unit * SETTLED_AFTER);
    let mut silence = "it was silent".to_owned();
    while let Ok(sight) = tokio::time::timeout(limit.saturating_sub(begun.elapsed()), following.next()).await {
        match sight {
            Sight::Seen(_) => return Found::There,
            Sight::Missing { lists } if lists >= LISTS => return Found::Absent,
            Sight::Away { why, .. } => silence = why,
            Sight::Missing { .. } | Sight::NotYet => {}
        }
    }
    Found::Silent(silence)
}
