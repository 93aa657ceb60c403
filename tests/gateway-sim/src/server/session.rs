//! One client's conversation: what each of its messages sets off.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use prost::Message;
use tokio::sync::mpsc;

use super::answer::{NO_REQUEST, Refusal, notice, wall_second};
use super::ledger::Fault;
use super::open::OpenRequests;
use super::{Shared, contracts, greeting, historical};
use crate::log::log;
use crate::protocol::frame::{self, Frame};
use crate::protocol::messages::{
    ContractDataRequest, CurrentTime, HeadTimestampRequest, HistoricalDataRequest, MatchingSymbolsRequest, Request,
    RequestId, StartApi, reply,
};
use crate::referee::Event;

/// What the gateway says before it assumes its own zone.
const NO_ZONE: &str = "Warning: You submitted request with date-time attributes without explicit time zone.";

/// Whether to go on listening.
type Flow = ControlFlow<()>;

pub(crate) struct Session {
    shared: Arc<Shared>,
    connection: u64,
    out: mpsc::Sender<Vec<u8>>,
    open: Arc<OpenRequests>,
    /// The client's id once it has started.
    client_id: Option<i32>,
    /// Ids of all requests so far.
    seen: HashSet<i32>,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, connection: u64, out: mpsc::Sender<Vec<u8>>) -> Self {
        let open = Arc::new(OpenRequests::new(Arc::clone(&shared)));
        Self { shared, connection, out, open, client_id: None, seen: HashSet::new() }
    }

    pub(crate) async fn hear(&mut self, body: &[u8]) -> Flow {
        let Ok(Frame { id, payload }) = frame::parse(body) else {
            self.shared.ledger.received(None);
            return self.say(Refusal::unreadable().frame(NO_REQUEST)).await;
        };
        let request = Request::of_id(id);
        self.shared.ledger.received(request);
        let Some(request) = request else {
            log(&format!("connection {}: message {id} is not known here", self.connection));
            return Flow::Continue(());
        };
        if self.client_id.is_none() && request != Request::Start {
            self.tell_referee(Event::BeforeStart { request: request.name() });
            return Flow::Continue(());
        }
        match self.obey(request, &payload).await {
            Ok(flow) => flow,
            Err(_) => self.say(Refusal::unreadable().frame(NO_REQUEST)).await,
        }
    }

    async fn obey(&mut self, request: Request, payload: &[u8]) -> Result<Flow, prost::DecodeError> {
        Ok(match request {
            Request::Start => self.start(&StartApi::decode(payload)?).await,
            Request::Ids => self.say(greeting::next_valid_id()).await,
            Request::ManagedAccounts => self.say(greeting::accounts()).await,
            Request::CurrentTime => self.say(current_time(reply::CURRENT_TIME, wall_second())).await,
            Request::CurrentTimeInMillis => {
                let millis = jiff::Timestamp::now().as_millisecond();
                self.say(current_time(reply::CURRENT_TIME_IN_MILLIS, millis)).await
            }
            Request::ContractDetails => {
                let request = ContractDataRequest::decode(payload)?;
                let id = self.number(request.id);
                self.say_or_refuse(id, contracts::details(&self.shared, id, &request)).await
            }
            Request::MatchingSymbols => {
                let request = MatchingSymbolsRequest::decode(payload)?;
                let id = self.number(request.id);
                self.say(contracts::matching(&self.shared, id, &request)).await
            }
            Request::HeadTimestamp => {
                let request = HeadTimestampRequest::decode(payload)?;
                let id = self.number(request.id);
                self.say_or_refuse(id, historical::head(&self.shared, id, &request)).await
            }
            Request::HistoricalData => self.historical(HistoricalDataRequest::decode(payload)?).await,
            Request::CancelHistoricalData | Request::CancelHeadTimestamp | Request::CancelContractDetails => {
                self.cancel(RequestId::decode(payload)?.id.unwrap_or(0)).await
            }
            Request::LogLevel => Flow::Continue(()),
        })
    }

    async fn start(&mut self, start: &StartApi) -> Flow {
        let client_id = start.client_id.unwrap_or(0);
        self.tell_referee(Event::Started { client_id });
        if self.refuses_start() || !self.client_ids().insert(client_id) {
            let text = "Unable to connect as the client id is already in use. Retry with a unique client id.";
            self.out.send(notice(NO_REQUEST, 326, text)).await.ok();
            return Flow::Break(());
        }
        self.client_id = Some(client_id);
        self.say(greeting::all()).await
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

    async fn historical(&mut self, request: HistoricalDataRequest) -> Flow {
        let id = self.number(request.id);
        for event in historical::offences(&request) {
            self.tell_referee(event);
        }
        let Some(cancelled) = self.open.accept(id) else {
            return self.say(Refusal::duplicate(id).frame(id)).await;
        };
        let (shared, open, out) = (Arc::clone(&self.shared), Arc::clone(&self.open), self.out.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = cancelled.cancelled() => {}
                frames = historical_answer(shared, id, request) => {
                    if open.end(id) {
                        drop(out.send(frames).await);
                    }
                }
            }
        });
        Flow::Continue(())
    }

    /// A cancel may cross the answer on its way, and some requests are answered at once: only an id that never was
    /// a request is held against the client.
    async fn cancel(&mut self, id: i32) -> Flow {
        if self.open.end(id) {
            return Flow::Continue(());
        }
        if self.seen.contains(&id) {
            return Flow::Continue(());
        }
        self.tell_referee(Event::UnknownCancel { id });
        self.say(Refusal::nothing_to_cancel(id).frame(id)).await
    }

    fn number(&mut self, id: Option<i32>) -> i32 {
        let id = id.unwrap_or(0);
        self.seen.insert(id);
        self.tell_referee(Event::Numbered { connection: self.connection, id });
        id
    }

    async fn say_or_refuse(&self, id: i32, answer: Result<Vec<u8>, Refusal>) -> Flow {
        self.say(answer.unwrap_or_else(|refusal| refusal.frame(id))).await
    }

    async fn say(&self, frames: Vec<u8>) -> Flow {
        match self.out.send(frames).await {
            Ok(()) => Flow::Continue(()),
            Err(_) => Flow::Break(()),
        }
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

/// Waits as told, then computes away from the tasks that listen.
async fn historical_answer(shared: Arc<Shared>, id: i32, request: HistoricalDataRequest) -> Vec<u8> {
    let delay = shared.clock.real(shared.knobs.answer_delay);
    if !delay.is_zero() {
        shared.ledger.played(Fault::Delay);
        tokio::time::sleep(delay).await;
    }
    let computed = tokio::task::spawn_blocking(move || {
        let plan = historical::plan(&shared, &request)?;
        let mut frames = if plan.lacks_zone() { notice(id, 2174, NO_ZONE) } else { Vec::new() };
        frames.extend(historical::bars(&shared, id, &plan)?);
        Ok::<_, Refusal>(frames)
    });
    match computed.await {
        Ok(Ok(frames)) => frames,
        Ok(Err(refusal)) => refusal.frame(id),
        Err(_) => Refusal { code: 322, text: "Error processing request.-'bQ' : cause - internal".to_owned() }.frame(id),
    }
}

fn current_time(id: u32, time: i64) -> Vec<u8> {
    frame::encode(id, &CurrentTime { time: Some(time) })
}
