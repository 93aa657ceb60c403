//! What was measured, what was promised, and whether that holds.

use serde_json::{Value, json};

use super::figure::Figure;

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Budget {
    AtMost(f64),
    AtLeast(f64),
}

/// Whether it holds. The interval decides in our favour: what is broken is broken beyond doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Held,
    NotHeld,
    /// Nothing was promised.
    Quoted,
    /// It could not be measured here.
    Skipped,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What it is about; with its section, the name of the row.
    pub(super) what: String,
    /// What it is compared with.
    pub(super) against: String,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Measured {
        figure: Figure,
        /// Empty for a ratio.
        unit: &'static str,
        budget: Option<Budget>,
        /// On this machine, in its own unit.
        here: String,
    },
    /// Why it could not be measured.
    Skipped(String),
    /// The measurement itself failed.
    Broke(String),
}

impl Row {
    /// A ratio to something.
    pub(super) fn ratio(what: impl Into<String>, against: impl Into<String>, figure: Figure) -> Self {
        Self::figure(what, figure, "").against(against)
    }

    /// A number of its own.
    pub(super) fn figure(what: impl Into<String>, figure: Figure, unit: &'static str) -> Self {
        let outcome = Outcome::Measured { figure, unit, budget: None, here: String::new() };
        Self { what: what.into(), against: String::new(), outcome }
    }

    /// One that was counted.
    pub(super) fn counted(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self::figure(what, Figure::exact(value), unit)
    }

    pub(super) fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), against: String::new(), outcome: Outcome::Skipped(why.into()) }
    }

    pub(super) fn broke(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), against: String::new(), outcome: Outcome::Broke(why.into()) }
    }

    fn against(mut self, against: impl Into<String>) -> Self {
        self.against = against.into();
        self
    }

    pub(super) fn at_most(self, most: f64) -> Self {
        self.promised(Budget::AtMost(most))
    }

    pub(super) fn at_least(self, least: f64) -> Self {
        self.promised(Budget::AtLeast(least))
    }

    fn promised(mut self, promise: Budget) -> Self {
        if let Outcome::Measured { budget, .. } = &mut self.outcome {
            *budget = Some(promise);
        }
        self
    }

    pub(super) fn here(mut self, text: impl Into<String>) -> Self {
        if let Outcome::Measured { here, .. } = &mut self.outcome {
            *here = text.into();
        }
        self
    }

    pub(super) fn verdict(&self) -> Verdict {
        match &self.outcome {
            Outcome::Skipped(_) => Verdict::Skipped,
            Outcome::Broke(_) => Verdict::NotHeld,
            Outcome::Measured { budget: None, .. } => Verdict::Quoted,
            Outcome::Measured { figure, budget: Some(budget), .. } => {
                let held = match budget {
                    Budget::AtMost(most) => figure.low <= *most,
                    Budget::AtLeast(least) => figure.high >= *least,
                };
                if held { Verdict::Held } else { Verdict::NotHeld }
            }
        }
    }

    fn document(&self, section: &str) -> Value {
        let mut row = json!({ "section": section, "what": self.what, "against": self.against });
        let more = match &self.outcome {
            Outcome::Skipped(why) => json!({ "skipped": why }),
            Outcome::Broke(why) => json!({ "broke": why, "held": false }),
            Outcome::Measured { figure: Figure { value, low, high }, unit, budget, here } => {
                let (at_most, at_least) = match budget {
                    None => (None, None),
                    Some(Budget::AtMost(most)) => (Some(most), None),
                    Some(Budget::AtLeast(least)) => (None, Some(least)),
                };
                let held = budget.map(|_| self.verdict() == Verdict::Held);
                json!({ "value": value, "low": low, "high": high, "unit": unit, "here": here, "at_most": at_most,
                    "at_least": at_least, "held": held })
            }
        };
        if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
            row.extend(more);
        }
        row
    }
}

/// Rows about one thing.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) rows: Vec<Row>,
}

/// A run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) machine: String,
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) parts: Vec<Part>,
}

impl Report {
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Part, &Row)> {
        self.parts.iter().flat_map(|part| part.rows.iter().map(move |row| (part, row)))
    }

    /// What does not hold, by name.
    pub(super) fn not_held(&self) -> Vec<String> {
        let broken = self.rows().filter(|(_, row)| row.verdict() == Verdict::NotHeld);
        broken.map(|(part, row)| format!("{}: {}", part.name, row.what)).collect()
    }

    /// The last line.
    pub(super) fn conclusion(&self) -> String {
        let count = |verdict| self.rows().filter(|(_, row)| row.verdict() == verdict).count();
        let (held, skipped, not_held) = (count(Verdict::Held), count(Verdict::Skipped), self.not_held());
        let skipped = if skipped == 0 { String::new() } else { format!("; {skipped} rows skipped") };
        if not_held.is_empty() {
            return format!("all {held} budgets held{skipped}");
        }
        format!("NOT held, {} of {}: {}{skipped}", not_held.len(), held + not_held.len(), not_held.join("; "))
    }

    /// For programs.
    pub(super) fn document(&self) -> Value {
        let rows: Vec<Value> = self.rows().map(|(part, row)| row.document(part.name)).collect();
        let not_held = self.not_held();
        json!({ "machine": self.machine, "date": self.date, "commit": self.commit, "held": not_held.is_empty(),
            "not_held": not_held, "rows": rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(low: f64, high: f64) -> Row {
        Row::ratio("a command", "the floor", Figure { value: f64::midpoint(low, high), low, high })
    }

    #[test]
    fn only_what_is_broken_beyond_doubt_is_not_held() {
        assert_eq!(row(1.9, 2.3).at_most(2.0).verdict(), Verdict::Held);
        assert_eq!(row(2.1, 2.3).at_most(2.0).verdict(), Verdict::NotHeld);
        assert_eq!(row(0.8, 0.91).at_least(0.9).verdict(), Verdict::Held);
        assert_eq!(row(0.8, 0.89).at_least(0.9).verdict(), Verdict::NotHeld);
        assert_eq!(row(9.0, 9.1).verdict(), Verdict::Quoted);
        assert_eq!(Row::skipped("redis", "it is not installed").verdict(), Verdict::Skipped);
    }

    #[test]
    fn a_run_names_what_is_not_held_and_a_measurement_that_broke_is_none_that_held() {
        let report = |rows| Report {
            machine: "a machine".into(),
            date: "2026-11-30".into(),
            commit: "abc".into(),
            parts: vec![Part { name: "commands", title: "A command", rows }],
        };
        let good = report(vec![row(1.0, 1.1).at_most(2.0), Row::skipped("redis", "it is not installed")]);
        assert_eq!(good.conclusion(), "all 1 budgets held; 1 rows skipped");
        assert_eq!(good.document()["held"], true);
        let bad =
            report(vec![row(1.0, 1.1).at_most(2.0), row(3.0, 3.1).at_most(2.0), Row::broke("start", "no answer")]);
        assert_eq!(bad.conclusion(), "NOT held, 2 of 3: commands: a command; commands: start");
        assert_eq!(bad.document()["rows"][1]["held"], false);
    }
}
