//! When a fault strikes, and whom.

use std::time::Duration;

use super::catalogue::{FaultKind, Stage};
use super::fault::{Fault, names};
use crate::protocol::request::Kind;

/// A fault and its occasion. Without more said, it strikes once: a fault of a request the next one of its kinds, one
/// of an opening connection the next one; all others at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    kind: Option<Kind>,
    symbol: Option<String>,
    connection: Option<u64>,
    after: Duration,
    until: Option<Duration>,
    nth: Option<u32>,
    times: u32,
}

/// An occasion that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("no request is called {name:?}; there are {}", names(Kind::NAMES.iter().copied()))]
    Request { name: String },
    #[error("{fault} strikes {} only, not {name}", struck)]
    Struck { fault: &'static str, struck: String, name: &'static str },
    #[error("{fault} strikes a connection that opens: there is no request to go by")]
    Opening { fault: &'static str },
}

impl Rule {
    pub fn new(fault: Fault) -> Self {
        // The third request, not every third.
        let nth = (fault.kind() == FaultKind::DropNth).then(|| u32::try_from(fault.number("n")).unwrap_or(u32::MAX));
        Self { fault, kind: None, symbol: None, connection: None, after: Duration::ZERO, until: None, nth, times: 1 }
    }

    /// Only at requests of a kind, by its name in the report.
    pub fn on(mut self, request: &str) -> Result<Self, RuleError> {
        let kind = Kind::named(request).ok_or_else(|| RuleError::Request { name: request.to_owned() })?;
        let fault = self.fault.kind().name();
        match self.fault.kind().entry().stage {
            Stage::Answer(struck) if !struck.contains(&kind) => {
                let struck = names(struck.iter().map(|kind| kind.name()));
                Err(RuleError::Struck { fault, struck, name: kind.name() })
            }
            Stage::Opening => Err(RuleError::Opening { fault }),
            _ => {
                self.kind = Some(kind);
                Ok(self)
            }
        }
    }

    /// Only at requests for a symbol, or a pair of currencies such as `EURUSD` or `EUR.USD`.
    #[must_use]
    pub fn symbol(mut self, symbol: &str) -> Self {
        self.symbol = Some(symbol.to_uppercase().replace('.', ""));
        self
    }

    /// Only on this connection; the first has number 1.
    #[must_use]
    pub fn connection(mut self, number: u64) -> Self {
        self.connection = Some(number);
        self
    }

    /// Not before so much simulated time has passed since the start of the simulator.
    #[must_use]
    pub fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    /// Not after so much simulated time since the start of the simulator.
    #[must_use]
    pub fn until(mut self, until: Duration) -> Self {
        self.until = Some(until);
        self
    }

    /// At the nth match first; the first is 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = Some(nth.max(1));
        self
    }

    /// At so many matches in a row.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Whether nothing but the clock makes it strike: when, and how often.
    pub(crate) fn by_the_clock(&self) -> Option<(Duration, u32)> {
        let waits = matches!(self.fault.kind().entry().stage, Stage::Answer(_) | Stage::Opening);
        let named = self.kind.is_some() || self.symbol.is_some() || self.connection.is_some() || self.nth.is_some();
        (!waits && !named).then_some((self.after, self.times))
    }
}

/// Something that a rule may be waiting for.
#[derive(Clone, Debug)]
pub(crate) struct Occasion<'a> {
    /// Simulated time.
    pub(crate) at: Duration,
    pub(crate) connection: u64,
    /// `None` for a connection that opens.
    pub(crate) kind: Option<Kind>,
    /// All the names of what it asks for, without dots.
    pub(crate) symbols: &'a [String],
}

/// A rule at work.
#[derive(Debug)]
pub(crate) struct Armed {
    rule: Rule,
    matches: u32,
}

impl Armed {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, matches: 0 }
    }

    /// The fault, if this is its occasion.
    pub(crate) fn meets(&mut self, occasion: &Occasion<'_>) -> Option<Fault> {
        let rule = &self.rule;
        let kinds = match (rule.fault.kind().entry().stage, occasion.kind) {
            (Stage::Answer(struck), Some(kind)) => rule.kind.map_or(struck.contains(&kind), |wanted| wanted == kind),
            (Stage::Opening, None) => true,
            (Stage::Answer(_), None) | (Stage::Opening, Some(_)) => false,
            (_, kind) => rule.kind.map_or(kind.is_none() == self.awaits_opening(), |wanted| Some(wanted) == kind),
        };
        let symbol = rule.symbol.as_ref().is_none_or(|symbol| occasion.symbols.contains(symbol));
        let connection = rule.connection.is_none_or(|number| number == occasion.connection);
        if !(kinds && symbol && connection && occasion.at >= rule.after) || self.is_spent(occasion.at) {
            return None;
        }
        self.matches = self.matches.saturating_add(1);
        (self.matches >= rule.nth.unwrap_or(1)).then(|| rule.fault.clone())
    }

    pub(crate) fn has_end(&self) -> bool {
        self.rule.until.is_some()
    }

    pub(crate) fn stage(&self) -> Stage {
        self.rule.fault.kind().entry().stage
    }

    /// Whether it will never strike again.
    pub(crate) fn is_spent(&self, at: Duration) -> bool {
        let last = self.rule.nth.unwrap_or(1).saturating_add(self.rule.times).saturating_sub(1);
        self.matches >= last || self.rule.until.is_some_and(|until| at > until)
    }

    /// Of faults that hit more than a request: with nothing but a connection said, its opening is the occasion.
    fn awaits_opening(&self) -> bool {
        self.rule.symbol.is_none() && self.rule.nth.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: Kind, symbols: &[String]) -> Occasion<'_> {
        Occasion { at: Duration::from_secs(10), connection: 1, kind: Some(kind), symbols }
    }

    #[test]
    fn the_nth_match_and_so_many_after_it() {
        let rule = Rule::new(Fault::new(FaultKind::NoEnd)).nth(2).times(2);
        let mut armed = Armed::new(rule);
        let struck: Vec<_> = (0..5).map(|_| armed.meets(&asked(Kind::HistoricalData, &[])).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(armed.is_spent(Duration::ZERO));
    }

    #[test]
    fn what_does_not_match_does_not_count() {
        let apple = ["AAPL".to_owned()];
        let rule = Rule::new(Fault::new(FaultKind::Delay)).on("historical_data").unwrap();
        let mut armed = Armed::new(rule.symbol("aapl").connection(1).after(Duration::from_secs(10)));
        let early = Occasion { at: Duration::from_secs(9), ..asked(Kind::HistoricalData, &apple) };
        let other = Occasion { connection: 2, ..asked(Kind::HistoricalData, &apple) };
        let opening = Occasion { kind: None, ..asked(Kind::HistoricalData, &apple) };
        for not in [early, other, opening, asked(Kind::ContractDetails, &apple), asked(Kind::HistoricalData, &[])] {
            assert_eq!(armed.meets(&not), None, "{not:?}");
        }
        assert!(armed.meets(&asked(Kind::HistoricalData, &apple)).is_some());
    }

    #[test]
    fn a_rule_that_came_too_late_never_strikes() {
        let mut armed = Armed::new(Rule::new(Fault::new(FaultKind::Delay)).until(Duration::from_secs(9)));
        assert_eq!(armed.meets(&asked(Kind::HistoricalData, &[])), None);
        assert!(armed.is_spent(Duration::from_secs(10)));
    }

    #[test]
    fn the_clock_plays_what_names_nobody() {
        let freeze = Rule::new(Fault::new(FaultKind::Freeze)).after(Duration::from_secs(5));
        assert_eq!(freeze.by_the_clock(), Some((Duration::from_secs(5), 1)));
        assert_eq!(freeze.on("historical_data").unwrap().by_the_clock(), None);
        assert_eq!(Rule::new(Fault::new(FaultKind::NoEnd)).by_the_clock(), None);
        assert_eq!(Rule::new(Fault::new(FaultKind::Reject326)).by_the_clock(), None);
    }

    #[test]
    fn occasions_that_cannot_be_are_refused() {
        let error = |kind, request| Rule::new(Fault::new(kind)).on(request).unwrap_err().to_string();
        assert_eq!(
            error(FaultKind::DupBars, "contract_details"),
            "dup_bars strikes historical_data only, not contract_details"
        );
        assert!(
            error(FaultKind::Delay, "history").starts_with("no request is called \"history\"; there are start_api, ")
        );
        assert!(error(FaultKind::Reject326, "historical_data").contains("opens"));
    }
}
