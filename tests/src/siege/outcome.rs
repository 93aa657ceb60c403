//! What came of a section: figures as a table for people and a document for programs, and what is not as it must be.

use std::{fmt, time::Duration};

use serde_json::{Map, Value};

/// Shown of complaints of one kind.
const SHOWN_MAX: usize = 10;

/// Figures and complaints of one section.
#[derive(Debug)]
pub struct Outcome {
    title: String,
    figures: Vec<Figure>,
    complaints: Vec<String>,
    again: String,
}

#[derive(Debug)]
struct Figure {
    key: String,
    name: String,
    text: String,
    value: Value,
}

impl Outcome {
    /// Nothing yet. `again`: the command that repeats it.
    pub(super) fn new(title: impl Into<String>, again: impl Into<String>) -> Self {
        Self { title: title.into(), figures: Vec::new(), complaints: Vec::new(), again: again.into() }
    }

    fn add(&mut self, key: &str, name: &str, text: impl Into<String>, value: impl Into<Value>) {
        let (key, name) = (key.to_owned(), name.to_owned());
        self.figures.push(Figure { key, name, text: text.into(), value: value.into() });
    }

    /// A heading between figures.
    pub(super) fn part(&mut self, name: &str) {
        self.add("", name, "", Value::Null);
    }

    pub(super) fn number(&mut self, key: &str, name: &str, value: u64) {
        self.add(key, name, thousands(value), value);
    }

    pub(super) fn words(&mut self, key: &str, name: &str, value: &str) {
        self.add(key, name, value, value);
    }

    pub(super) fn bytes(&mut self, key: &str, name: &str, value: u64) {
        self.add(key, name, mib(value), value);
    }

    pub(super) fn time(&mut self, key: &str, name: &str, value: Duration) {
        self.add(key, name, in_words(value), value.as_secs_f64());
    }

    /// Median, 95th percentile and longest.
    pub(super) fn times(&mut self, key: &str, name: &str, values: &[Duration]) {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let at = |part: usize| sorted.get((sorted.len() * part / 100).min(sorted.len().saturating_sub(1)));
        let [median, most, longest] = [50, 95, 100].map(|part| at(part).copied().unwrap_or_default());
        let text = format!("{} / {} / {}", in_words(median), in_words(most), in_words(longest));
        let seconds = [median, most, longest].map(|value| value.as_secs_f64());
        self.add(key, &format!("{name} (median / 95 % / longest)"), text, seconds.to_vec());
    }

    /// What there must be none of.
    pub(super) fn none(&mut self, key: &str, name: &str, found: &[String]) {
        self.add(key, name, found.len().to_string(), found.len());
        self.complaints.extend(found.iter().take(SHOWN_MAX).map(|one| format!("{name}: {one}")));
        if found.len() > SHOWN_MAX {
            self.complaints.push(format!("{name}: {} more", found.len() - SHOWN_MAX));
        }
    }

    /// What must be so.
    pub(super) fn must(&mut self, is_so: bool, otherwise: impl FnOnce() -> String) {
        if !is_so {
            self.complaints.push(otherwise());
        }
    }

    /// Everything that must not be, in words; empty when all is well.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// For programs.
    pub fn document(&self) -> Value {
        let figures = self.figures.iter().filter(|figure| !figure.key.is_empty());
        let mut document: Map<String, Value> =
            figures.map(|figure| (figure.key.clone(), figure.value.clone())).collect();
        document.insert("complaints".to_owned(), self.complaints.clone().into());
        document.into()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for Figure { key, name, text, .. } in &self.figures {
            if key.is_empty() {
                writeln!(f, "{name}")?;
            } else {
                writeln!(f, "  {name:<58} {text}")?;
            }
        }
        for complaint in &self.complaints {
            writeln!(f, "! {complaint}")?;
        }
        write!(f, "Again: {}", self.again)
    }
}

pub(super) fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
}

fn in_words(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_is_counted_shown_and_complained_of() {
        let mut outcome = Outcome::new("A run", "cargo siege");
        outcome.number("rounds", "Rounds", 1_234_567);
        outcome.times("took", "Took", &[1, 2, 3].map(Duration::from_millis));
        assert!(outcome.complaints().is_empty());
        let lost: Vec<String> = (0..12).map(|bar| bar.to_string()).collect();
        outcome.none("lost", "Lost", &lost);
        outcome.must(false, || "it is not so".to_owned());
        assert_eq!((outcome.document()["lost"].as_u64(), outcome.complaints().len()), (Some(12), 12));
        let text = outcome.to_string();
        assert!(text.contains("1,234,567") && text.contains("2.0 ms / 3.0 ms / 3.0 ms"), "{text}");
        assert!(text.contains("! Lost: 2 more") && text.contains("! it is not so"), "{text}");
    }
}
