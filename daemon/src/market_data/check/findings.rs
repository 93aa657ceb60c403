//! What a check has found, counted by rule; of each a few places.

use super::rules::Rule;
use crate::model::Nanos;

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
}

/// Findings of one series, the worst first.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// One more place.
    pub(super) fn note(&mut self, rule: &'static Rule, at: Nanos) {
        self.note_many(rule, at, at, 1);
    }

    /// So many from one place to another.
    pub(super) fn note_many(&mut self, rule: &'static Rule, first: Nanos, last: Nanos, count: u64) {
        let at = self.0.iter().position(|finding| finding.rule == rule).unwrap_or_else(|| {
            self.0.push(Finding { rule, count: 0, first, last, examples: Vec::new() });
            self.0.len() - 1
        });
        let finding = &mut self.0[at];
        finding.count += count;
        (finding.first, finding.last) = (finding.first.min(first), finding.last.max(last));
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(first);
        }
    }

    pub(super) fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_by(|one, other| {
            other.rule.severity.cmp(&one.rule.severity).then_with(|| one.rule.code.cmp(other.rule.code))
        });
        self.0
    }
}
