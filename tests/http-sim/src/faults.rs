//! What can go wrong, on which route, and when.

use std::time::Duration;

use serde::Deserialize;

use crate::route::Route;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    Reset,
    ResetAfter,
    EofAfter,
    Hang,
    HangAfter,
    Late,
    SlowHeaders,
    SlowBody,
    CutBody,
    TooLarge,
    LyingLength,
    Html,
    NotJson,
    WrongShape,
    Empty,
    E400,
    E422,
    E404Plain,
    E500,
    E500NotFound,
    E502,
    E503Retry,
    E504,
    Redirect,
    Conflict,
    Busy,
    SkewedClock,
    Executed500,
    RowsLie,
    NotTwice,
    Doubled,
}

/// Kind, name, whether the request is executed, and what a client sees.
type Kind = (FaultKind, &'static str, bool, &'static str);

const KINDS: [Kind; 31] = [
    (FaultKind::Reset, "reset", false, "a TCP reset instead of an answer"),
    (FaultKind::ResetAfter, "reset-after", true, "a TCP reset instead of the answer"),
    (FaultKind::EofAfter, "eof-after", true, "the connection is closed instead of the answer"),
    (FaultKind::Hang, "hang", false, "nothing ever comes, and the connection stays open"),
    (FaultKind::HangAfter, "hang-after", true, "nothing ever comes, and the connection stays open"),
    (FaultKind::Late, "late", true, "held for MS, then executed and answered, even if the client is gone"),
    (FaultKind::SlowHeaders, "slow-headers", true, "executed at once, the answer begins after MS"),
    (FaultKind::SlowBody, "slow-body", true, "headers at once, the body dribbles over MS"),
    (FaultKind::CutBody, "cut-body", true, "half of the promised body, then the end of the connection"),
    (FaultKind::TooLarge, "too-large", true, "64 MiB of JSON without a length"),
    (FaultKind::LyingLength, "lying-length", true, "a length of 1 TiB, then nothing"),
    (FaultKind::Html, "html", false, "200 with a page of HTML"),
    (FaultKind::NotJson, "not-json", false, "200 with JSON that is broken"),
    (FaultKind::WrongShape, "wrong-shape", false, "200 with JSON of another shape"),
    (FaultKind::Empty, "empty", false, "200 without a body"),
    (FaultKind::E400, "e400", false, "400, detail is a text"),
    (FaultKind::E422, "e422", false, "422, detail is a list"),
    (FaultKind::E404Plain, "e404-plain", false, "404 without detail"),
    (FaultKind::E500, "e500", false, "500, detail says something that no client knows"),
    (FaultKind::E500NotFound, "e500-not-found", false, "500, the seed's way to say that a session is unknown"),
    (FaultKind::E502, "e502", false, "502 with a proxy's page"),
    (FaultKind::E503Retry, "e503-retry", false, "503 with Retry-After: 1 and no JSON"),
    (FaultKind::E504, "e504", false, "504 with a proxy's page"),
    (FaultKind::Redirect, "redirect", false, "307 to another path"),
    (FaultKind::Conflict, "conflict", false, "409, the session exists"),
    (FaultKind::Busy, "busy", false, "the refusal of a second session, as this generation words it"),
    (FaultKind::SkewedClock, "skewed-clock", true, "all times of the answer are an hour ahead"),
    (FaultKind::Executed500, "executed-500", true, "500 with a text that says nothing"),
    (FaultKind::RowsLie, "rows-lie", true, "bars: rows is one more than there are"),
    (FaultKind::NotTwice, "not-twice", true, "bars: data is an object and not a text"),
    (FaultKind::Doubled, "doubled", true, "bars: the first one comes twice, and rows counts both"),
];

const MS: u64 = 3_000;

impl FaultKind {
    fn row(self) -> Option<&'static Kind> {
        KINDS.iter().find(|row| row.0 == self)
    }

    /// As flags, control requests and the report call it.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    pub(crate) fn executes(self) -> bool {
        self.row().is_some_and(|row| row.2)
    }

    fn named<R: Route>(name: &str) -> Result<Self, WrongRule> {
        R::FAULTS
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| WrongRule { what: format!("no fault is called {name:?}; --list-faults has the names") })
    }
}

/// A fault and its occasion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A route's name, or `any`.
    pub route: String,
    pub kind: FaultKind,
    /// How many requests it strikes; 0 for all of them.
    pub count: u64,
    /// How many requests of its route pass first.
    pub after: u64,
    pub delay: Duration,
}

/// A fault that cannot be played.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub struct WrongRule {
    what: String,
}

impl Rule {
    /// Strikes the next request of a route, once.
    fn new<R: Route>(route: &str, kind: &str) -> Result<Self, WrongRule> {
        let known = route == "any" || R::ROWS.iter().any(|row| row.3 == route);
        if !known {
            return Err(WrongRule { what: format!("no route is called {route:?}; --list-faults has the names") });
        }
        let kind = FaultKind::named::<R>(kind)?;
        Ok(Self { route: route.to_owned(), kind, count: 1, after: 0, delay: Duration::from_millis(MS) })
    }

    fn fits(&self, route: Option<&str>) -> bool {
        self.route == "any" || route == Some(self.route.as_str())
    }

    /// Reads `ROUTE:KIND[:COUNT[:AFTER[:MS]]]`, of a service with these routes.
    pub fn read<R: Route>(spec: &str) -> Result<Self, WrongRule> {
        let wrong = || WrongRule { what: format!("{spec:?} is not ROUTE:KIND[:COUNT[:AFTER[:MS]]]") };
        let mut parts = spec.split(':');
        let (Some(route), Some(kind)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let mut rule = Self::new::<R>(route, kind)?;
        let numbers = parts.map(str::parse).collect::<Result<Vec<u64>, _>>().map_err(|_| wrong())?;
        match *numbers.as_slice() {
            [] => {}
            [count] => rule.count = count,
            [count, after] => (rule.count, rule.after) = (count, after),
            [count, after, ms] => {
                (rule.count, rule.after, rule.delay) = (count, after, Duration::from_millis(ms));
            }
            _ => return Err(wrong()),
        }
        Ok(rule)
    }
}

/// A rule as a control request writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleBody {
    route: String,
    kind: String,
    count: Option<u64>,
    after: Option<u64>,
    ms: Option<u64>,
}

impl RuleBody {
    pub(crate) fn rule<R: Route>(self) -> Result<Rule, WrongRule> {
        let rule = Rule::new::<R>(&self.route, &self.kind)?;
        Ok(Rule {
            count: self.count.unwrap_or(rule.count),
            after: self.after.unwrap_or(rule.after),
            delay: self.ms.map_or(rule.delay, Duration::from_millis),
            ..rule
        })
    }
}

/// The rules that wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    pub(crate) fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of a request, by the oldest rule that is due. Every rule of the route sees the request pass.
    pub(crate) fn strike(&mut self, route: Option<&str>) -> Option<(FaultKind, Duration)> {
        let mut struck = None;
        for rule in self.0.iter_mut().filter(|rule| rule.fits(route)) {
            if rule.after > 0 {
                rule.after -= 1;
            } else if struck.is_none() {
                struck = Some((rule.kind, rule.delay));
                rule.count = match rule.count {
                    0 => 0,
                    // Used up: it fits no request any more.
                    1 => {
                        rule.route.clear();
                        1
                    }
                    left => left - 1,
                };
            }
        }
        self.0.retain(|rule| !rule.route.is_empty());
        struck
    }
}

/// All faults and routes, for people.
pub(crate) fn listing<R: Route>() -> String {
    let mut names: Vec<&str> = R::ROWS.iter().map(|row| row.3).collect();
    names.dedup();
    let kinds = R::FAULTS.iter().filter_map(|kind| kind.row()).map(|(_, name, executes, seen)| {
        let executed = if *executes { "executed" } else { "not executed" };
        format!("{name:<15} {executed:<13} {seen}\n")
    });
    format!("routes: any, {}\n\n{}", names.join(", "), kinds.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FaultKind, KINDS, Rule, Rules};
    use crate::route::{Route as Routes, Row};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Route {
        Start,
        Health,
        HealthSlash,
    }

    impl Routes for Route {
        const ROWS: &'static [Row<Self>] = &[
            (Self::Start, "POST", "/start", "start"),
            (Self::Health, "GET", "/health", "health"),
            (Self::HealthSlash, "GET", "/health/", "health"),
        ];
        const FAULTS: &'static [FaultKind] = &[FaultKind::Reset, FaultKind::Late, FaultKind::Empty];
    }

    fn rule(spec: &str) -> Rule {
        Rule::read::<Route>(spec).unwrap()
    }

    #[test]
    fn specs_are_read() {
        let delay = Duration::from_millis(50);
        let expected = Rule { route: "start".to_owned(), kind: FaultKind::Late, count: 2, after: 1, delay };
        assert_eq!(rule("start:late:2:1:50"), expected);
        assert_eq!(rule("any:reset").count, 1);
        for wrong in ["start", "nowhere:late", "start:nothing", "start:busy", "start:late:x", "start:late:1:1:1:1", ""]
        {
            assert!(Rule::read::<Route>(wrong).is_err(), "{wrong}");
        }
        assert!(KINDS.iter().all(|row| row.0.name() == row.1));
    }

    #[test]
    fn rules_count_what_passes() {
        let mut rules = Rules::new(vec![rule("start:reset:2:1"), rule("any:empty:0:3")]);
        let mut strike = |route: Route| rules.strike(Some(route.fault_name())).map(|struck| struck.0);
        assert_eq!(strike(Route::Start), None);
        assert_eq!(strike(Route::Health), None);
        assert_eq!(strike(Route::Start), Some(FaultKind::Reset));
        assert_eq!(strike(Route::Start), Some(FaultKind::Reset));
        assert_eq!(strike(Route::Start), Some(FaultKind::Empty));
        assert_eq!(strike(Route::HealthSlash), Some(FaultKind::Empty));
    }
}
