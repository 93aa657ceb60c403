//! One client's conversation: what each of its messages sets off.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::answer::{NO_REQUEST, Refusal, wall_second};
use super::conditions::Rate;
use super::open::OpenRequests;
use super::outlet::{Answered, Flow, Outlet};
use super::{Shared, contracts, greeting, historical, live, start, work};
use crate::config::Pacing;
use crate::faults::{Fault, FaultKind};
use crate::log::log;
use crate::protocol::messages::{CurrentTime, HistoricalDataRequest, RealTimeBarsRequest, StartApi};
use crate::protocol::reply::Reply;
use crate::protocol::request::{Inbound, Kind, Request};
use crate::referee::{Ending, Event};

/// Messages that trade: place an order, cancel one or all, exercise an option.
const TRADING: [u32; 4] = [3, 4, 58, 21];

pub(crate) struct Session {
    shared: Arc<Shared>,
    outlet: Outlet,
    open: Arc<OpenRequests>,
    /// The client's id once it has started.
    client_id: Option<i32>,
    /// Ids of all requests so far.
    seen: HashSet<i32>,
    /// The type of market data it asked for last.
    data_type: i32,
    /// What hits its greeting.
    opening: Option<Fault>,
    ended_cleanly: bool,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, outlet: Outlet, opening: Option<Fault>) -> Self {
        Self {
            open: Arc::new(OpenRequests::new(Arc::clone(&shared))),
            shared,
            outlet,
            client_id: None,
            seen: HashSet::new(),
            data_type: live::LIVE,
            opening,
            ended_cleanly: false,
        }
    }

    /// Cleanly is between two frames, with nothing open, and by the client.
    pub(crate) fn ends(&mut self, listened: &io::Result<Ending>) {
        let in_peace = matches!(listened, Ok(ending) if *ending != Ending::Abrupt);
        self.ended_cleanly = in_peace && self.open.count() == 0 && !self.outlet.line().was_cut();
    }

    /// The one way in: everything a client says passes here, read.
    pub(crate) async fn hear(&mut self, inbound: Inbound) -> Flow {
        self.shared.ledger.received(inbound.kind());
        let connection = self.outlet.line().number;
        self.tell_referee(Event::Message { connection });
        match self.shared.faults.conditions.at_message(&self.shared) {
            Rate::Fine => {}
            Rate::TooFast => return self.outlet.say(None, Refusal::too_fast().reply(NO_REQUEST)).await,
            Rate::Kicked => return Flow::Break(()),
        }
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
                log(&format!("connection {}: message {id} is not known here", self.outlet.line().number));
                Flow::Continue(())
            }
        }
    }

    async fn obey(&mut self, request: Request) -> Flow {
        let answered = Answered { kind: request.kind(), id: request.id() };
        let fault = self.shared.faults.at_request(&self.shared, self.outlet.line(), &request);
        if answered.kind != Kind::Start {
            let (connection, kind) = (self.outlet.line().number, answered.kind);
            self.tell_referee(Event::Asked { connection, request: kind.name(), upstream: kind.needs_upstream() });
        }
        if let Some(id) = request.id() {
            self.seen.insert(id);
            self.tell_referee(Event::Numbered { connection: self.outlet.line().number, id });
        }
        let id = request.id().unwrap_or(0);
        let replies = match request {
            Request::Start(start) => return self.start(&start).await,
            Request::HistoricalData(request) => return self.historical(request, answered, fault).await,
            Request::RealTimeBars(request) => return self.real_time_bars(&request, answered, fault).await,
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
        let replies = replies.unwrap_or_else(|refusal| vec![refusal.reply(to)]);
        if fault.is_none() {
            return self.outlet.say_all(Some(answered), replies).await;
        }
        let open = answered.id.and_then(|id| self.open.accept(answered.kind, id));
        let cancelled = open.unwrap_or_else(|| self.outlet.line().child_token());
        tokio::spawn(self.task(answered, cancelled, fault).answer(replies));
        Flow::Continue(())
    }

    async fn start(&mut self, start: &StartApi) -> Flow {
        let client_id = start.client_id.unwrap_or(0);
        self.tell_referee(Event::Started { client_id });
        let opening = self.opening.take();
        if start::is_refused(&self.shared, opening.as_ref()) || !start::take_id(&self.shared, client_id) {
            self.outlet.say(None, start::refusal()).await?;
            return Flow::Break(());
        }
        self.client_id = Some(client_id);
        self.shared.faults.started(&self.outlet);
        start::greet(&self.shared, &self.outlet, opening.as_ref()).await
    }

    async fn historical(&mut self, request: HistoricalDataRequest, answered: Answered, fault: Option<Fault>) -> Flow {
        let pacing = self.shared.faults.conditions.pacing();
        let mut too_fast = false;
        for event in historical::offences(self.outlet.line().number, &request, pacing) {
            let paced = matches!(event, Event::Bars { .. });
            too_fast |= self.tell_referee(event) > 0 && paced;
        }
        let id = request.id.unwrap_or(0);
        if too_fast && matches!(pacing, Pacing::Strict | Pacing::StrictAll) {
            self.shared.ledger.played(FaultKind::Pacing);
            return self.outlet.say(Some(answered), Refusal::paced().reply(id)).await;
        }
        let Some(cancelled) = self.open.accept(answered.kind, id) else {
            return self.outlet.say(Some(answered), Refusal::duplicate(id).reply(id)).await;
        };
        tokio::spawn(self.task(answered, cancelled, fault).historical(request));
        Flow::Continue(())
    }

    fn task(&self, answered: Answered, cancelled: CancellationToken, fault: Option<Fault>) -> work::Task {
        work::Task {
            shared: Arc::clone(&self.shared),
            open: Arc::clone(&self.open),
            outlet: self.outlet.clone(),
            answered,
            id: answered.id.unwrap_or(NO_REQUEST),
            cancelled,
            fault,
        }
    }

    async fn real_time_bars(
        &mut self,
        request: &RealTimeBarsRequest,
        answered: Answered,
        fault: Option<Fault>,
    ) -> Flow {
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
        tokio::spawn(self.task(answered, cancelled, fault).real_time_bars(query));
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

    /// How many rules that broke.
    fn tell_referee(&self, event: Event) -> usize {
        self.shared.ledger.observe(&self.shared.clock, event)
    }

    /// Requests neither answered nor cancelled.
    pub(crate) fn open_requests(&self) -> usize {
        self.open.count()
    }
}

/// The client is gone: its id is free again, and nothing of it is worked on any more.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(client_id) = self.client_id {
            start::leave_id(&self.shared, client_id, self.ended_cleanly);
        }
        self.open.end_all();
    }
}
