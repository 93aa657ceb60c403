//! One client's conversation: what each of its messages sets off.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::answer::{NO_REQUEST, Refusal, notice, wall_second};
use super::ledger::Fault;
use super::open::OpenRequests;
use super::outlet::{Answered, Flow, Outlet};
use super::{Shared, contracts, greeting, historical, live, work};
use crate::log::log;
use crate::protocol::messages::{CurrentTime, HistoricalDataRequest, RealTimeBarsRequest, StartApi};
use crate::protocol::reply::Reply;
use crate::protocol::request::{Inbound, Kind, Request};
use crate::referee::Event;

/// Messages that trade: place an order, cancel one or all, exercise an option.
const TRADING: [u32; 4] = [3, 4, 58, 21];

pub(crate) struct Session {
    shared: Arc<Shared>,
    connection: u64,
    outlet: Outlet,
    open: Arc<OpenRequests>,
    /// The client's id once it has started.
    client_id: Option<i32>,
    /// Ids of all requests so far.
    seen: HashSet<i32>,
    /// The type of market data it asked for last.
    data_type: i32,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, connection: u64, outlet: Outlet) -> Self {
        let open = Arc::new(OpenRequests::new(Arc::clone(&shared)));
        Self { shared, connection, outlet, open, client_id: None, seen: HashSet::new(), data_type: live::LIVE }
    }

    /// The one way in: everything a client says passes here, read.
    pub(crate) async fn hear(&mut self, inbound: Inbound) -> Flow {
        self.shared.ledger.received(inbound.kind());
        let connection = self.connection;
        self.tell_referee(Event::Message { connection });
        if let (None, Some(kind)) = (self.client_id, inbound.kind())
            && kind != Kind::Start
        {
            self.tell_referee(Event::BeforeStart { request: kind.name() });
            return Flow::Continue(());
        }
        match inbound {
            Inbound::Request(request) => self.obey(*request).await,
            Inbound::Garbled(kind) => {
                let detail = kind.map_or("a message", Kind::name);
                self.tell_referee(Event::Malformed { detail: format!("{detail} that cannot be read") });
                self.outlet.say(None, Refusal::unreadable().reply(NO_REQUEST)).await
            }
            Inbound::Unknown(message) if TRADING.contains(&message) => {
                self.tell_referee(Event::Order { message });
                Flow::Continue(())
            }
            Inbound::Unknown(id) => {
                log(&format!("connection {}: message {id} is not known here", self.connection));
                Flow::Continue(())
            }
        }
    }

    async fn obey(&mut self, request: Request) -> Flow {
        let answered = Answered { kind: request.kind(), id: request.id() };
        if answered.kind != Kind::Start {
            let (connection, kind) = (self.connection, answered.kind);
            self.tell_referee(Event::Asked { connection, request: kind.name(), upstream: kind.needs_upstream() });
        }
        if let Some(id) = request.id() {
            self.seen.insert(id);
            self.tell_referee(Event::Numbered { connection: self.connection, id });
        }
        let id = request.id().unwrap_or(0);
        let replies = match request {
            Request::Start(start) => return self.start(&start).await,
            Request::HistoricalData(request) => return self.historical(request, answered).await,
            Request::RealTimeBars(request) => return self.real_time_bars(&request, answered).await,
            Request::CancelHistoricalData(cancel)
            | Request::CancelHeadTimestamp(cancel)
            | Request::CancelContractDetails(cancel)
            | Request::CancelRealTimeBars(cancel)
            | Request::CancelMarketData(cancel) => return self.cancel(answered.kind, cancel.id.unwrap_or(0)).await,
            Request::MarketDataType(request) => {
                self.data_type = request.data_type.unwrap_or(live::LIVE);
                Ok(Vec::new())
            }
            Request::MarketData(request) => live::market_data(&self.shared, id, &request, self.data_type),
            Request::MarketRule(request) => contracts::market_rule(&request),
            Request::CurrentTime => Ok(vec![Reply::CurrentTime(CurrentTime { time: Some(wall_second()) })]),
            Request::CurrentTimeInMillis => {
                let time = Some(jiff::Timestamp::now().as_millisecond());
                Ok(vec![Reply::CurrentTimeInMillis(CurrentTime { time })])
            }
            Request::ContractDetails(request) => contracts::details(&self.shared, id, &request),
            Request::MatchingSymbols(request) => Ok(vec![contracts::matching(&self.shared, id, &request)]),
            Request::HeadTimestamp(request) => historical::head(&self.shared, id, &request).map(|head| vec![head]),
            other => Ok(greeting::account_answer(&other)),
        };
        let to = answered.id.unwrap_or(NO_REQUEST);
        self.outlet.say_all(Some(answered), replies.unwrap_or_else(|refusal| vec![refusal.reply(to)])).await
    }

    async fn start(&mut self, start: &StartApi) -> Flow {
        let client_id = start.client_id.unwrap_or(0);
        self.tell_referee(Event::Started { client_id });
        if self.refuses_start() || !self.client_ids().insert(client_id) {
            let text = "Unable to connect as the client id is already in use. Retry with a unique client id.";
            self.outlet.say(None, notice(NO_REQUEST, 326, text)).await?;
            return Flow::Break(());
        }
        self.client_id = Some(client_id);
        self.outlet.say_all(None, greeting::all()).await
    }

    /// Whether this start is one of those to be refused.
    fn refuses_start(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        let refuses = self.shared.refusals_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok();
        if refuses {
            self.shared.ledger.played(Fault::ClientIdTaken);
        }
        refuses
    }

    async fn historical(&mut self, request: HistoricalDataRequest, answered: Answered) -> Flow {
        for event in historical::offences(self.connection, &request) {
            self.tell_referee(event);
        }
        let id = request.id.unwrap_or(0);
        let Some(cancelled) = self.open.accept(answered.kind, id) else {
            return self.outlet.say(Some(answered), Refusal::duplicate(id).reply(id)).await;
        };
        let task = work::Task {
            shared: Arc::clone(&self.shared),
            open: Arc::clone(&self.open),
            outlet: self.outlet.clone(),
            answered,
            id,
            cancelled,
        };
        tokio::spawn(task.historical(request));
        Flow::Continue(())
    }

    async fn real_time_bars(&mut self, request: &RealTimeBarsRequest, answered: Answered) -> Flow {
        for event in live::offences(request) {
            self.tell_referee(event);
        }
        let id = request.id.unwrap_or(0);
        let query = match live::plan(&self.shared, request) {
            Ok(query) => query,
            Err(refusal) => return self.outlet.say(Some(answered), refusal.reply(id)).await,
        };
        let Some(cancelled) = self.open.accept(answered.kind, id) else {
            return self.outlet.say(Some(answered), Refusal::duplicate_stream().reply(id)).await;
        };
        let task = work::Task {
            shared: Arc::clone(&self.shared),
            open: Arc::clone(&self.open),
            outlet: self.outlet.clone(),
            answered,
            id,
            cancelled,
        };
        tokio::spawn(task.real_time_bars(query));
        Flow::Continue(())
    }

    /// A cancel may cross the answer on its way, and some requests are answered at once: only an id that never was
    /// a request is held against the client.
    async fn cancel(&mut self, kind: Kind, id: i32) -> Flow {
        if self.open.end(id) || self.seen.contains(&id) {
            return Flow::Continue(());
        }
        self.tell_referee(Event::UnknownCancel { id });
        let refusal = match kind {
            Kind::CancelRealTimeBars | Kind::CancelMarketData => Refusal::no_such_stream(id),
            _ => Refusal::nothing_to_cancel(id),
        };
        self.outlet.say(Some(Answered { kind, id: Some(id) }), refusal.reply(id)).await
    }

    /// Requests neither answered nor cancelled.
    pub(crate) fn open_requests(&self) -> usize {
        self.open.count()
    }

    fn tell_referee(&self, event: Event) {
        self.shared.ledger.observe(&self.shared.clock, event);
    }

    fn client_ids(&self) -> MutexGuard<'_, HashSet<i32>> {
        self.shared.client_ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client is gone: its id is free again, and nothing of it is worked on any more.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(client_id) = self.client_id {
            self.client_ids().remove(&client_id);
        }
        self.open.end_all();
    }
}
