//! How the daemon is asked to end: by a call or a signal, for good or to start again.

use tokio_util::sync::CancellationToken;

/// A handle; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    asked: CancellationToken,
    restart: CancellationToken,
    stop: CancellationToken,
}

impl Ending {
    /// For good, whatever else was or will be asked for.
    pub fn stop(&self) {
        self.stop.cancel();
        self.asked.cancel();
    }

    /// And to start again: the listener is left to the next life at once. An end that is under way stays what it is.
    pub fn restart(&self) {
        if !self.asked.is_cancelled() {
            self.restart.cancel();
        }
        self.asked.cancel();
    }

    /// Fires when somebody asks, for either.
    pub fn asked(&self) -> &CancellationToken {
        &self.asked
    }

    /// Whether it is to start again, as things stand.
    pub fn is_restart(&self) -> bool {
        self.restart.is_cancelled() && !self.stop.is_cancelled()
    }

    /// Waits until who comes is for the next life.
    pub(super) async fn handed_over(self) {
        self.restart.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_wins_over_a_restart_whichever_comes_first() {
        let (first, second) = (Ending::default(), Ending::default());
        first.restart();
        assert!(first.is_restart() && first.asked().is_cancelled());
        first.stop();
        second.stop();
        second.restart();
        assert!(!first.is_restart() && !second.is_restart() && second.asked().is_cancelled());
    }
}
