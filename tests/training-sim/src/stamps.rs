//! Times as the services write them: each in its own way.

use jiff::{SignedDuration, Timestamp};

use crate::pace::Moment;

/// Turns moments into text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    origin: Timestamp,
    /// How wrong the clock of the answers is.
    skew: SignedDuration,
    /// Times of sessions carry no offset.
    naive: bool,
}

impl Stamps {
    pub(crate) fn new(origin: Timestamp, skew: SignedDuration, naive: bool) -> Self {
        Self { origin, skew, naive }
    }

    /// Sessions, health and the like.
    pub(crate) fn session(&self, moment: Moment) -> String {
        self.text(moment, if self.naive { "%Y-%m-%dT%H:%M:%S%.6f" } else { "%Y-%m-%dT%H:%M:%S%.6f+00:00" })
    }

    /// Operations.
    pub(crate) fn operation(&self, moment: Moment) -> String {
        self.text(moment, "%Y-%m-%dT%H:%M:%S%.6fZ")
    }

    /// Epochs in the metrics of operations.
    pub(crate) fn seconds(&self, moment: Moment) -> String {
        self.text(moment, "%Y-%m-%dT%H:%M:%SZ")
    }

    fn text(&self, moment: Moment, format: &str) -> String {
        let since = SignedDuration::try_from(moment).unwrap_or(SignedDuration::MAX);
        let at = self.origin.checked_add(since).and_then(|at| at.checked_add(self.skew)).unwrap_or(Timestamp::MAX);
        at.strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::Stamps;

    #[test]
    fn each_kind_has_its_form() {
        let origin: Timestamp = "2026-11-23T12:39:08.152169Z".parse().unwrap();
        let seed = Stamps::new(origin, SignedDuration::ZERO, true);
        assert_eq!(seed.session(Duration::ZERO), "2026-11-23T12:39:08.152169");
        let newest = Stamps::new(origin, SignedDuration::from_hours(1), false);
        assert_eq!(newest.session(Duration::from_secs(1)), "2026-11-23T13:39:09.152169+00:00");
        assert_eq!(newest.operation(Duration::ZERO), "2026-11-23T13:39:08.152169Z");
        assert_eq!(newest.seconds(Duration::ZERO), "2026-11-23T13:39:08Z");
    }
}
