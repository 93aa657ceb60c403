//! Rules from a file.
//!
//! TOML, a `[[fault]]` for each rule:
//!
//! ```toml
//! [[fault]]
//! kind = "error"                # a name of --list-faults
//! code = 162                    # parameters of that fault, by name; each has a default
//! text = "Historical Market Data Service error message:Historical data request pacing violation"
//! on = "historical_data"        # only at requests of this kind, as the report names them
//! symbol = "AAPL"               # only at requests for this symbol; EURUSD for a pair
//! connection = 2                # only on the second connection
//! after = 30                    # not before so many simulated seconds since the start
//! until = 600                   # not after so many
//! nth = 3                       # at the third match first
//! times = 2                     # and once more at the fourth
//!
//! [[fault]]
//! kind = "freeze"               # nobody named: all connections there are, by the clock
//! seconds = 90
//! after = 120
//! ```
//!
//! A fault of a request strikes the next requests of its kinds, one of an opening connection the next connection.
//! All others strike by the clock, or when a request matches if any is described.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::fault::{Fault, Value};
use super::rule::Rule;

/// Keys that are no parameters.
const KEYS: [&str; 7] = ["kind", "on", "symbol", "connection", "after", "until", "nth"];

/// Why a file cannot be used, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct FileError {
    pub line: usize,
    pub what: String,
}

/// The rules of a file's text, in order.
pub fn read_rules(text: &str) -> Result<Vec<Rule>, FileError> {
    let at = |offset: usize, what: String| {
        let before = text.get(..offset).unwrap_or(text);
        FileError { line: before.matches('\n').count() + 1, what }
    };
    let document = DeTable::parse(text)
        .map_err(|error| at(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let mut rules = Vec::new();
    for (key, value) in document.get_ref() {
        let tables = value.get_ref().as_array().filter(|_| key.get_ref() == "fault");
        let Some(tables) = tables else {
            return Err(at(key.span().start, format!("{:?} is not known; rules are [[fault]]", key.get_ref())));
        };
        for table in tables {
            let start = table.span().start;
            let Some(keys) = table.get_ref().as_table() else {
                return Err(at(start, "a rule is a [[fault]] of its own".to_owned()));
            };
            rules.push(rule(start, keys).map_err(|(offset, what)| at(offset, what))?);
        }
    }
    Ok(rules)
}

/// An error with its place.
type Wrong = (usize, String);
type Key<'a, 'text> = (&'a Spanned<DeString<'text>>, &'a Spanned<DeValue<'text>>);

fn rule(start: usize, table: &DeTable<'_>) -> Result<Rule, Wrong> {
    let kind = table.get("kind").ok_or((start, "a fault without a kind".to_owned()))?;
    let kind_at = kind.span().start;
    let name = kind.get_ref().as_str().ok_or((kind_at, "kind must be a text".to_owned()))?;
    let mut fault = Fault::named(name).map_err(|error| (kind_at, error.to_string()))?;
    // A farm flap has times of its own.
    let own = fault.kind().entry().parameters;
    let is_own = |key: &str| own.iter().any(|(name, _)| *name == key);
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if is_own(name) || !(KEYS.contains(&name) || name == "times") {
            let value = self::value((key, value))?;
            let wrong = |error: super::FaultError| {
                (key.span().start, format!("{error}; a rule has {} and times", KEYS.join(", ")))
            };
            fault = fault.with(name, value).map_err(wrong)?;
        }
    }
    let mut rule = Rule::new(fault);
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if is_own(name) {
            continue;
        }
        let number = || match self::value((key, value))? {
            Value::Number(number @ 0..) => Ok(number.unsigned_abs()),
            _ => Err((key.span().start, format!("{name} must be a whole number, not negative"))),
        };
        let small = || Ok(u32::try_from(number()?).unwrap_or(u32::MAX));
        let text = || value.get_ref().as_str().ok_or((key.span().start, format!("{name} must be a text")));
        rule = match name {
            "on" => rule.on(text()?).map_err(|error| (value.span().start, error.to_string()))?,
            "symbol" => rule.symbol(text()?),
            "connection" => rule.connection(number()?),
            "after" => rule.after(Duration::from_secs(number()?)),
            "until" => rule.until(Duration::from_secs(number()?)),
            "nth" => rule.nth(small()?),
            "times" => rule.times(small()?),
            _ => rule,
        };
    }
    Ok(rule)
}

fn value((key, value): Key<'_, '_>) -> Result<Value, Wrong> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => Ok(Value::from(text.as_ref())),
        DeValue::Integer(integer) => {
            let digits = i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix());
            digits.map(Value::Number).map_err(|_| (at, format!("{} is too large", key.get_ref())))
        }
        _ => Err((at, format!("{} must be a whole number or a text", key.get_ref()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::FaultKind;
    use super::*;

    #[test]
    fn rules_are_read_whole() {
        let text = "\
[[fault]]
kind = 'error'
code = 200
text = 'No'
on = 'historical_data'
symbol = 'EUR.USD'
connection = 2
after = 30
until = 600
nth = 3
times = 2

# a farm flap's times are its own
[[fault]]
kind = 'farm_flap'
times = 7
after = 1_0
";
        let error = Fault::new(FaultKind::Error).with("code", 200).unwrap().with("text", "No").unwrap();
        let first = Rule::new(error).on("historical_data").unwrap().symbol("EURUSD").connection(2);
        let first = first.after(Duration::from_secs(30)).until(Duration::from_mins(10)).nth(3).times(2);
        let flap = Fault::new(FaultKind::FarmFlap).with("times", 7).unwrap();
        assert_eq!(read_rules(text).unwrap(), [first, Rule::new(flap).after(Duration::from_secs(10))]);
        assert_eq!(read_rules("").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, what) in [
            ("\n[[fault]]\nkind = 'frieze'", 3, "no fault is called \"frieze\"; there are refused, "),
            (
                "[[fault]]\nkind = 'freeze'\n\nminutes = 5",
                4,
                "freeze has no parameter \"minutes\"; it has seconds; a rule has kind, on, ",
            ),
            ("[[fault]]\nkind = 'freeze'\nseconds = 1.5", 3, "seconds must be a whole number or a text"),
            ("[[fault]]\nkind = 'freeze'\nseconds = -1", 3, "seconds of freeze must be"),
            ("[[fault]]\nkind = 'delay'\non = 'bars'", 3, "no request is called \"bars\"; there are start_api, "),
            ("[[fault]]\nkind = 'delay'\nnth = 'x'", 3, "nth must be a whole number"),
            ("[[fault]]\nafter = 3", 1, "a fault without a kind"),
            ("[[faults]]\nkind = 'delay'", 1, "\"faults\" is not known; rules are [[fault]]"),
            ("fault = 3", 1, "\"fault\" is not known"),
            ("[[fault]]\nkind = ", 2, ""),
        ] {
            let error = read_rules(text).unwrap_err();
            assert!(error.line == line && error.what.starts_with(what), "{text:?}: {error}");
        }
    }
}
