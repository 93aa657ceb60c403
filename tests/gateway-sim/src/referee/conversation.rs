//! What one client says, and how it leaves.

use std::collections::HashSet;
use std::time::Duration;

use super::{Broken, Ending, Slack, Telling};

/// A second question for the time within this is never answered. ib.md §3.2.
const CURRENT_TIME_PAUSE: Duration = Duration::from_secs(1);
/// A heartbeat's answer so long after the loss of the servers shows that they are back. ib.md §5 row 9.
const BACK_AFTER: Duration = Duration::from_secs(5);
/// Real time after which it is the client that does not read: a machine under load needs less.
pub(crate) const UNREAD_LIMIT: Duration = Duration::from_secs(5);
/// The question it is about. Of its kin in milliseconds nothing of the sort is known.
const CURRENT_TIME: &str = "current_time";

/// When a message was sent, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// At the earliest.
    pub(super) at: Duration,
    /// It did not wait to be read. Of one that did, nothing is said that depends on the instant.
    pub(super) is_known: bool,
}

#[derive(Debug, Default)]
pub(super) struct Conversation {
    used_ids: HashSet<i32>,
    knows_next_id: bool,
    knows_accounts: bool,
    upstream_lost: Option<Duration>,
    asked_time: Option<Duration>,
    is_disturbed: bool,
    /// When it was read again, and for how long it had not been.
    resumed: Option<(Duration, Duration)>,
}

impl Conversation {
    pub(super) fn is_synchronised(&self) -> bool {
        self.knows_next_id && self.knows_accounts
    }

    pub(super) fn disturbed(&mut self) {
        self.is_disturbed = true;
    }

    pub(super) fn resumed(&mut self, at: Duration, stalled: Duration) {
        self.is_disturbed = true;
        self.resumed = Some((at, stalled));
    }

    /// When a message that is read now was sent.
    pub(super) fn sent(&self, slack: Slack, at: Duration) -> Sent {
        match self.resumed {
            Some((since, stalled)) if at.saturating_sub(since) < slack.crossing => {
                Sent { at: since.saturating_sub(stalled), is_known: false }
            }
            _ => Sent { at, is_known: true },
        }
    }

    pub(super) fn told(&mut self, at: Duration, telling: Telling) {
        match telling {
            Telling::NextValidId => self.knows_next_id = true,
            Telling::ManagedAccounts => self.knows_accounts = true,
            Telling::UpstreamLost => _ = self.upstream_lost.get_or_insert(at),
            Telling::UpstreamBack => self.upstream_lost = None,
            Telling::CurrentTime => {
                self.upstream_lost = self.upstream_lost.filter(|since| at.saturating_sub(*since) < BACK_AFTER);
            }
        }
    }

    /// Heartbeats and cancels are always welcome once the client is synchronised.
    pub(super) fn asked(&mut self, slack: Slack, at: Duration, request: &'static str, upstream: bool) -> Vec<Broken> {
        let mut broken = Vec::new();
        if !self.is_synchronised() {
            broken.push(("request_before_synchronised", request.to_owned()));
        }
        if !self.sent(slack, at).is_known {
            return broken;
        }
        if let Some(since) = self.upstream_lost.filter(|since| upstream && at.saturating_sub(*since) > slack.crossing) {
            let detail = format!("{request}, {} s after the loss", at.saturating_sub(since).as_secs());
            broken.push(("requests_while_upstream_down", detail));
        }
        if request == CURRENT_TIME
            && let Some(last) = self.asked_time.replace(at)
            && at.saturating_sub(last) < slack.shortened(CURRENT_TIME_PAUSE)
        {
            broken.push(("current_time_within_1s", format!("{} ms", at.saturating_sub(last).as_millis())));
        }
        broken
    }

    pub(super) fn numbered(&mut self, id: i32) -> Vec<Broken> {
        let is_new = self.used_ids.insert(id);
        (!is_new).then(|| ("reused_request_id", format!("id {id}"))).into_iter().collect()
    }

    pub(super) fn unread(&self, waiting: Duration) -> Vec<Broken> {
        let broken = !self.is_disturbed && waiting >= UNREAD_LIMIT;
        broken.then(|| ("unread_socket", format!("nothing read for {} s", waiting.as_secs()))).into_iter().collect()
    }

    pub(super) fn ended(&self, ending: Ending) -> Vec<Broken> {
        match ending {
            _ if self.is_disturbed => Vec::new(),
            Ending::ByClient { open_requests: open @ 1.. } => {
                vec![("uncancelled_at_disconnect", format!("{open} requests"))]
            }
            Ending::Abrupt => vec![("abrupt_close", "reset, or in the middle of a message".to_owned())],
            Ending::ByClient { .. } | Ending::ByServer => Vec::new(),
        }
    }
}
