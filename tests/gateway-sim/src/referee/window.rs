//! What was sent lately.

use std::collections::VecDeque;
use std::time::Duration;

/// The weights of what was sent within a length of time.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<(Duration, u32)>);

impl Window {
    /// Adds one and returns the sum of those still inside. What is added may be older than what was added before.
    pub(super) fn add(&mut self, sent: Duration, weight: u32, length: Duration) -> u32 {
        self.0.push_back((sent, weight));
        let newest = self.0.iter().map(|(sent, _)| *sent).max().unwrap_or(sent);
        self.0.retain(|(sent, _)| newest.saturating_sub(*sent) < length);
        self.0.iter().map(|(_, weight)| weight).sum()
    }
}
