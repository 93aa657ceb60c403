//! Counts what happens, hands events to the referee, and tells who waits.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::faults::FaultKind;
use crate::protocol::request::Kind;
use crate::referee::{Ending, Event, Figures, Finding, Referee};
use crate::report::{Connections, Outage, PacingUse, Report, Violation};

/// Name of messages that no request has.
const UNKNOWN: &str = "unknown";
/// How long a connection that its client has closed may take to be noticed.
const CLOSING: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Books {
    connections: Connections,
    open_connections: usize,
    requests: BTreeMap<&'static str, u64>,
    open_requests: u64,
    open_historical: u64,
    faults: BTreeMap<&'static str, u64>,
    outages: Vec<(FaultKind, Duration, Duration)>,
    referee: Referee,
}

fn outage(clock: &Clock, fault: FaultKind, from: Duration, to: Duration) -> Outage {
    let at = |elapsed| i64::try_from(clock.date_of(elapsed).as_nanosecond()).unwrap_or(i64::MAX);
    Outage { kind: fault.name().to_owned(), from_ns: at(from), to_ns: at(to) }
}

impl Ledger {
    pub(crate) fn new(referee: Referee) -> Self {
        let kinds = Kind::NAMES.iter().copied().chain([UNKNOWN]);
        let books = Books {
            connections: Connections::default(),
            open_connections: 0,
            requests: kinds.map(|kind| (kind, 0)).collect(),
            open_requests: 0,
            open_historical: 0,
            faults: FaultKind::all().map(|fault| (fault.name(), 0)).collect(),
            outages: Vec::new(),
            referee,
        };
        Self { books: Mutex::new(books), changed: watch::Sender::new(()) }
    }

    /// Counts a new connection and returns its number. Others are given a moment to be seen closing: a client that
    /// closes one and opens the next had only one at a time.
    pub(crate) async fn opened(&self, clock: &Clock) -> u64 {
        let arrived = clock.elapsed();
        let number = self.change(|books| {
            books.connections.total += 1;
            books.connections.total
        });
        let alone = self.until(|ledger| (ledger.books().open_connections == 0).then_some(()));
        drop(tokio::time::timeout(CLOSING, alone).await);
        self.change(|books| {
            books.open_connections += 1;
            let open_now = books.open_connections;
            let most = u64::try_from(open_now).unwrap_or(u64::MAX);
            books.connections.most_at_once = books.connections.most_at_once.max(most);
            let event = Event::Opened { connection: number, open_now, arrived };
            books.referee.observe(clock.elapsed(), event);
        });
        number
    }

    pub(crate) fn closed(&self, clock: &Clock, connection: u64, ending: Ending) {
        self.change(|books| {
            books.open_connections -= 1;
            books.referee.observe(clock.elapsed(), Event::Closed { connection, ending });
        });
    }

    pub(crate) fn received(&self, request: Option<Kind>) {
        let kind = request.map_or(UNKNOWN, Kind::name);
        self.change(|books| *books.requests.entry(kind).or_default() += 1);
    }

    /// How many rules the event broke.
    pub(crate) fn observe(&self, clock: &Clock, event: Event) -> usize {
        self.change(|books| {
            let before = books.referee.findings().len();
            books.referee.observe(clock.elapsed(), event);
            books.referee.findings().len().saturating_sub(before)
        })
    }

    pub(crate) fn open_requests(&self) -> u64 {
        self.books().open_requests
    }

    pub(crate) fn accepted_request(&self, clock: &Clock, kind: Kind) {
        self.change(|books| {
            books.open_requests += 1;
            if kind == Kind::HistoricalData {
                books.open_historical += 1;
                let open_now = books.open_historical;
                books.referee.observe(clock.elapsed(), Event::HistoricalOpened { open_now });
            }
        });
    }

    pub(crate) fn ended_request(&self, kind: Kind) {
        self.change(|books| {
            books.open_requests = books.open_requests.saturating_sub(1);
            if kind == Kind::HistoricalData {
                books.open_historical = books.open_historical.saturating_sub(1);
            }
        });
    }

    /// A fault, or a condition of `Knobs`, hit a client.
    pub(crate) fn played(&self, fault: FaultKind) {
        self.change(|books| *books.faults.entry(fault.name()).or_default() += 1);
    }

    /// Nobody can be served from now on, for so much simulated time.
    pub(crate) fn outage(&self, clock: &Clock, fault: FaultKind, lasting: Duration) {
        let from = clock.elapsed();
        self.change(|books| books.outages.push((fault, from, from.saturating_add(lasting))));
    }

    pub(crate) fn report(&self, clock: &Clock) -> Report {
        let books = self.books();
        let owned = |counts: &BTreeMap<&'static str, u64>| {
            counts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
        };
        let violation = |finding: &Finding| Violation {
            rule: finding.rule.to_owned(),
            at: clock.date_of(finding.at).to_string(),
            detail: finding.detail.clone(),
        };
        Report {
            connections: books.connections,
            requests: owned(&books.requests),
            open_requests: books.open_requests,
            faults: owned(&books.faults),
            outages: books.outages.iter().map(|(fault, from, to)| outage(clock, *fault, *from, *to)).collect(),
            pacing: paced(books.referee.pacing()),
            violations: books.referee.findings().iter().map(violation).collect(),
        }
    }

    /// Looks again after every change until there is something to see.
    pub(crate) async fn until<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            // Fails only without a sender, and the sender is ours.
            drop(changes.changed().await);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        let result = change(&mut self.books());
        self.changed.send_replace(());
        result
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn paced(figures: Figures) -> PacingUse {
    let seconds = |at: Option<Duration>| at.map(|at| at.as_secs_f64());
    PacingUse {
        requests: figures.requests,
        weight: figures.weight,
        first: seconds(figures.first),
        last: seconds(figures.last),
        most_in_10_minutes: figures.most_in_window,
    }
}
