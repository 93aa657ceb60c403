//! Which ended operations are forgotten, and when. The rule is pure; [`Registry::keep_pruned`] carries it out.

use std::{sync::atomic::Ordering, time::Duration};

use tokio_util::sync::CancellationToken;

use super::Registry;
use crate::{
    clock,
    model::{DAY, Nanos},
    store::Age,
};

/// Always kept, whatever was configured: people look at what they have just done.
const NEWEST_KEPT: usize = 100;
/// Nothing younger goes.
const YOUNG: Nanos = DAY;
/// Ends after which it is worth looking, beside the hourly look.
pub(super) const ENDS: usize = 500;
const PAUSE: Duration = Duration::from_hours(1);
/// A start has others to serve first.
const AFTER_START: Duration = Duration::from_secs(2);

/// What is kept of ended operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Since their end, 1 or more.
    pub days: u32,
    /// The newest ones, [100](Self::COUNT_MIN) or more.
    pub count: u32,
}

impl Keep {
    /// As many are kept in any case.
    pub const COUNT_MIN: u32 = 100;
}

impl Default for Keep {
    fn default() -> Self {
        Self { days: 90, count: 10_000 }
    }
}

/// Positions of those that are forgotten: ended, a day old, not of the newest hundred, and too old or too many.
fn forgotten(ages: &[Age], keep: Keep, now: Nanos) -> Vec<usize> {
    let mut newest_first: Vec<usize> = (0..ages.len()).collect();
    newest_first.sort_by_key(|at| std::cmp::Reverse(ages[*at].created));
    let count = usize::try_from(keep.count).unwrap_or(usize::MAX);
    let since = |at: Nanos| now.saturating_sub(at);
    let oldest = Nanos::from(keep.days).saturating_mul(DAY);
    let goes = |rank: usize, age: &Age| {
        age.ended.is_some_and(|ended| since(ended) > YOUNG && (since(ended) > oldest || rank >= count))
    };
    let ranked = newest_first.into_iter().enumerate().skip(NEWEST_KEPT);
    ranked.filter(|(rank, at)| goes(*rank, &ages[*at])).map(|(_, at)| at).collect()
}

impl Registry {
    /// Forgets what is too old or too much, soon, each hour and after many ends, until `stop`.
    pub async fn keep_pruned(self, stop: CancellationToken) {
        let mut pause = AFTER_START;
        loop {
            let look = async {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.0.many_ended.notified() => {}
                }
            };
            if stop.run_until_cancelled(look).await.is_none() {
                return;
            }
            self.0.ends.store(0, Ordering::Relaxed);
            self.prune().await;
            pause = PAUSE;
        }
    }

    /// The ledger first, in one transaction, then the memory: nothing is listed that a restart would not know.
    pub(super) async fn prune(&self) {
        self.record_late().await;
        // what had ended before is counted by now: it is known what goes from memory
        drop(self.entries().await);
        let (keep, now) = (self.0.keep, clock::now());
        match self.0.store.forget_operations(move |ages| forgotten(ages, keep, now)).await {
            Ok(gone) if gone.is_empty() => {}
            Ok(gone) => {
                let mut entries = self.entries_mut().await;
                for one in &gone {
                    entries.forget(one);
                }
                tracing::info!(count = gone.len(), "forgot old operations");
            }
            Err(error) => {
                let told = crate::error::in_line(&error);
                tracing::warn!(error = told, "old operations could not be forgotten; tried again in an hour");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Nanos = 20_000 * DAY;

    fn ended(days_ago: i64) -> Age {
        Age { created: NOW - days_ago * DAY, ended: Some(NOW - days_ago * DAY) }
    }

    #[test]
    fn the_old_and_the_many_go_and_the_newest_hundred_stay() {
        let keep = Keep { days: 90, count: 150 };
        let old: Vec<_> = (0..300).map(|n| ended(100 + n)).collect();
        assert_eq!(forgotten(&old, keep, NOW), (100..300).collect::<Vec<_>>());
        let recent: Vec<_> = (0..300).map(|n| Age { created: NOW - 2 * DAY - n, ended: Some(NOW - 2 * DAY) }).collect();
        assert_eq!(forgotten(&recent, keep, NOW), (150..300).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn nothing_running_new_or_young_ever_goes(
            days in prop::collection::vec((0_i64..400, any::<bool>()), 0..300), keep_days in 1_u32..200, count in 100_u32..250,
        ) {
            let ages: Vec<Age> = days.iter().map(|(ago, runs)| Age { ended: ended(*ago).ended.filter(|_| !runs), ..ended(*ago) }).collect();
            let gone = forgotten(&ages, Keep { days: keep_days, count }, NOW);
            for at in &gone {
                prop_assert!(ages[*at].ended.is_some_and(|ended| NOW - ended > DAY));
                let newer = ages.iter().filter(|age| age.created > ages[*at].created).count();
                let as_old = ages.iter().filter(|age| age.created == ages[*at].created).count();
                prop_assert!(newer + as_old > NEWEST_KEPT);
            }
            prop_assert!(ages.len() - gone.len() >= ages.len().min(NEWEST_KEPT));
        }
    }
}
