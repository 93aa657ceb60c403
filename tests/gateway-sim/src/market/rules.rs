//! The steps in which prices move, by the rules that contract details name.

use super::Contract;

/// Rule, and its step as contracts spell it.
const RULES: [(i32, &str); 5] = [(26, "0.01"), (239, "0.00005"), (240, "0.005"), (67, "0.25"), (635, "0.0001")];

impl Contract {
    /// The rule of its smallest step, on all venues.
    pub(crate) fn market_rule(&self) -> i32 {
        RULES.iter().find(|(_, step)| *step == self.min_tick).map_or(RULES[0].0, |(rule, _)| *rule)
    }
}

/// The step at any price.
pub(crate) fn price_steps(rule: i32) -> Option<f64> {
    RULES.iter().find(|(number, _)| *number == rule).and_then(|(_, step)| step.parse().ok())
}
