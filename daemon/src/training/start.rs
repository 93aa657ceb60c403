//! A session is started exactly once, whatever the network does.
//!
//! The id is ours and in the ledger before the request leaves. An answer that does not come, or says nothing, is settled
//! by looking for the id, never by starting another session; the same id may be sent once more when the host has shown
//! two lists without it.

use std::{sync::Arc, time::Duration};

use super::{
    TrainingError,
    answers::StartAnswer,
    host::{Following, Host, Sight},
    plan::Plan,
};
use crate::{clock, operations::Context};

/// How a start came out.
#[derive(Debug)]
pub(super) enum Started {
    /// It runs there; followed from now on.
    Running(Following),
    /// The host has no room.
    Busy(Option<Duration>),
}

/// What looking for a session brought.
enum Found {
    There,
    /// The host answers, and has it not.
    Absent,
}

/// A session that is to be started.
pub(super) struct Start<'a> {
    pub(super) host: &'a Arc<Host>,
    pub(super) id: &'a str,
    pub(super) plan: &'a Plan,
    pub(super) context: &'a Context,
}

impl Start<'_> {
    /// Starts it, or finds that it is started.
    pub(super) async fn once(&self, following: Following) -> Result<Started, TrainingError> {
        self.settle(following, 0).await
    }

    /// The same after a restart of the daemon, which does not know whether the request had left.
    pub(super) async fn again(&self, mut following: Following) -> Result<Started, TrainingError> {
        match look_for(&mut following, self.context).await {
            Found::There => Ok(Started::Running(following)),
            Found::Absent => self.settle(following, 1).await,
        }
    }

    async fn settle(&self, mut following: Following, sent_before: u32) -> Result<Started, TrainingError> {
        let (mut sent, name) = (sent_before, &self.host.name);
        loop {
            let answer = self.host.backend.start(self.id, self.plan).await;
            sent += 1;
            // what was seen before the answer proves nothing
            following.anew();
            let why = match answer {
                StartAnswer::Started => return Ok(Started::Running(following)),
                // the first one may yet be carried out
                StartAnswer::NotSent(source) if sent > 1 => crate::error::in_line(&source),
                StartAnswer::NotSent(source) => {
                    return Err(TrainingError::NotSent { host: name.clone(), source });
                }
                StartAnswer::Refused(source) => {
                    return Err(TrainingError::NotStarted { host: name.clone(), source });
                }
                StartAnswer::Busy { retry_after } => {
                    // a repeat of our own start is answered with "busy", too
                    return Ok(match look_for(&mut following, self.context).await {
                        Found::There => Started::Running(following),
                        Found::Absent => Started::Busy(retry_after),
                    });
                }
                StartAnswer::Exists => "the host says that the session exists".to_owned(),
                StartAnswer::Unknown(why) => why,
            };
            tracing::info!(host = name, why, "the start has no clear answer; looking for the session");
            match look_for(&mut following, self.context).await {
                Found::There => return Ok(Started::Running(following)),
                Found::Absent if sent < 2 => {}
                Found::Absent => return Err(TrainingError::Unconfirmed { host: name.clone(), why }),
            }
        }
    }
}

/// A host that does not answer is waited for: as long as it is silent, nobody knows, and a guess could be wrong.
async fn look_for(following: &mut Following, context: &Context) -> Found {
    loop {
        match following.next().await {
            Sight::Seen(_) => return Found::There,
            absent if absent.is_absent() => return Found::Absent,
            Sight::Away { since, why } => {
                let since = clock::text(since);
                let message = format!("whether it has started is not known: no answer since {since}: {why}");
                context.progress(|progress| progress.message = message);
            }
            Sight::Missing { .. } | Sight::NotYet => {}
        }
    }
}
