//! What is shown, and what answers make of it (pure). What keys make of it is in `keys`.

use std::collections::BTreeSet;

use ktrdr_proto::{
    spelling::Word as _,
    v1::{HostService, Operation, SeriesSummary},
};

use super::{
    cursor::Cursor,
    look::Look,
    order::{OfOperations, OfSeries, series_name},
    pace::{Growth, Pace},
};
use crate::{failure::Failure, follow::has_ended, output::table::Tone};

/// There may be thousands of series, and they change slowly.
const SERIES_EVERY_NS: i64 = 5_000_000_000;

/// A part of the screen with rows to select.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Pane {
    #[default]
    Operations,
    Services,
    Series,
}

impl Pane {
    pub(super) const ALL: [Self; 3] = [Self::Operations, Self::Services, Self::Series];
}

/// What lies over the picture and gets the keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Over {
    #[default]
    Nothing,
    Help,
    /// Whether to cancel this operation.
    Question(String),
}

/// What the loop is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Look,
    Cancel(String),
    /// The screen was written on by somebody else.
    Redraw,
    Suspend,
    Leave,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The moment that is drawn.
    pub(super) now_ns: i64,
    pub(super) colored: bool,
    /// The last answers that came.
    pub(super) look: Look,
    /// In the order they are shown.
    pub(super) series: Vec<SeriesSummary>,
    series_at_ns: i64,
    pub(super) pace: Pace,
    pub(super) growth: Growth,
    /// Since when an answer is waited for.
    pub(super) asked_ns: Option<i64>,
    /// Why there are no newer answers.
    pub(super) silence: Option<String>,
    pub(super) paused: bool,
    pub(super) pane: Pane,
    pub(super) cursors: [Cursor; 3],
    pub(super) of_operations: OfOperations,
    pub(super) of_series: OfSeries,
    pub(super) ended_hidden: bool,
    pub(super) over: Over,
    /// Were asked to stop, and have not yet.
    pub(super) stopping: BTreeSet<String>,
    /// The last thing that is to be told; the next key takes it away.
    pub(super) notice: Option<(String, Tone)>,
}

impl State {
    /// What is known after the first look.
    pub(super) fn new(first: Look) -> Self {
        let mut state = Self { now_ns: first.at_ns, ..Self::default() };
        state.answered(Ok(first));
        state
    }

    /// A look begins; whether it should ask for the series, too.
    pub(super) fn asks(&mut self) -> bool {
        self.asked_ns = Some(self.now_ns);
        self.now_ns.saturating_sub(self.series_at_ns) >= SERIES_EVERY_NS
    }

    /// Whether one may begin.
    pub(super) fn may_ask(&self) -> bool {
        self.asked_ns.is_none() && !self.paused
    }

    pub(super) fn answered(&mut self, answer: Result<Look, Failure>) {
        self.asked_ns = None;
        let mut look = match answer {
            Ok(look) => look,
            Err(failure) => {
                // the cause says more than that nobody answers
                self.silence = failure.messages().last().cloned();
                return;
            }
        };
        self.silence = None;
        self.now_ns = self.now_ns.max(look.at_ns);
        if let Some(series) = look.series.take() {
            self.growth.saw(look.at_ns, &series, self.series_at_ns != 0);
            (self.series, self.series_at_ns) = (series, look.at_ns);
            self.of_series.sort(&mut self.series, &self.growth);
        }
        self.pace.saw(look.at_ns, &look.operations);
        self.look = look;
    }

    /// An operation that was to be cancelled has ended, or could not be.
    pub(super) fn cancelled(&mut self, id: &str, answer: Result<Operation, Failure>) {
        self.stopping.remove(id);
        self.notice = Some(match answer {
            Ok(operation) => (format!("{id} is {}", operation.state().word()), Tone::Good),
            Err(failure) => (format!("{id} was not cancelled: {}", failure.messages().join(": ")), Tone::Bad),
        });
    }

    /// Operations in the order they are shown.
    pub(super) fn operations(&self) -> Vec<&Operation> {
        let shown = |operation: &&Operation| !(self.ended_hidden && has_ended(operation));
        let mut operations: Vec<&Operation> = self.look.operations.iter().filter(shown).collect();
        self.of_operations.sort(&mut operations);
        operations
    }

    /// The other pane's order is left alone.
    pub(super) fn reorder(&mut self) {
        match self.pane {
            Pane::Operations => self.of_operations = self.of_operations.next(),
            Pane::Series => {
                self.of_series = self.of_series.next();
                self.of_series.sort(&mut self.series, &self.growth);
            }
            // few, and as they were configured
            Pane::Services => {}
        }
    }

    /// The names of the rows of a pane.
    pub(super) fn names(&self, pane: Pane) -> Vec<String> {
        match pane {
            Pane::Operations => self.operations().into_iter().map(|operation| operation.id.clone()).collect(),
            Pane::Services => self.look.services.iter().map(|service| service.name.clone()).collect(),
            Pane::Series => self.series.iter().map(series_name).collect(),
        }
    }

    /// The selected row of a pane.
    pub(super) fn row(&self, pane: Pane) -> Option<usize> {
        self.cursors[pane as usize].row(&self.names(pane))
    }

    pub(super) fn selected_operation(&self) -> Option<&Operation> {
        self.operations().get(self.row(Pane::Operations)?).copied()
    }

    pub(super) fn selected_service(&self) -> Option<&HostService> {
        self.look.services.get(self.row(Pane::Services)?)
    }

    pub(super) fn selected_series(&self) -> Option<&SeriesSummary> {
        self.series.get(self.row(Pane::Series)?)
    }

    pub(super) fn operation(&self, id: &str) -> Option<&Operation> {
        self.look.operations.iter().find(|operation| operation.id == id)
    }
}

#[cfg(test)]
mod tests {
    use ktrdr_proto::{reason, v1::OperationState};

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_daemon_that_goes_away_leaves_what_was_known() {
        let daemon = ktrdr_proto::v1::GetDaemonStatusResponse { version: "1".to_owned(), ..Default::default() };
        let mut state = State::new(Look { at_ns: SECOND, daemon, ..Look::default() });
        state.now_ns = 2 * SECOND;
        assert!(state.may_ask());
        state.asks();
        assert!(!state.may_ask(), "one at a time");
        let gone = Failure::new(&reason::DAEMON_UNREACHABLE, "no answer").because(["refused".to_owned()]);
        state.answered(Err(gone));
        assert_eq!((state.silence.as_deref(), state.look.daemon.version.as_str()), (Some("refused"), "1"));
        assert!(state.may_ask(), "it is asked again");
        state.asks();
        state.answered(Ok(Look { at_ns: 3 * SECOND, ..Look::default() }));
        assert_eq!((state.silence.as_deref(), state.now_ns), (None, 3 * SECOND));
    }

    #[test]
    fn series_are_asked_for_now_and_then_and_stay_meanwhile() {
        let series = Some(vec![SeriesSummary { bars: 7, ..SeriesSummary::default() }]);
        let mut state = State::new(Look { at_ns: 10 * SECOND, series, ..Look::default() });
        let mut asked = Vec::new();
        for second in 11..=16 {
            state.now_ns = second * SECOND;
            asked.push(state.asks());
            state.answered(Ok(Look { at_ns: state.now_ns, ..Look::default() }));
            assert_eq!(state.series.len(), 1);
        }
        assert_eq!(asked, [false, false, false, false, true, true]);
    }

    #[test]
    fn the_end_of_a_cancelling_is_told() {
        let mut state = State::default();
        state.stopping.insert("op_1".to_owned());
        state.cancelled("op_1", Ok(Operation { state: OperationState::Cancelled.into(), ..Operation::default() }));
        assert_eq!(state.notice, Some(("op_1 is cancelled".to_owned(), Tone::Good)));
        state.cancelled("op_1", Err(Failure::new(&reason::INTERNAL, "you may only read")));
        assert_eq!(state.notice, Some(("op_1 was not cancelled: you may only read".to_owned(), Tone::Bad)));
        assert!(state.stopping.is_empty());
    }
}
