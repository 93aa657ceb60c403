//! One session: what was asked for, what happened to it, and how it looks at a moment.

use crate::course::{Course, Phase, Point};
use crate::pace::{Moment, Pace};
use crate::plan::Plan;

/// A session that will be over, or is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halt {
    pub(crate) due: Moment,
    /// The status from then on.
    pub(crate) word: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Cancelled {
    pub(crate) at: Moment,
    pub(crate) reason: Option<String>,
}

/// A state that a test wants, true or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forced {
    pub(crate) status: Option<String>,
    pub(crate) epoch: Option<u32>,
    pub(crate) batch: Option<u32>,
    pub(crate) error: Option<String>,
}

/// A session, its operation, and its row in the database.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) plan: Plan,
    pub(crate) course: Course,
    pub(crate) created: Moment,
    /// Of the last beginning: a resume begins again.
    pub(crate) started: Moment,
    pub(crate) started_work: u64,
    pub(crate) halt: Option<Halt>,
    /// Its operation was cancelled, whatever its training does.
    pub(crate) cancelled: Option<Cancelled>,
    /// It ran when the service ended.
    pub(crate) lost: Option<Moment>,
    /// The service knows it as a session; without that it is only a row in the database.
    pub(crate) in_memory: bool,
    /// A row that was asked for after a restart: the worker thinks it is busy with it.
    pub(crate) seen: bool,
    pub(crate) forced: Forced,
}

/// A session at a moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) status: String,
    /// It trains: it counts against the limit.
    pub(crate) live: bool,
    pub(crate) point: Point,
    pub(crate) updated: Moment,
    pub(crate) error: Option<String>,
}

impl Session {
    pub(crate) fn view(&self, pace: &Pace, now: Moment) -> View {
        let end = self.end(pace);
        let until = end.min(now);
        let course = self.course.at(pace.work_at(until).saturating_sub(self.started_work));
        let status = self.status(&course, end <= now);
        View {
            live: self.lost.is_none() && !is_terminal(&status),
            error: self.error(&status),
            point: self.moved(course),
            updated: until,
            status,
        }
    }

    /// When it is over, by itself or not.
    pub(crate) fn end(&self, pace: &Pace) -> Moment {
        let by_itself = pace.moment_of(self.started_work.saturating_add(self.course.work()));
        let stops = [self.halt.map(|halt| halt.due), self.lost];
        stops.into_iter().flatten().fold(by_itself, Moment::min)
    }

    fn status(&self, course: &Point, over: bool) -> String {
        let word = match (&self.forced.status, self.halt, course.phase) {
            (Some(forced), ..) => forced,
            (None, Some(halt), _) if over => halt.word,
            (None, _, Phase::Completed) => "completed",
            (None, _, Phase::Failed) => "failed",
            _ => "running",
        };
        word.to_owned()
    }

    fn error(&self, status: &str) -> Option<String> {
        let planned = self.plan.failing.as_ref().map(|failing| failing.1.clone());
        self.forced.error.clone().or(planned.filter(|_| status == "failed"))
    }

    /// Where a test wants it to be.
    fn moved(&self, point: Point) -> Point {
        let Some(epoch) = self.forced.epoch else {
            return point;
        };
        let batch = self.forced.batch.unwrap_or(1);
        Point { phase: Phase::Training, epoch, batch, at_end: false }
    }
}

pub(crate) fn is_terminal(status: &str) -> bool {
    matches!(status, "completed" | "failed" | "stopped" | "cancelled")
}
