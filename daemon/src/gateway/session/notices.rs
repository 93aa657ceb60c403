//! Messages of the gateway that belong to no request.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use ibapi::Notice;

use super::{GatewayError, Session};
use crate::gateway::{
    error_table::{self, Scope},
    machine::Event,
    outages::Weather,
};

/// One line a code in so long: a farm may come and go fifty times.
const QUIET: Duration = Duration::from_mins(1);

/// IB has some hundred codes; who sends more than that makes them up.
const CODES_MAX: usize = 1_000;

/// What was said, counted.
#[derive(Debug, Default)]
pub(super) struct Notices {
    unknown: BTreeMap<i32, u64>,
    logged: HashMap<i32, (Instant, u64)>,
}

impl Notices {
    /// Codes that our table does not know, and how often each came.
    pub(super) fn unknown(&self) -> &BTreeMap<i32, u64> {
        &self.unknown
    }

    pub(super) fn count_unknown(&mut self, code: i32) {
        if self.unknown.len() < CODES_MAX || self.unknown.contains_key(&code) {
            *self.unknown.entry(code).or_default() += 1;
        }
    }

    /// How many lines of this code were left out since the last, if one is due now.
    fn due(&mut self, code: i32, now: Instant) -> Option<u64> {
        if self.logged.len() >= CODES_MAX {
            self.logged.clear();
        }
        match self.logged.get_mut(&code) {
            Some((last, left_out)) if now.saturating_duration_since(*last) < QUIET => {
                *left_out += 1;
                None
            }
            _ => Some(self.logged.insert(code, (now, 0)).map_or(0, |(_, left_out)| left_out)),
        }
    }
}

impl Session {
    pub(super) fn on_notice(&mut self, notice: &Notice) {
        let text = error_table::without_accounts(&notice.message);
        let weather = error_table::weather(notice.code, &notice.message);
        let row = error_table::find(notice.code, &notice.message);
        // the crate's own have negative codes
        if row.is_none() && notice.code > 0 {
            self.notices.count_unknown(notice.code);
        }
        if let Some(left_out) = self.notices.due(notice.code, Instant::now()) {
            let does = row.map_or("logs and counts it", |row| row.does);
            if weather == Weather::Other && row.is_none_or(|row| row.class != error_table::Class::Info) {
                tracing::warn!(code = notice.code, text, does, left_out, "the gateway says");
            } else {
                tracing::info!(code = notice.code, text, does, left_out, "the gateway says");
            }
        }
        match row {
            // it will close, or understand nothing any more
            Some(row) if row.scope == Scope::Connection && (505..=508).contains(&notice.code) => {
                self.on_lost(GatewayError::Protocol(text));
            }
            _ => self.apply(Event::Said(weather, text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_and_the_rest_counted() {
        let (mut notices, now) = (Notices::default(), Instant::now());
        assert_eq!(notices.due(2105, now), Some(0));
        assert_eq!((notices.due(2105, now), notices.due(2105, now + Duration::from_secs(59))), (None, None));
        assert_eq!(notices.due(2106, now), Some(0), "another code");
        assert_eq!(notices.due(2105, now + QUIET), Some(2));
    }
}
