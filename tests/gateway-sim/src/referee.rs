//! Watches what clients do and notes what a well-behaved one never does.
//!
//! Pure: an instant and an event go in, violations come out. Instants are simulated time since the start.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

const IDENTICAL_WINDOW: Duration = Duration::from_secs(15);
const BURST_WINDOW: Duration = Duration::from_secs(2);
const BURST_LIMIT: u32 = 6;
const TOTAL_WINDOW: Duration = Duration::from_mins(10);
const TOTAL_LIMIT: u32 = 60;

/// What the server saw.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A connection was opened; so many are open now, with it.
    Opened {
        open_now: usize,
    },
    Closed {
        connection: u64,
    },
    Started {
        client_id: i32,
    },
    BeforeStart {
        request: &'static str,
    },
    /// A request took an id.
    Numbered {
        connection: u64,
        id: i32,
    },
    UnknownCancel {
        id: i32,
    },
    IllegalDurationOrBarSize {
        detail: String,
    },
    TradesForForex {
        detail: String,
    },
    EndWithoutZone {
        detail: String,
    },
    /// A request for bars of 30 seconds and less.
    SmallBars(SmallBars),
}

/// The parts of a request that pacing goes by.
#[derive(Clone, Debug)]
pub(crate) struct SmallBars {
    /// Contract, exchange and kind of price.
    pub(crate) series: String,
    /// Everything about the request but its id.
    pub(crate) request: String,
    /// Two for a request that counts twice.
    pub(crate) weight: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) at: Duration,
    pub(crate) detail: String,
}

#[derive(Debug, Default)]
pub(crate) struct Referee {
    findings: Vec<Finding>,
    used_ids: HashMap<u64, HashSet<i32>>,
    last_sent: HashMap<String, Duration>,
    by_series: HashMap<String, Window>,
    total: Window,
}

impl Referee {
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub(crate) fn observe(&mut self, at: Duration, event: Event) {
        match event {
            Event::Opened { open_now } if open_now > 1 => {
                self.note(at, "second_connection", format!("{open_now} connections open at once"));
            }
            Event::Started { client_id: 0 } => self.note(at, "client_id_zero", "startApi with client id 0".to_owned()),
            Event::Opened { .. } | Event::Started { .. } => {}
            Event::Closed { connection } => drop(self.used_ids.remove(&connection)),
            Event::BeforeStart { request } => self.note(at, "request_before_start", request.to_owned()),
            Event::Numbered { connection, id } => {
                if !self.used_ids.entry(connection).or_default().insert(id) {
                    self.note(at, "reused_request_id", format!("id {id}"));
                }
            }
            Event::UnknownCancel { id } => self.note(at, "cancel_of_unknown_id", format!("id {id}")),
            Event::IllegalDurationOrBarSize { detail } => self.note(at, "invalid_duration_or_bar_size", detail),
            Event::TradesForForex { detail } => self.note(at, "trades_for_forex", detail),
            Event::EndWithoutZone { detail } => self.note(at, "end_without_zone", detail),
            Event::SmallBars(request) => self.pace(at, request),
        }
    }

    fn pace(&mut self, at: Duration, SmallBars { series, request, weight }: SmallBars) {
        if let Some(last) = self.last_sent.insert(request.clone(), at)
            && at.saturating_sub(last) < IDENTICAL_WINDOW
        {
            self.note(at, "identical_within_15s", request);
        }
        let burst = self.by_series.entry(series.clone()).or_default().add(at, weight, BURST_WINDOW);
        if burst >= BURST_LIMIT {
            self.note(at, "six_in_2s", format!("{burst} of {series}"));
        }
        let total = self.total.add(at, weight, TOTAL_WINDOW);
        if total > TOTAL_LIMIT {
            self.note(at, "over_60_in_10min", format!("{total} requests"));
        }
    }

    fn note(&mut self, at: Duration, rule: &'static str, detail: String) {
        self.findings.push(Finding { rule, at, detail });
    }
}

/// The weights of what was sent lately.
#[derive(Debug, Default)]
struct Window(VecDeque<(Duration, u32)>);

impl Window {
    /// Adds one and returns the sum of those still inside.
    fn add(&mut self, at: Duration, weight: u32, length: Duration) -> u32 {
        self.0.push_back((at, weight));
        while self.0.front().is_some_and(|(sent, _)| at.saturating_sub(*sent) >= length) {
            self.0.pop_front();
        }
        self.0.iter().map(|(_, weight)| weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(series: &str, request: &str, weight: u32) -> Event {
        Event::SmallBars(SmallBars { series: series.to_owned(), request: request.to_owned(), weight })
    }

    /// Rules broken by small-bar requests at these seconds, each to a series of its own if `spread`.
    fn broken(seconds: impl Iterator<Item = f64>, spread: bool, weight: u32) -> Vec<&'static str> {
        let mut referee = Referee::default();
        for (index, second) in seconds.enumerate() {
            let series = if spread { format!("series {index}") } else { "one".to_owned() };
            referee.observe(Duration::try_from_secs_f64(second).unwrap(), small(&series, &index.to_string(), weight));
        }
        referee.findings().iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn identical_requests_need_fifteen_seconds() {
        let mut referee = Referee::default();
        for second in [0, 15, 29] {
            referee.observe(Duration::from_secs(second), small("s", "same", 1));
        }
        let rules: Vec<_> = referee.findings().iter().map(|finding| (finding.rule, finding.at.as_secs())).collect();
        assert_eq!(rules, [("identical_within_15s", 29)]);
    }

    #[test]
    fn bursts_and_totals() {
        assert_eq!(broken((0..5).map(|n| f64::from(n) * 0.1), false, 1), [""; 0]);
        assert_eq!(broken((0..6).map(|n| f64::from(n) * 0.1), false, 1), ["six_in_2s"]);
        assert_eq!(broken((0..3).map(|n| f64::from(n) * 0.1), false, 2), ["six_in_2s"]);
        assert_eq!(broken((0..6).map(|n| f64::from(n) * 0.4), false, 1), [""; 0]);
        assert_eq!(broken((0..60).map(|n| f64::from(n) * 0.1), true, 1), [""; 0]);
        assert_eq!(broken((0..61).map(|n| f64::from(n) * 0.1), true, 1), ["over_60_in_10min"]);
        assert_eq!(broken((0..200).map(|n| f64::from(n) * 10.0), true, 1), [""; 0]);
    }

    #[test]
    fn ids_are_used_once_a_connection() {
        let mut referee = Referee::default();
        let numbered = |connection| Event::Numbered { connection, id: 7 };
        referee.observe(Duration::ZERO, numbered(1));
        referee.observe(Duration::ZERO, numbered(2));
        assert_eq!(referee.findings(), []);
        referee.observe(Duration::ZERO, numbered(1));
        assert_eq!(referee.findings()[0].rule, "reused_request_id");
    }
}
