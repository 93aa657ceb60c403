//! What callers send to the session task, and how one request is carried out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ibapi::Client;
use tokio::sync::oneshot;

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayConfig, GatewayError, LiveAsk, LiveStream, contract, link, live,
    overheard::listening,
    pacing::Footprint,
    translate::{self, says_no_data},
};
use crate::model::{Nanos, Session, Symbol, WhatToShow};

pub(super) type Reply<T> = oneshot::Sender<Result<T, GatewayError>>;

/// One request. A caller withdraws it by dropping the other end of its reply.
#[derive(Debug)]
pub(super) enum Command {
    Bars(BarsAsk, Reply<BarsAnswer>),
    Contract(Symbol, Reply<Contract>),
    /// `None`: there is no history.
    Head(Arc<Contract>, WhatToShow, Session, Reply<Option<Nanos>>),
    /// Several callers share one question; none at all is a heartbeat.
    Clock(Vec<Reply<ClockAnswer>>),
    /// Answered when bars begin to come, and open for as long as they do.
    Live(LiveAsk, Reply<LiveStream>),
}

/// How a request ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) kind: Kind,
    pub(super) end: End,
}

/// What limits a request falls under, and whose absence it feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bars,
    /// A contract.
    Contract,
    /// The beginning of a history.
    Head,
    Clock,
    /// A subscription.
    Live,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum End {
    Answered,
    /// The caller gave it up.
    Withdrawn,
    Failed(GatewayError),
}

impl End {
    fn of<T>(result: &Result<T, GatewayError>) -> Self {
        match result {
            Ok(_) => Self::Answered,
            Err(error) => Self::Failed(error.clone()),
        }
    }
}

impl Command {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Bars(..) => Kind::Bars,
            Self::Contract(..) => Kind::Contract,
            Self::Head(..) => Kind::Head,
            Self::Clock(_) => Kind::Clock,
            Self::Live(..) => Kind::Live,
        }
    }

    /// For the pacing rules, which bind requests for bars and subscriptions to them only.
    pub(super) fn footprint(&self) -> Option<Footprint> {
        let (request, contract, what, timeframe) = match self {
            Self::Bars(ask, _) => (ask.name(), &ask.contract, ask.basis.what, ask.timeframe),
            Self::Live(ask, _) => (ask.name(), &ask.contract, ask.basis.what, ask.timeframe),
            Self::Contract(..) | Self::Head(..) | Self::Clock(_) => return None,
        };
        Some(Footprint {
            request: request.into(),
            subject: format!("{} {} {}", contract.id, contract.exchange, what.name()).into(),
            small: timeframe.is_small(),
            weight: 1,
        })
    }

    /// Nobody waits for the answer any more.
    pub(super) fn is_withdrawn(&self) -> bool {
        match self {
            Self::Bars(_, reply) => reply.is_closed(),
            Self::Contract(_, reply) => reply.is_closed(),
            Self::Head(.., reply) => reply.is_closed(),
            Self::Live(_, reply) => reply.is_closed(),
            Self::Clock(replies) => !replies.is_empty() && replies.iter().all(oneshot::Sender::is_closed),
        }
    }

    /// Answers with an error, without asking the gateway.
    pub(super) fn refuse(self, error: GatewayError) {
        match self {
            Self::Bars(_, reply) => answer(reply, Err(error)),
            Self::Contract(_, reply) => answer(reply, Err(error)),
            Self::Head(.., reply) => answer(reply, Err(error)),
            Self::Live(_, reply) => answer(reply, Err(error)),
            Self::Clock(replies) => replies.into_iter().for_each(|reply| answer(reply, Err(error.clone()))),
        }
    }

    /// Asks the gateway and answers the caller. A caller that goes away withdraws the request at the gateway too:
    /// dropping the crate's future sends the cancel.
    pub(super) async fn perform(self, client: Arc<Client>, config: Arc<GatewayConfig>) -> Done {
        let kind = self.kind();
        let end = match self {
            Self::Bars(ask, reply) => until_withdrawn(bars(&client, &config, &ask), reply).await,
            Self::Contract(symbol, reply) => {
                let time_max = config.deadline(contract::TIME_MAX);
                until_withdrawn(contract::resolve(&client, &symbol, time_max), reply).await
            }
            Self::Head(contract, what, session, reply) => {
                until_withdrawn(head(&client, &config, &contract, what, session), reply).await
            }
            Self::Live(ask, reply) => live::perform(&client, &config, ask, reply).await,
            Self::Clock(replies) => {
                let time = clock(&client, &config).await;
                let end = End::of(&time);
                for reply in replies {
                    answer(reply, time.clone());
                }
                end
            }
        };
        Done { kind, end }
    }
}

/// A caller that has gone needs no answer.
fn answer<T>(reply: Reply<T>, result: Result<T, GatewayError>) {
    drop(reply.send(result));
}

async fn until_withdrawn<T>(request: impl Future<Output = Result<T, GatewayError>>, mut reply: Reply<T>) -> End {
    let result = tokio::select! {
        biased;
        () = reply.closed() => return End::Withdrawn,
        result = request => result,
    };
    let end = End::of(&result);
    answer(reply, result);
    end
}

async fn bars(client: &Client, config: &GatewayConfig, ask: &BarsAsk) -> Result<BarsAnswer, GatewayError> {
    let contract = translate::contract(&ask.contract);
    let request = client
        .historical_data(&contract, translate::bar_size(ask.timeframe))
        .what_to_show(translate::what(ask.basis.what))
        .trading_hours(translate::hours(ask.basis.session))
        .duration(translate::duration(ask.duration))
        .ending(translate::offset_date_time(ask.end)?)
        .fetch();
    let answer = listening("a request for bars", config.deadline(link::HISTORY_TIME_MAX), request).await;
    match answer {
        Ok(data) if data.bars.is_empty() => Ok(BarsAnswer::NoData),
        Ok(data) => translate::bars(&data.bars, ask.basis.what),
        Err(error) if says_no_data(&error) => Ok(BarsAnswer::NoData),
        Err(error) => Err(error),
    }
}

async fn head(
    client: &Client,
    config: &GatewayConfig,
    contract: &Contract,
    what: WhatToShow,
    session: Session,
) -> Result<Option<Nanos>, GatewayError> {
    /// Some contracts never answer; a load goes on without.
    const TIME_MAX: Duration = Duration::from_secs(20);
    let subject = "a request for the earliest bar";
    let contract = translate::contract(contract);
    let request = client.head_timestamp(&contract, translate::what(what), translate::hours(session));
    match within(config.deadline(TIME_MAX), subject, request).await {
        Ok(at) => translate::instant(at).map(Some),
        Err(error) if says_no_data(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn clock(client: &Client, config: &GatewayConfig) -> Result<ClockAnswer, GatewayError> {
    let asked = Instant::now();
    let time_max = config.deadline(link::CLOCK_TIME_MAX);
    let time = within(time_max, "a request for its clock", client.server_time()).await?;
    Ok(ClockAnswer { time: translate::instant(time)?, latency: asked.elapsed() })
}

/// A request with a shorter limit than the crate's.
pub(super) async fn within<T>(
    time_max: Duration,
    what: &'static str,
    request: impl Future<Output = Result<T, ibapi::Error>>,
) -> Result<T, GatewayError> {
    let limited = async {
        let answer = tokio::time::timeout(time_max, request).await;
        answer.unwrap_or(Err(ibapi::Error::Timeout))
    };
    listening(what, time_max, limited).await
}
