//! The one poll that serves everybody who follows a session on a host.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Host, Sight};
use crate::{
    clock,
    error::in_line,
    model::Nanos,
    operations::Context,
    training::{backend::NoList, pace, report::Report},
};

impl Host {
    /// Asks again and again while anybody follows anything; until `stop`.
    pub(in crate::training) async fn keep_polled(self: Arc<Self>, stop: CancellationToken) {
        let (mut failures, mut away_since) = (0, None);
        while !stop.is_cancelled() {
            if self.followed().sessions.is_empty() {
                self.service.set_busy(false);
                if stop.run_until_cancelled(self.wake.notified()).await.is_none() {
                    return;
                }
                continue;
            }
            self.service.set_busy(true);
            if stop.run_until_cancelled(self.poll(&mut failures, &mut away_since)).await.is_none() {
                return;
            }
            let pause = self.pause(failures);
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn pause(&self, failures: u32) -> Duration {
        let followed = self.followed();
        let youngest = followed.sessions.values().map(|one| one.begun.elapsed()).min().unwrap_or_default();
        let watched = followed.sessions.values().any(|one| one.context.as_ref().is_some_and(Context::is_watched));
        pace::pause(self.unit, youngest, watched, failures)
    }

    async fn poll(&self, failures: &mut u32, away_since: &mut Option<Nanos>) {
        let number = self.numbered();
        match self.backend.list().await {
            Ok(reports) => {
                (*failures, *away_since) = (0, None);
                self.tell(number, reports).await;
            }
            Err(NoList::Refused(error)) => {
                *failures += 1;
                tracing::warn!(
                    host = self.name,
                    error = in_line(&error),
                    "the list of sessions cannot be read; asking for each"
                );
                self.look_at_each(number).await;
            }
            Err(NoList::Away(error)) => {
                *failures += 1;
                let since = *away_since.get_or_insert_with(clock::now);
                if *failures == 1 {
                    tracing::warn!(host = self.name, error = in_line(&error), "does not answer");
                }
                if error.not_sent() {
                    self.backend.forget_capabilities();
                }
                let why = in_line(&error.trouble);
                self.tell_all(|_| Sight::Away { since, why: why.clone() });
            }
        }
    }

    fn numbered(&self) -> u64 {
        let mut followed = self.followed();
        let number = followed.poll;
        followed.poll += 1;
        number
    }

    /// What is in the list, and what is not.
    async fn tell(&self, number: u64, reports: Vec<Report>) {
        let mut listed: BTreeMap<String, Report> =
            reports.into_iter().map(|report| (report.id.clone(), report)).collect();
        for id in self.counted(number) {
            let report = listed.remove(&id);
            let sight = match report {
                Some(report) if self.deserves_a_look(&id, &report) => {
                    Sight::Seen(Arc::new(self.with_curves(report).await))
                }
                Some(report) => Sight::Seen(Arc::new(report)),
                None => Sight::Missing { lists: self.missed(&id) + 1 },
            };
            self.send(&id, number, sight);
        }
    }

    /// Those who were followed when the poll left.
    fn counted(&self, number: u64) -> Vec<String> {
        let followed = self.followed();
        followed.sessions.iter().filter(|(_, one)| one.since_poll <= number).map(|(id, _)| id.clone()).collect()
    }

    fn missed(&self, id: &str) -> u32 {
        match self.followed().sessions.get(id).map(|one| one.sight.borrow().clone()) {
            Some(Sight::Missing { lists }) => lists,
            _ => 0,
        }
    }

    /// Curves are worth a call of their own where that costs nothing: after each epoch, and while somebody looks.
    fn deserves_a_look(&self, id: &str, report: &Report) -> bool {
        let mut followed = self.followed();
        let Some(one) = followed.sessions.get_mut(id) else { return false };
        let share = report.share.unwrap_or(0.0);
        let risen = report.epoch > one.epoch || share >= one.share + 0.01;
        if risen {
            (one.epoch, one.share) = (one.epoch.max(report.epoch), share);
        }
        let watched = one.context.as_ref().is_some_and(Context::is_watched);
        self.backend.looks_are_cheap() && !report.phase.is_final() && (risen || watched)
    }

    /// The list decides the state; a look only adds what the list lacks.
    async fn with_curves(&self, mut report: Report) -> Report {
        if let Ok(Some(look)) = self.backend.look(&report.id).await {
            if report.epochs == 0 {
                (report.epoch, report.epochs) = (look.epoch, look.epochs);
            }
            report.curves = look.curves;
            report.gpu_memory = report.gpu_memory.or(look.gpu_memory);
        }
        report
    }

    async fn look_at_each(&self, number: u64) {
        for id in self.counted(number) {
            let sight = match self.backend.look(&id).await {
                Ok(Some(report)) => Sight::Seen(Arc::new(report)),
                Ok(None) => Sight::Missing { lists: self.missed(&id) + 1 },
                Err(error) => Sight::Away { since: clock::now(), why: in_line(&error.trouble) },
            };
            self.send(&id, number, sight);
        }
    }

    /// Unless it is followed anew since the poll left.
    fn send(&self, id: &str, number: u64, sight: Sight) {
        if let Some(one) = self.followed().sessions.get(id).filter(|one| one.since_poll <= number) {
            one.sight.send_replace(sight);
        }
    }

    fn tell_all(&self, sight: impl Fn(&str) -> Sight) {
        for (id, follower) in &self.followed().sessions {
            follower.sight.send_replace(sight(id));
        }
    }
}
