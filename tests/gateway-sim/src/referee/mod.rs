//! Watches what clients do and notes what a well-behaved one never does.
//!
//! Pure: an instant and an event go in, findings come out. Instants are simulated time since the start. Here is what
//! can be seen; the modules judge it: `pacing` requests for bars, `rate` messages, `arrivals` how clients come, and
//! `conversation` what each says and how it leaves.

mod arrivals;
mod conversation;
mod pacing;
mod rate;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::time::Duration;

use arrivals::Arrivals;
use conversation::Conversation;
pub(crate) use conversation::UNREAD_LIMIT;
use pacing::Pacing;
pub(crate) use pacing::{BarsRequest, Figures};
use rate::Rate;

/// Real time by which two messages may arrive closer together than they were sent: the client's clock and this one
/// differ by what the wire, and both schedulers, take.
const TOLERANCE: Duration = Duration::from_millis(5);
/// Real time in which a client may not have heard yet what it has been told: its message is on its way.
const CROSSING: Duration = Duration::from_millis(250);
/// Most historical requests of all clients that may be open. ib.md §3.2.
const OPEN_HISTORICAL_LIMIT: u64 = 50;

/// What the server saw.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A connection was opened; so many are open now, with it.
    Opened {
        connection: u64,
        open_now: usize,
        arrived: Duration,
    },
    Closed {
        connection: u64,
        ending: Ending,
    },
    /// What the client sends before it can be a conversation, or instead of it.
    Malformed {
        detail: String,
    },
    Started {
        client_id: i32,
    },
    /// Any message.
    Message {
        connection: u64,
    },
    BeforeStart {
        request: &'static str,
    },
    /// A message after the start. `upstream`: the servers behind the gateway are needed for it.
    Asked {
        connection: u64,
        request: &'static str,
        upstream: bool,
    },
    /// A message that would trade.
    Order {
        message: u32,
    },
    /// The client is about to hear this.
    Told {
        connection: u64,
        telling: Telling,
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
    /// A request for bars.
    Bars {
        connection: u64,
        request: BarsRequest,
    },
    /// A historical request was accepted; so many of all clients are open now, with it.
    HistoricalOpened {
        open_now: u64,
    },
    /// What is written does not leave: the client has not read for so long, in real time.
    Unread {
        connection: u64,
        waiting: Duration,
    },
    /// A fault stops or slows the connection: how it ends, and what stays unread, is not the client's doing.
    Disturbed {
        connection: u64,
    },
    /// The server reads again after a fault kept it from reading for so long: what comes now was sent before.
    Resumed {
        connection: u64,
        stalled: Duration,
    },
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client closed it between two messages, with so many requests neither answered nor cancelled.
    ByClient { open_requests: usize },
    /// The client reset it, or went away in the middle of a message.
    Abrupt,
    /// By the server, or by a fault.
    ByServer,
}

/// What clients are told that changes what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    NextValidId,
    ManagedAccounts,
    /// The gateway has lost the servers behind it.
    UpstreamLost,
    /// It has them again, or has something of theirs.
    UpstreamBack,
    /// The time, which a heartbeat asks for.
    CurrentTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) at: Duration,
    pub(crate) detail: String,
}

/// A rule and how it was broken.
type Broken = (&'static str, String);

/// How much of simulated time the real machine may need.
#[derive(Clone, Copy, Debug)]
struct Slack {
    /// [`TOLERANCE`].
    tolerance: Duration,
    /// [`CROSSING`].
    crossing: Duration,
}

impl Slack {
    fn new(time_scale: f64) -> Self {
        let scaled =
            |real: Duration| Duration::try_from_secs_f64(real.as_secs_f64() * time_scale).unwrap_or(Duration::MAX);
        Self { tolerance: scaled(TOLERANCE), crossing: scaled(CROSSING) }
    }

    /// A length of time that is kept if this much is.
    fn shortened(self, length: Duration) -> Duration {
        length.saturating_sub(self.tolerance)
    }
}

#[derive(Debug)]
pub(crate) struct Referee {
    slack: Slack,
    findings: Vec<Finding>,
    arrivals: Arrivals,
    conversations: HashMap<u64, Conversation>,
    pacing: Pacing,
    rate: Rate,
}

impl Referee {
    /// `time_scale`: simulated seconds per real second.
    pub(crate) fn new(time_scale: f64) -> Self {
        let slack = Slack::new(time_scale);
        Self {
            slack,
            findings: Vec::new(),
            arrivals: Arrivals::default(),
            conversations: HashMap::new(),
            pacing: Pacing::new(slack),
            rate: Rate::new(slack),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What requests for small bars there were.
    pub(crate) fn pacing(&self) -> Figures {
        self.pacing.figures()
    }

    pub(crate) fn observe(&mut self, at: Duration, event: Event) {
        let broken = self.judge(at, event);
        self.findings.extend(broken.into_iter().map(|(rule, detail)| Finding { rule, at, detail }));
    }

    fn judge(&mut self, at: Duration, event: Event) -> Vec<Broken> {
        let slack = self.slack;
        let one = |rule, detail| vec![(rule, detail)];
        match event {
            Event::Opened { connection, open_now, arrived } => {
                self.conversations.insert(connection, Conversation::default());
                self.arrivals.opened(slack, connection, open_now, arrived)
            }
            Event::Closed { connection, ending } => {
                let conversation = self.conversations.remove(&connection).unwrap_or_default();
                self.arrivals.closed(connection, conversation.is_synchronised() && ending != Ending::ByServer);
                conversation.ended(ending)
            }
            Event::Malformed { detail } => one("malformed_frame", detail),
            Event::Started { client_id } => self.arrivals.started(client_id),
            Event::Message { connection } => {
                let sent = self.conversation(connection).sent(slack, at);
                self.rate.message(sent)
            }
            Event::BeforeStart { request } => one("request_before_start", request.to_owned()),
            Event::Asked { connection, request, upstream } => {
                self.conversation(connection).asked(slack, at, request, upstream)
            }
            Event::Order { message } => one("order_message", format!("message {message}")),
            Event::Told { connection, telling } => {
                self.conversation(connection).told(at, telling);
                Vec::new()
            }
            Event::Numbered { connection, id } => self.conversation(connection).numbered(id),
            Event::UnknownCancel { id } => one("cancel_of_unknown_id", format!("id {id}")),
            Event::IllegalDurationOrBarSize { detail } => one("invalid_duration_or_bar_size", detail),
            Event::TradesForForex { detail } => one("trades_for_forex", detail),
            Event::EndWithoutZone { detail } => one("end_without_zone", detail),
            Event::Bars { connection, request } => {
                let sent = self.conversation(connection).sent(slack, at);
                self.pacing.bars(sent, request)
            }
            Event::HistoricalOpened { open_now } if open_now > OPEN_HISTORICAL_LIMIT => {
                one("open_historical_over_50", format!("{open_now} open"))
            }
            Event::HistoricalOpened { .. } => Vec::new(),
            Event::Unread { connection, waiting } => self.conversation(connection).unread(waiting),
            Event::Disturbed { connection } => {
                self.conversation(connection).disturbed();
                Vec::new()
            }
            Event::Resumed { connection, stalled } => {
                self.conversation(connection).resumed(at, stalled);
                Vec::new()
            }
        }
    }

    fn conversation(&mut self, connection: u64) -> &mut Conversation {
        self.conversations.entry(connection).or_default()
    }
}
