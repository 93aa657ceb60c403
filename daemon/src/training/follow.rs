//! A running session, from what is seen of it to its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    host::{Following, Sight},
    progress::{Detail, Track},
    report::{Phase, Report},
};
use crate::{clock, operations::Context};

/// An unknown word without progress for so long is taken for the end: nobody would ever look again.
const UNKNOWN_MAX: Duration = Duration::from_mins(30);
/// So long a session may wait to begin. Those services that have the word mark an operation as running within the call
/// that starts it; one that still waits was in the database of a worker that died, and is never taken up again.
const PENDING_MAX: Duration = Duration::from_mins(1);
/// Their word for it.
const PENDING: &str = "pending";
/// Looks at a session that has begun and waits again.
const WAITS: u32 = 2;

/// How a followed session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The host says so.
    Final(Arc<Report>),
    /// The host does not know it any more, or it will never end.
    Lost(String),
}

/// Follows until the end; can be dropped and begun again.
pub(super) struct Follow<'a> {
    pub(super) context: &'a Context,
    pub(super) following: &'a mut Following,
    pub(super) track: &'a mut Track,
    pub(super) host: &'a str,
    pub(super) about: String,
    pub(super) begun: Instant,
    /// When it was seen last.
    pub(super) seen: Option<(Instant, String)>,
    /// It was seen at work.
    pub(super) ran: bool,
    /// Times are so many times shorter: for tests, 1 otherwise.
    pub(super) hurry: u32,
}

/// A session that the host knows and does not work at. A worker that was restarted has it in its database, as if it had
/// never begun.
#[derive(Debug, Default)]
struct Waits {
    again: u32,
    pending: Option<Instant>,
}

impl Waits {
    fn too_long(&mut self, report: &Report, ran: bool, hurry: u32) -> bool {
        let fell_back = ran && report.phase == Phase::Waiting;
        self.again = if fell_back { self.again + 1 } else { 0 };
        self.pending = (report.word == PENDING).then(|| self.pending.unwrap_or_else(Instant::now));
        self.again >= WAITS || self.pending.is_some_and(|since| since.elapsed() > PENDING_MAX / hurry)
    }
}

impl Follow<'_> {
    pub(super) async fn until_end(&mut self) -> End {
        let (mut moved, mut waits) = ((Instant::now(), 0.0), Waits::default());
        loop {
            match self.following.next().await {
                Sight::Seen(report) => {
                    if report.phase != Phase::Waiting || !self.ran {
                        self.seen = Some((Instant::now(), report.word.clone()));
                    }
                    let share = self.show(&report);
                    if report.phase.is_final() {
                        return End::Final(report);
                    }
                    if waits.too_long(&report, self.ran, self.hurry) {
                        return End::Lost(self.last_seen());
                    }
                    self.ran |= report.phase == Phase::Running;
                    if share > moved.1 {
                        moved = (Instant::now(), share);
                    }
                    if !report.known && moved.0.elapsed() > UNKNOWN_MAX {
                        return End::Lost(format!("it has been {:?} without progress for half an hour", report.word));
                    }
                }
                absent if absent.is_absent() => return End::Lost(self.last_seen()),
                Sight::Away { since, why } => self.say(format!("no answer since {}: {why}", clock::text(since))),
                Sight::Missing { .. } | Sight::NotYet => {}
            }
        }
    }

    fn last_seen(&self) -> String {
        match &self.seen {
            Some((_, word)) if word == PENDING => "it was restarted before the session was seen at work".into(),
            Some((at, word)) => {
                let done = self.track.epoch();
                format!(
                    "it was restarted; {} s before, the session was {word}, {done} epochs done",
                    at.elapsed().as_secs()
                )
            }
            None => "it was restarted while the daemon was away, or somebody took the session out".into(),
        }
    }

    fn say(&self, message: String) {
        self.context.progress(|progress| progress.message = message);
    }

    /// Takes a report in and tells it.
    fn show(&mut self, report: &Report) -> f64 {
        let now = self.begun.elapsed().as_secs_f64();
        let share = self.track.see(report, now);
        let detail = Detail { host: self.host.to_owned(), gpu: self.about.clone(), ..self.track.detail(report, now) };
        let message = message(report, &detail);
        self.context.progress(|progress| {
            let batches = u64::from(detail.batches.max(1)) * u64::from(detail.epochs.max(1));
            (progress.done, progress.total) = (part(share, batches), batches);
            if detail.batches > 0 { "batches" } else { "epochs" }.clone_into(&mut progress.unit);
            progress.message = message;
            progress.detail = serde_json::to_value(&detail).ok();
        });
        share
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of 0 to 1 of a count"
)]
fn part(share: f64, all: u64) -> u64 {
    (share * all as f64).round() as u64
}

fn message(report: &Report, detail: &Detail) -> String {
    let mut parts = match report.phase {
        Phase::Waiting => vec![format!("{} on {}", report.word, detail.host)],
        _ => vec![format!(
            "epoch {} of {} on {}",
            (detail.epoch + 1).min(detail.epochs.max(1)),
            detail.epochs,
            detail.host
        )],
    };
    if !report.known {
        parts.push(format!("state {}", report.word));
    }
    if let Some(loss) = detail.loss {
        parts.push(format!("loss {loss:.4}"));
    }
    parts.join(", ")
}
