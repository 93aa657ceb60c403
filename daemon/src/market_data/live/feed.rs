//! What one subscription tells all who watch it: the last closed bars, the running one, how it is. Each watcher has a
//! place of its own; one that is slow loses bars, and is told how many.
//!
//! Not here: where the bars come from (`follow`), how they are stored (`keeping`).

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::watch;

use crate::{
    clock,
    error::Failure,
    market_data::MarketDataError,
    model::{Bar, Bars, Nanos},
};

/// Closed bars that are kept for watchers: also how far behind one may be. 40 minutes of the shortest bars.
const KEPT: usize = 512;

/// Where a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LivePhase {
    /// Being made for the first time.
    Starting,
    /// Bars come.
    Flowing,
    /// Lost; it will be made again.
    Interrupted,
}

/// How a subscription is.
#[derive(Debug, Clone)]
pub struct LiveState {
    /// Where it is.
    pub phase: LivePhase,
    /// Since when.
    pub since: Nanos,
    /// Why it is interrupted.
    pub why: Option<Arc<Failure>>,
}

/// What a watcher is told.
#[derive(Debug, Clone)]
pub enum LiveEvent {
    /// How the subscription is now.
    State(LiveState),
    /// So many closed bars were lost to this watcher: it was too slow.
    Missed(u64),
    /// Bars that are over, ascending, each once.
    Closed {
        /// At least one.
        bars: Bars,
        /// From history, not as they closed.
        filled: bool,
        /// A bar may be missing before the first of them, and nobody has it.
        gap_before: bool,
    },
    /// The latest state of the bar that is still open.
    Running(Bar),
    /// So many closed bars could not be stored.
    NotKept {
        /// How many.
        bars: u64,
        /// The latest reason.
        why: Arc<Failure>,
    },
}

/// Bars that could not be stored, all that there were.
#[derive(Debug, Clone)]
struct Unkept {
    bars: u64,
    why: Arc<Failure>,
}

#[derive(Debug, Clone, Copy)]
struct Closed {
    bar: Bar,
    filled: bool,
    gap_before: bool,
}

/// The latest of a subscription.
#[derive(Debug)]
pub(super) struct Feed {
    state: LiveState,
    /// Counts the changes of `state`.
    changes: u64,
    closed: VecDeque<Closed>,
    /// The number of the first of `closed`; bars are numbered as they come.
    first: u64,
    running: Option<Bar>,
    unkept: Option<Unkept>,
    ended: Option<Arc<MarketDataError>>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            state: LiveState { phase: LivePhase::Starting, since: clock::now(), why: None },
            changes: 1,
            closed: VecDeque::with_capacity(KEPT),
            first: 0,
            running: None,
            unkept: None,
            ended: None,
        }
    }

    pub(super) fn phase(&self) -> LivePhase {
        self.state.phase
    }

    pub(super) fn is(&mut self, phase: LivePhase, why: Option<Arc<Failure>>) {
        self.state = LiveState { phase, since: clock::now(), why };
        self.changes += 1;
    }

    pub(super) fn ends(&mut self, error: MarketDataError) {
        self.running = None;
        self.ended.get_or_insert(Arc::new(error));
    }

    pub(super) fn keeps_not(&mut self, bars: u64, why: Arc<Failure>) {
        let before = self.unkept.as_ref().map_or(0, |unkept| unkept.bars);
        self.unkept = Some(Unkept { bars: before + bars, why });
    }

    fn unkept(&self) -> u64 {
        self.unkept.as_ref().map_or(0, |unkept| unkept.bars)
    }

    pub(super) fn runs(&mut self, bar: Option<Bar>) {
        self.running = bar;
    }

    /// `gap_before`: before the first of them.
    pub(super) fn close(&mut self, bars: impl IntoIterator<Item = Bar>, filled: bool, mut gap_before: bool) {
        // bars that come at once stay together, however many: nobody could have read them in between
        let older = self.closed.len().saturating_sub(KEPT - 1);
        self.closed.drain(..older);
        self.first += older as u64;
        for bar in bars {
            self.closed.push_back(Closed { bar, filled, gap_before: std::mem::take(&mut gap_before) });
        }
    }

    fn end(&self) -> u64 {
        self.first + self.closed.len() as u64
    }

    /// Neighbours of one kind from the bar of this number on.
    fn run_from(&self, number: u64) -> Option<LiveEvent> {
        let from = usize::try_from(number - self.first).ok()?;
        let Closed { filled, gap_before, .. } = *self.closed.get(from)?;
        let later = self.closed.range(from + 1..).take_while(|closed| closed.filled == filled && !closed.gap_before);
        let bars = std::iter::once(&self.closed[from]).chain(later).map(|closed| closed.bar).collect();
        Some(LiveEvent::Closed { bars, filled, gap_before })
    }
}

/// One place in a feed.
#[derive(Debug)]
pub(super) struct Place {
    feed: watch::Receiver<Feed>,
    /// The number of the next bar.
    next: u64,
    running: Option<Bar>,
    changes: u64,
    /// How many of the kept bars to begin with, until the first of them are there.
    history: Option<u64>,
    /// Bars that were not stored, as far as they were told; nobody else wants to know.
    unkept: Option<u64>,
    ended: bool,
}

impl Place {
    /// Begins with so many of the last closed bars.
    pub(super) fn new(feed: watch::Receiver<Feed>, history: u64) -> Self {
        let (next, begun) = {
            let feed = feed.borrow();
            (feed.end().saturating_sub(history).max(feed.first), feed.phase() != LivePhase::Starting)
        };
        let history = (!begun).then_some(history);
        Self { feed, next, running: None, changes: 0, history, unkept: None, ended: false }
    }

    /// For one who wants the bars stored.
    pub(super) fn of_keeper(self) -> Self {
        let unkept = self.feed.borrow().unkept();
        Self { unkept: Some(unkept), ..self }
    }

    /// The next event; `None` after the error that ended the subscription. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Option<Result<LiveEvent, Arc<MarketDataError>>> {
        loop {
            if let Some(event) = self.event() {
                return Some(event);
            }
            if self.ended || self.feed.changed().await.is_err() {
                return None;
            }
        }
    }

    /// What there is to tell now.
    pub(super) fn event(&mut self) -> Option<Result<LiveEvent, Arc<MarketDataError>>> {
        if self.ended {
            return None;
        }
        let feed = self.feed.borrow_and_update();
        if self.changes == 0 {
            self.changes = feed.changes;
            return Some(Ok(LiveEvent::State(feed.state.clone())));
        }
        // what a first answer brings is history: no more of it than was asked for
        if let Some(history) = self.history.take_if(|_| feed.phase() != LivePhase::Starting) {
            self.next = feed.end().saturating_sub(history).max(feed.first);
        }
        if self.history.is_none() {
            if let Some(missed @ 1..) = feed.first.checked_sub(self.next) {
                self.next = feed.first;
                return Some(Ok(LiveEvent::Missed(missed)));
            }
            if let Some(event) = feed.run_from(self.next) {
                if let LiveEvent::Closed { bars, .. } = &event {
                    self.next += bars.len() as u64;
                }
                return Some(Ok(event));
            }
        }
        if self.changes != feed.changes {
            self.changes = feed.changes;
            return Some(Ok(LiveEvent::State(feed.state.clone())));
        }
        if self.running != feed.running {
            self.running = feed.running;
            if let Some(bar) = self.running {
                return Some(Ok(LiveEvent::Running(bar)));
            }
        }
        if let (Some(told), Some(unkept)) = (&mut self.unkept, &feed.unkept)
            && let new @ 1.. = unkept.bars - *told
        {
            *told = unkept.bars;
            return Some(Ok(LiveEvent::NotKept { bars: new, why: unkept.why.clone() }));
        }
        self.ended = feed.ended.is_some();
        feed.ended.clone().map(Err)
    }

    /// The start of the bar after this one, if it has begun, and none may be missing between them.
    pub(super) fn next_start(&self, last: Nanos) -> Option<Nanos> {
        let feed = self.feed.borrow();
        let after = feed.closed.partition_point(|closed| closed.bar.start <= last);
        match feed.closed.get(after) {
            Some(closed) => Some(closed.bar.start).filter(|_| !closed.gap_before),
            None => feed.running.map(|bar| bar.start).filter(|start| *start > last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(start: Nanos) -> Bar {
        Bar { start, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: None }
    }

    /// Everything there is to tell, in short.
    fn told(place: &mut Place) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(event) = place.event() {
            told.push(match event {
                Ok(LiveEvent::State(state)) => format!("{:?}", state.phase).to_lowercase(),
                Ok(LiveEvent::Missed(bars)) => format!("missed {bars}"),
                Ok(LiveEvent::Closed { bars, filled, gap_before }) => {
                    let mark = |is: bool, text| if is { text } else { "" };
                    format!("{:?}{}{}", bars.start, mark(filled, " filled"), mark(gap_before, " gap_before"))
                }
                Ok(LiveEvent::NotKept { bars, why }) => format!("{bars} not kept: {}", why.reason),
                Ok(LiveEvent::Running(bar)) => format!("running {}", bar.start),
                Err(error) => error.to_string(),
            });
        }
        told
    }

    #[test]
    fn each_watcher_is_told_in_order_and_only_the_latest_of_the_running_bar() {
        let (feed, receiver) = watch::channel(Feed::new());
        let mut place = Place::new(receiver, 2);
        assert_eq!(told(&mut place), ["starting"]);
        feed.send_modify(|feed| {
            feed.close([1, 2, 3].map(bar), true, false);
            feed.runs(Some(bar(4)));
            feed.is(LivePhase::Flowing, None);
        });
        assert_eq!(told(&mut place), ["[2, 3] filled", "flowing", "running 4"], "as much history as was asked for");
        feed.send_modify(|feed| feed.runs(Some(Bar { close: 2.0, ..bar(4) })));
        feed.send_modify(|feed| feed.runs(Some(Bar { close: 3.0, ..bar(4) })));
        assert_eq!(told(&mut place), ["running 4"]);
        feed.send_modify(|feed| {
            feed.close([4, 5].map(bar), false, false);
            feed.close([7].map(bar), false, true);
            feed.runs(Some(bar(8)));
        });
        assert_eq!(told(&mut place), ["[4, 5]", "[7] gap_before", "running 8"]);
        let mut late = Place::new(feed.subscribe(), 0);
        assert_eq!(told(&mut late), ["flowing", "running 8"]);
        feed.send_modify(|feed| feed.ends(MarketDataError::Defect));
        assert_eq!(told(&mut place), ["the request met a defect"]);
        assert_eq!(told(&mut place), Vec::<String>::new());
    }

    #[test]
    fn who_keeps_is_told_what_was_not_stored_and_the_bar_after_a_gap_is_no_next_one() {
        let (feed, receiver) = watch::channel(Feed::new());
        let why = Arc::new(Failure::from(&MarketDataError::Defect));
        feed.send_modify(|feed| feed.keeps_not(7, why.clone()));
        let (mut keeps, mut looks) = (Place::new(receiver.clone(), 0).of_keeper(), Place::new(receiver, 0));
        feed.send_modify(|feed| feed.keeps_not(1, why.clone()));
        feed.send_modify(|feed| feed.keeps_not(2, why.clone()));
        assert_eq!(told(&mut keeps), ["starting", "3 not kept: INTERNAL"]);
        assert_eq!(told(&mut looks), ["starting"]);
        feed.send_modify(|feed| {
            feed.close([1, 2].map(bar), false, false);
            feed.close([4].map(bar), false, true);
            feed.runs(Some(bar(5)));
        });
        assert_eq!([1, 2, 4, 5].map(|last| keeps.next_start(last)), [Some(2), None, Some(5), None]);
    }

    #[test]
    fn what_comes_at_once_is_read_as_a_whole_however_much_it_is() {
        let (feed, receiver) = watch::channel(Feed::new());
        feed.send_modify(|feed| feed.is(LivePhase::Flowing, None));
        let mut place = Place::new(receiver, 0);
        assert_eq!(told(&mut place), ["flowing"]);
        let all = i64::try_from(KEPT).unwrap() + 200;
        feed.send_modify(|feed| feed.close((0..all).map(bar), true, false));
        let whole: Vec<_> = (0..all).collect();
        assert_eq!(told(&mut place), [format!("{whole:?} filled")]);
    }

    #[test]
    fn who_is_slow_is_told_what_it_missed_and_the_others_lose_nothing() {
        let (feed, receiver) = watch::channel(Feed::new());
        feed.send_modify(|feed| feed.is(LivePhase::Flowing, None));
        let (mut slow, mut quick) = (Place::new(receiver.clone(), 0), Place::new(receiver, 0));
        let all = i64::try_from(KEPT).unwrap() + 10;
        let mut seen = Vec::new();
        for start in 0..all {
            feed.send_modify(|feed| feed.close([bar(start)], false, false));
            while let Some(event) = quick.event() {
                if let Ok(LiveEvent::Closed { bars, .. }) = event {
                    seen.extend(bars.start);
                }
            }
        }
        assert_eq!(seen, (0..all).collect::<Vec<_>>());
        let rest: Vec<_> = (10..all).collect();
        assert_eq!(told(&mut slow), ["flowing".to_owned(), "missed 10".to_owned(), format!("{rest:?}")]);
    }
}
