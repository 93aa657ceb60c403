//! Messages of all clients together. ib.md §3.2.

use std::time::Duration;

use super::conversation::Sent;
use super::window::Window;
use super::{Broken, Slack};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: u32 = 50;

#[derive(Debug)]
pub(super) struct Rate {
    slack: Slack,
    messages: Window,
    /// Told already that there are too many.
    is_over: bool,
}

impl Rate {
    pub(super) fn new(slack: Slack) -> Self {
        Self { slack, messages: Window::default(), is_over: false }
    }

    /// A burst is one finding, however long.
    pub(super) fn message(&mut self, sent: Sent) -> Vec<Broken> {
        if !sent.is_known {
            return Vec::new();
        }
        let count = self.messages.add(sent.at, 1, self.slack.shortened(SECOND));
        let was_over = std::mem::replace(&mut self.is_over, count > LIMIT);
        let broken = self.is_over && !was_over;
        broken.then(|| ("messages_per_second_over_50", format!("{count} messages"))).into_iter().collect()
    }
}
