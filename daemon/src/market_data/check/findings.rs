//! What a check has found, counted by rule; of each a few places.

use super::rules::{Cure, Rule};
use crate::model::{Coverage, Nanos, TimeRange};

/// Places that are told of each rule.
const EXAMPLES: usize = 20;

/// One rule and where it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Bars, or sessions where the rule is about sessions.
    pub count: u64,
    /// The first place.
    pub first: Nanos,
    /// The last place.
    pub last: Nanos,
    /// The first few places.
    pub examples: Vec<Nanos>,
    /// What was found out, where there is more to say than the rule does.
    pub detail: String,
}

/// What a repair would change; absent bars are told as gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cures {
    /// Starts of bars that cannot be, ascending, each once.
    pub dropped: Vec<Nanos>,
    /// Bars that are wrong.
    pub asked: Coverage,
}

/// Findings of one series, the worst first.
#[derive(Debug)]
pub(super) struct Findings {
    found: Vec<Finding>,
    pub(super) cures: Cures,
    step: Nanos,
}

impl Findings {
    /// Of bars that are so long.
    pub(super) fn new(step: Nanos) -> Self {
        Self { found: Vec::new(), cures: Cures::default(), step }
    }

    /// One more bar.
    pub(super) fn note(&mut self, rule: &'static Rule, at: Nanos) {
        self.note_many(rule, at, at, 1);
        match rule.cure {
            Cure::Drop if self.cures.dropped.last() != Some(&at) => self.cures.dropped.push(at),
            Cure::AskAgain => self.ask_again(at, at.saturating_add(self.step)),
            Cure::Drop | Cure::ByHand | Cure::Nothing => {}
        }
    }

    /// What was found out about it; the first word counts.
    pub(super) fn explain(&mut self, rule: &'static Rule, detail: String) {
        let found = self.found.iter_mut().find(|finding| finding.rule == rule);
        if let Some(finding) = found.filter(|finding| finding.detail.is_empty()) {
            finding.detail = detail;
        }
    }

    /// A repair asks for these.
    pub(super) fn ask_again(&mut self, start: Nanos, end: Nanos) {
        if let Ok(range) = TimeRange::new(start, end) {
            self.cures.asked.insert(range);
        }
    }

    /// So many from one place to another.
    pub(super) fn note_many(&mut self, rule: &'static Rule, first: Nanos, last: Nanos, count: u64) {
        let at = self.found.iter().position(|finding| finding.rule == rule).unwrap_or_else(|| {
            self.found.push(Finding { rule, count: 0, first, last, examples: Vec::new(), detail: String::new() });
            self.found.len() - 1
        });
        let finding = &mut self.found[at];
        finding.count += count;
        (finding.first, finding.last) = (finding.first.min(first), finding.last.max(last));
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(first);
        }
    }

    pub(super) fn sorted(mut self) -> (Vec<Finding>, Cures) {
        self.found.sort_by(|one, other| {
            other.rule.severity.cmp(&one.rule.severity).then_with(|| one.rule.code.cmp(other.rule.code))
        });
        (self.found, self.cures)
    }
}
