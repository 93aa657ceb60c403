//! The report for people: a table in a terminal.

use std::fmt::{self, Write as _};

use super::{
    figure::number,
    report::{Budget, Outcome, Report, Row, Verdict},
};

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // as it was promised: 0.9, not 0.90
        match self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::NotHeld => "NOT held",
            Self::Quoted => "",
            Self::Skipped => "skipped",
        })
    }
}

impl Row {
    /// The figure with its interval and unit, or why there is none.
    pub(super) fn measured(&self) -> String {
        match &self.outcome {
            Outcome::Measured { figure, unit, .. } => format!("{figure} {unit}").trim_end().to_owned(),
            Outcome::Skipped(why) => format!("skipped: {why}"),
            Outcome::Broke(why) => format!("broke off: {why}"),
        }
    }

    pub(super) fn promise(&self) -> String {
        match &self.outcome {
            Outcome::Measured { budget: Some(budget), .. } => budget.to_string(),
            _ => String::new(),
        }
    }

    pub(super) fn on_this_machine(&self) -> &str {
        match &self.outcome {
            Outcome::Measured { here, .. } => here,
            _ => "",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.rows().map(|(_, row)| (row, row.measured())).collect();
        let width = |of: &dyn Fn(&Row) -> usize| rows.iter().map(|(row, _)| of(row)).max().unwrap_or(0);
        let (what, against) = (width(&|row| row.what.chars().count()), width(&|row| row.against.chars().count()));
        // reasons may be long; they have the rest of the line
        let measured = rows.iter().filter(|(row, _)| !row.promise().is_empty()).map(|(_, text)| text.chars().count());
        let (measured, budget) = (measured.max().unwrap_or(0), width(&|row| row.promise().chars().count()));
        for part in &self.parts {
            writeln!(f, "\n{}", part.title)?;
            for row in &part.rows {
                let (text, promise, verdict) = (row.measured(), row.promise(), row.verdict().to_string());
                let mut line = format!("  {:<what$}  {text:<measured$}  {promise:<budget$}  {verdict:<8}", row.what);
                write!(line, "  {:<against$}  {}", row.against, row.on_this_machine())?;
                writeln!(f, "{}", line.trim_end())?;
            }
        }
        writeln!(f, "\n{}, {}, commit {}", self.machine, self.date, self.commit)
    }
}

/// A rate for people.
pub(super) fn rate(per_second: f64, unit: &str) -> String {
    format!("{} {unit}/s", number(per_second))
}
