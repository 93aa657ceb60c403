//! Requests for bars: how many, how soon after another. ib.md §3.2.

use std::collections::HashMap;
use std::time::Duration;

use super::conversation::Sent;
use super::window::Window;
use super::{Broken, Slack};

const IDENTICAL_WINDOW: Duration = Duration::from_secs(15);
const BURST_WINDOW: Duration = Duration::from_secs(2);
const BURST_LIMIT: u32 = 6;
const TOTAL_WINDOW: Duration = Duration::from_mins(10);
const TOTAL_LIMIT: u32 = 60;

/// The parts of a request that pacing goes by.
#[derive(Clone, Debug)]
pub(crate) struct BarsRequest {
    /// Contract, exchange and kind of price.
    pub(crate) series: String,
    /// Everything about the request but its id.
    pub(crate) request: String,
    /// Two for a request that counts twice.
    pub(crate) weight: u32,
    /// Bars of 30 seconds and less, which the rules bind; or all, where they are taken strictly.
    pub(crate) small: bool,
}

/// What requests for small bars there were, whatever their kind of price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    /// With those that count twice counted twice.
    pub(crate) weight: u64,
    pub(crate) first: Option<Duration>,
    pub(crate) last: Option<Duration>,
    /// Highest weight in any ten minutes.
    pub(crate) most_in_window: u32,
}

#[derive(Debug)]
pub(super) struct Pacing {
    slack: Slack,
    last_sent: HashMap<String, Duration>,
    by_series: HashMap<String, Window>,
    total: Window,
    small: Window,
    figures: Figures,
}

impl Pacing {
    pub(super) fn new(slack: Slack) -> Self {
        Self {
            slack,
            last_sent: HashMap::new(),
            by_series: HashMap::new(),
            total: Window::default(),
            small: Window::default(),
            figures: Figures::default(),
        }
    }

    pub(super) fn figures(&self) -> Figures {
        self.figures
    }

    pub(super) fn bars(&mut self, sent: Sent, request: BarsRequest) -> Vec<Broken> {
        if request.small {
            self.count(sent.at, request.weight);
        }
        if !request.small {
            return Vec::new();
        }
        let broken = self.judge(sent.at, request);
        if sent.is_known { broken } else { Vec::new() }
    }

    fn count(&mut self, sent: Duration, weight: u32) {
        let window = self.slack.shortened(TOTAL_WINDOW);
        let figures = &mut self.figures;
        figures.requests += 1;
        figures.weight += u64::from(weight);
        figures.first = Some(figures.first.map_or(sent, |first| first.min(sent)));
        figures.last = figures.last.max(Some(sent));
        figures.most_in_window = figures.most_in_window.max(self.small.add(sent, weight, window));
    }

    fn judge(&mut self, sent: Duration, request: BarsRequest) -> Vec<Broken> {
        let BarsRequest { series, request, weight, .. } = request;
        let mut broken = Vec::new();
        let burst = self.by_series.entry(series.clone()).or_default();
        let burst = burst.add(sent, weight, self.slack.shortened(BURST_WINDOW));
        let total = self.total.add(sent, weight, self.slack.shortened(TOTAL_WINDOW));
        if let Some(last) = self.last_sent.insert(request.clone(), sent)
            && sent.saturating_sub(last) < self.slack.shortened(IDENTICAL_WINDOW)
        {
            broken.push(("identical_within_15s", request));
        }
        if burst >= BURST_LIMIT {
            broken.push(("six_in_2s", format!("{burst} of {series}")));
        }
        if total > TOTAL_LIMIT {
            broken.push(("over_60_in_10min", format!("{total} requests")));
        }
        broken
    }
}
