//! What callers send to the session task, and how one request is carried out.

use std::{sync::Arc, time::Instant};

use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayError, LiveAsk, LiveStream, pacing::Footprint, source::Source,
};
use crate::{
    metrics::metrics,
    model::{Nanos, Session, Symbol, WhatToShow},
};

pub(super) type Reply<T> = oneshot::Sender<Result<T, GatewayError>>;

/// One request, and on whose behalf it is made: what is logged about it names the call or the operation.
#[derive(Debug)]
pub(super) struct Command {
    question: Question,
    span: Span,
    since: Instant,
}

/// What is asked. A caller withdraws it by dropping the other end of its reply.
#[derive(Debug)]
pub(super) enum Question {
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

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Contract => "contract",
            Self::Head => "head",
            Self::Clock => "clock",
            Self::Live => "live",
        }
    }
}

impl End {
    fn name(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Withdrawn => "withdrawn",
            Self::Failed(_) => "failed",
        }
    }

    fn of<T>(result: &Result<T, GatewayError>) -> Self {
        match result {
            Ok(_) => Self::Answered,
            Err(error) => Self::Failed(error.clone()),
        }
    }
}

impl From<Question> for Command {
    fn from(question: Question) -> Self {
        Self { question, span: Span::current(), since: Instant::now() }
    }
}

impl Command {
    pub(super) fn kind(&self) -> Kind {
        self.question.kind()
    }

    /// For the pacing rules, which bind requests for bars and subscriptions to them only.
    pub(super) fn footprint(&self) -> Option<Footprint> {
        self.question.footprint()
    }

    /// Nobody waits for the answer any more.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.question.is_withdrawn()
    }

    /// Answers with an error, without asking the gateway.
    pub(super) fn refuse(self, error: GatewayError) {
        self.question.refuse(error);
    }

    /// Whoever else asks for the gateway's time shares the answer.
    pub(super) fn shared_with(&mut self, other: Self) {
        if let (Question::Clock(own), Question::Clock(more)) = (&mut self.question, other.question) {
            own.extend(more);
        }
    }

    /// Asks the source and answers the caller.
    pub(super) fn perform(self, source: Arc<dyn Source>) -> impl Future<Output = Done> + Send + 'static {
        let Self { question, span, since } = self;
        let kind = question.kind();
        metrics().request_left(kind.name(), since.elapsed());
        let span = tracing::info_span!(parent: &span, "gateway_request", kind = kind.name());
        let whole = async move {
            let begun = Instant::now();
            tracing::debug!(kind = kind.name(), "a request leaves for the gateway");
            let end = question.perform(source).await;
            tracing::debug!(kind = kind.name(), end = end.name(), "it has ended");
            metrics().request_ended(kind.name(), end.name(), begun.elapsed());
            Done { kind, end }
        };
        whole.instrument(span)
    }
}

impl Question {
    fn kind(&self) -> Kind {
        match self {
            Self::Bars(..) => Kind::Bars,
            Self::Contract(..) => Kind::Contract,
            Self::Head(..) => Kind::Head,
            Self::Clock(_) => Kind::Clock,
            Self::Live(..) => Kind::Live,
        }
    }

    fn footprint(&self) -> Option<Footprint> {
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

    fn is_withdrawn(&self) -> bool {
        match self {
            Self::Bars(_, reply) => reply.is_closed(),
            Self::Contract(_, reply) => reply.is_closed(),
            Self::Head(.., reply) => reply.is_closed(),
            Self::Live(_, reply) => reply.is_closed(),
            Self::Clock(replies) => !replies.is_empty() && replies.iter().all(oneshot::Sender::is_closed),
        }
    }

    fn refuse(self, error: GatewayError) {
        match self {
            Self::Bars(_, reply) => answer(reply, Err(error)),
            Self::Contract(_, reply) => answer(reply, Err(error)),
            Self::Head(.., reply) => answer(reply, Err(error)),
            Self::Live(_, reply) => answer(reply, Err(error)),
            Self::Clock(replies) => replies.into_iter().for_each(|reply| answer(reply, Err(error.clone()))),
        }
    }

    /// A caller that goes away withdraws the request there, too: the future of the
    /// question is dropped.
    async fn perform(self, source: Arc<dyn Source>) -> End {
        match self {
            Self::Bars(ask, reply) => until_withdrawn(source.bars(&ask), reply).await,
            Self::Contract(symbol, reply) => until_withdrawn(source.contract(&symbol), reply).await,
            Self::Head(contract, what, session, reply) => {
                until_withdrawn(source.head(&contract, what, session), reply).await
            }
            Self::Live(ask, reply) => source.live(ask, reply).await,
            Self::Clock(replies) => {
                let time = source.clock().await;
                let end = End::of(&time);
                for reply in replies {
                    answer(reply, time.clone());
                }
                end
            }
        }
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
