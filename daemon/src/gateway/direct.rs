//! A connection to the gateway itself: making it, synchronising it, ending it, and what is asked over it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use ibapi::{Client, Error, Notice, RateLimiter, subscriptions::NoticeStream};

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayConfig, GatewayError, LiveAsk, LiveStream,
    command::{End, Reply},
    contract,
    error_table::{self, announces_history, weather},
    live,
    outages::Outages,
    overheard::listening,
    source::Source,
    translate::{self, says_no_data},
};
use crate::model::{Nanos, Session, Symbol, WhatToShow};

/// The crate bounds neither connecting nor the handshake.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(15);
/// How long data farms are waited for; a gateway that announces none works all the same.
const FARMS_TIME_MAX: Duration = Duration::from_secs(5);
/// For the first question to the gateway's clock. On weekends trivial requests take seconds.
pub(super) const CLOCK_TIME_MAX: Duration = Duration::from_secs(10);
/// For bars and head timestamps. The crate withdraws the request at the gateway when it is over.
pub(super) const HISTORY_TIME_MAX: Duration = Duration::from_mins(1);
/// Cancels of dropped requests are sent by tasks of the crate's; without this pause none of them reaches the wire.
const CANCELS_TIME: Duration = Duration::from_millis(200);
/// For the last goodbye.
const DISCONNECT_TIME_MAX: Duration = Duration::from_secs(2);

/// A connection. Dropping it closes the socket.
pub(super) struct Direct {
    asked: Arc<Asked>,
    notices: NoticeStream,
    outages: Outages,
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").field("server_version", &self.version()).finish_non_exhaustive()
    }
}

impl Direct {
    /// Connects and shakes hands. Dropping the future closes the socket.
    pub(super) async fn open(config: Arc<GatewayConfig>, client_id: i32) -> Result<Self, GatewayError> {
        let builder = Client::builder()
            .address(config.address())
            .client_id(client_id)
            // the session task reconnects: the crate would send one-shot requests again by itself, past our pacing
            .max_reconnect_attempts(0)
            // IB allows 50 messages a second, all clients of the login together
            .rate_limiter(RateLimiter::per_second(40))
            .one_shot_timeout(config.deadline(HISTORY_TIME_MAX));
        let not_ready = |why: &str| GatewayError::NotReady { address: config.address(), why: why.into() };
        let limit = config.deadline(CONNECT_TIME_MAX);
        let connected = tokio::time::timeout(limit, builder.connect_with_notice_stream()).await;
        let (client, notices) = match connected {
            Err(_) => return Err(not_ready("the connection was not made within 15 s")),
            Ok(Err(error)) => return Err(refused(error, &config, client_id)),
            Ok(Ok(connected)) => connected,
        };
        if client.handshake_managed_accounts().is_empty() {
            return Err(not_ready("it named no account"));
        }
        // after a hundred other messages the crate gives up waiting, and counts from zero; IB counts from one
        if client.next_order_id() == 0 {
            return Err(not_ready("it did not finish the handshake"));
        }
        Ok(Self { asked: Arc::new(Asked { client, config }), notices, outages: Outages::default() })
    }

    /// Waits until requests may be sent: a farm of historical data was announced, or none was in time, and the
    /// gateway's clock answered.
    pub(super) async fn synchronise(&mut self) -> Result<(), GatewayError> {
        let Asked { client, config } = &*self.asked;
        let announced = async {
            while let Some(notice) = self.notices.next().await {
                self.outages.note(&weather(notice.code, &notice.message), Instant::now());
                if announces_history(notice.code) {
                    return true;
                }
            }
            false
        };
        if let Ok(false) = tokio::time::timeout(config.deadline(FARMS_TIME_MAX), announced).await {
            return Err(GatewayError::Lost);
        }
        let not_ready = |why: &str| GatewayError::NotReady { address: config.address(), why: why.into() };
        let limit = config.deadline(CLOCK_TIME_MAX);
        match within(limit, "a request for its clock", client.server_time()).await {
            // an error of somebody else's fails the question for the clock; the session is there all the same
            Ok(_) | Err(GatewayError::Refused { .. }) => Ok(()),
            Err(GatewayError::TimedOut { .. }) => Err(not_ready("it did not answer its first request within 10 s")),
            Err(error) => Err(error),
        }
    }

    /// What was said about IB's side before the session was usable; once.
    pub(super) fn take_outages(&mut self) -> Outages {
        std::mem::take(&mut self.outages)
    }

    /// Who is asked over it.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        self.asked.clone()
    }

    /// Of the other side.
    pub(super) fn version(&self) -> i32 {
        self.asked.client.server_version()
    }

    /// The next message that belongs to no request; `None` when the connection has ended.
    pub(super) async fn notice(&mut self) -> Option<Notice> {
        self.notices.next().await
    }

    /// Says goodbye. `cancelling`: requests were dropped just now.
    pub(super) async fn close(self, cancelling: bool) {
        if cancelling {
            tokio::time::sleep(CANCELS_TIME).await;
        }
        if tokio::time::timeout(DISCONNECT_TIME_MAX, self.asked.client.disconnect()).await.is_err() {
            tracing::warn!("the gateway did not let go of the connection in time; closing it");
        }
    }
}

/// The gateway, as it is asked.
struct Asked {
    client: Client,
    config: Arc<GatewayConfig>,
}

impl Source for Asked {
    fn bars<'a>(&'a self, ask: &'a BarsAsk) -> BoxFuture<'a, Result<BarsAnswer, GatewayError>> {
        bars(&self.client, &self.config, ask).boxed()
    }

    fn contract<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Contract, GatewayError>> {
        contract::resolve(&self.client, symbol, self.config.deadline(contract::TIME_MAX)).boxed()
    }

    fn head<'a>(
        &'a self,
        contract: &'a Contract,
        what: WhatToShow,
        session: Session,
    ) -> BoxFuture<'a, Result<Option<Nanos>, GatewayError>> {
        head(&self.client, &self.config, contract, what, session).boxed()
    }

    fn clock(&self) -> BoxFuture<'_, Result<ClockAnswer, GatewayError>> {
        clock(&self.client, &self.config).boxed()
    }

    fn live(&self, ask: LiveAsk, reply: Reply<LiveStream>) -> BoxFuture<'_, End> {
        live::perform(&self.client, &self.config, ask, reply).boxed()
    }
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
    let answer = listening("a request for bars", config.deadline(HISTORY_TIME_MAX), request).await;
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
    let time_max = config.deadline(CLOCK_TIME_MAX);
    let time = within(time_max, "a request for its clock", client.server_time()).await?;
    Ok(ClockAnswer { time: translate::instant(time)?, latency: asked.elapsed() })
}

/// A request with a shorter limit than the crate's.
pub(super) async fn within<T>(
    time_max: Duration,
    what: &'static str,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, GatewayError> {
    let limited = async {
        let answer = tokio::time::timeout(time_max, request).await;
        answer.unwrap_or(Err(Error::Timeout))
    };
    listening(what, time_max, limited).await
}

/// Why there is no session.
fn refused(error: Error, config: &GatewayConfig, client_id: i32) -> GatewayError {
    let address = config.address();
    match error {
        Error::Io(_) | Error::ConnectionRejected(_) => {
            GatewayError::Unreachable { address, retry_after: Duration::ZERO, source: error }
        }
        Error::ClientIdInUse { .. } => GatewayError::ClientIdInUse { id: client_id },
        Error::ServerVersion(_, found, _) => GatewayError::TooOld { found },
        other => GatewayError::NotReady { address, why: error_table::without_accounts(&other.to_string()) },
    }
}
