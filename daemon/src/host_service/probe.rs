//! Looks after a service that nobody calls, so that its state is known before somebody needs it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Call, HostError, HostService, Reply, Route};

/// Whoever asks now, wants to know now.
const HEALTH: Route = Route::get("/health", 5, 0).cheap().urgent();
/// Between looks at a service that is not used, spread by a fifth.
const PAUSE: Duration = Duration::from_secs(30);

impl HostService {
    /// One look, now.
    pub async fn check(&self) -> Result<Reply, HostError> {
        self.succeed(&Call::of(&HEALTH)).await
    }

    /// Looks whenever nothing was asked for a while; until `stop`.
    pub async fn keep_watched(self, stop: CancellationToken) {
        let mut next = PAUSE.mul_f64(0.8 + 0.4 * fastrand::f64());
        while stop.run_until_cancelled(tokio::time::sleep(next)).await.is_some() {
            // one that nobody has asked for anything is nobody's business
            let Some(quiet) = self.quiet_for() else { continue };
            if quiet >= PAUSE.mul_f64(0.5) {
                if let Err(error) = self.check().await {
                    tracing::debug!(error = crate::error::in_line(&error), "a host service does not answer");
                }
                next = PAUSE.mul_f64(0.8 + 0.4 * fastrand::f64());
            } else {
                next = PAUSE.saturating_sub(quiet);
            }
        }
    }
}
