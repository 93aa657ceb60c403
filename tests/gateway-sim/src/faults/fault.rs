//! One fault: a kind and its parameters.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::catalogue::{CATALOGUE, FaultKind};

/// A parameter: a whole number or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(i64),
    Text(Cow<'static, str>),
}

/// A default of the table.
pub(crate) const fn number(number: i64) -> Value {
    Value::Number(number)
}

/// A default of the table.
pub(crate) const fn text(text: &'static str) -> Value {
    Value::Text(Cow::Borrowed(text))
}

/// A fault that can be played. Durations are simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    /// Where they differ from the table's defaults.
    set: Vec<(&'static str, Value)>,
}

/// A fault that does not exist, or not like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    #[error("no fault is called {name:?}; there are {}", names(CATALOGUE.iter().map(|entry| entry.name)))]
    Kind { name: String },
    #[error("{fault} has no parameter {name:?}; it has {}", if known.is_empty() { "none" } else { known })]
    Parameter { fault: &'static str, name: String, known: String },
    #[error("{name} of {fault} must be {wanted}")]
    Value { fault: &'static str, name: &'static str, wanted: &'static str },
}

pub(crate) fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl Fault {
    /// With the parameters of the table.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, set: Vec::new() }
    }

    pub fn named(name: &str) -> Result<Self, FaultError> {
        FaultKind::named(name).map(Self::new).ok_or_else(|| FaultError::Kind { name: name.to_owned() })
    }

    /// Sets a parameter.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Result<Self, FaultError> {
        let (entry, value) = (self.kind.entry(), value.into());
        let Some((name, default)) = entry.parameters.iter().find(|(parameter, _)| *parameter == name) else {
            let known = names(entry.parameters.iter().map(|(parameter, _)| *parameter));
            return Err(FaultError::Parameter { fault: entry.name, name: name.to_owned(), known });
        };
        let wanted = match (default, &value) {
            (Value::Number(_), Value::Number(0..)) | (Value::Text(_), Value::Text(_)) => None,
            (Value::Number(_), _) => Some("a whole number, not negative"),
            (Value::Text(_), _) => Some("a text"),
        };
        let choices: Option<(&[&str], &'static str)> = match (self.kind, *name) {
            (FaultKind::FarmFlap, "farm") => Some((&["hmds", "market", "secdef"], "hmds, market or secdef")),
            (FaultKind::Error, "id") => Some((&["request", "-1"], "\"request\" or \"-1\"")),
            (FaultKind::Pacing, "mode") => {
                Some((&["strict", "strict_all", "lenient", "off"], "strict, strict_all, lenient or off"))
            }
            _ => None,
        };
        let choice = choices.filter(|(choices, _)| matches!(&value, Value::Text(text) if !choices.contains(&&**text)));
        if let Some(wanted) = wanted.or(choice.map(|(_, wanted)| wanted)) {
            return Err(FaultError::Value { fault: entry.name, name, wanted });
        }
        self.set.retain(|(set, _)| set != name);
        self.set.push((*name, value));
        Ok(self)
    }

    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        match self.value(name) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        }
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    pub(crate) fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name).unsigned_abs())
    }

    pub(crate) fn millis(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name).unsigned_abs())
    }

    /// An error code.
    pub(crate) fn code(&self) -> i32 {
        i32::try_from(self.number("code")).unwrap_or(i32::MAX)
    }

    /// How long it goes on by itself, in simulated time.
    pub(crate) fn lasts(&self) -> Duration {
        let times = u32::try_from(self.number("times")).unwrap_or(u32::MAX);
        match self.kind {
            FaultKind::Restart => self.seconds("refused") + self.seconds("reject") + self.seconds("silent"),
            FaultKind::FarmFlap => self.millis("ms").saturating_mul(times).saturating_mul(2),
            FaultKind::ErrorStorm => self.millis("ms").saturating_mul(times),
            _ => self.seconds("seconds") + self.millis("ms"),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let set = self.set.iter().find(|(set, _)| *set == name).map(|(_, value)| value);
        set.or_else(|| self.kind.entry().parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value))
    }
}

/// `freeze seconds=90`.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.kind.name())?;
        self.set.iter().try_for_each(|(name, value)| write!(out, " {name}={value}"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => write!(out, "{text}"),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_those_of_the_table() {
        let freeze = Fault::new(FaultKind::Freeze);
        assert_eq!(freeze.lasts(), Duration::from_secs(90));
        let short = freeze.clone().with("seconds", 5).unwrap().with("seconds", 6).unwrap();
        assert_eq!((short.lasts(), short.to_string()), (Duration::from_secs(6), "freeze seconds=6".to_owned()));
        let error = |fault: Result<Fault, FaultError>| fault.unwrap_err().to_string();
        assert_eq!(error(freeze.clone().with("minutes", 5)), "freeze has no parameter \"minutes\"; it has seconds");
        assert_eq!(error(freeze.clone().with("seconds", -5)), "seconds of freeze must be a whole number, not negative");
        assert_eq!(error(freeze.with("seconds", "5")), "seconds of freeze must be a whole number, not negative");
        let flap = Fault::new(FaultKind::FarmFlap).with("farm", "cattle");
        assert_eq!(error(flap), "farm of farm_flap must be hmds, market or secdef");
        assert!(error(Fault::named("frieze")).starts_with("no fault is called \"frieze\"; there are refused, "));
    }
}
