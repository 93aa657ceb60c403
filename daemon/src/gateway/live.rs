//! Subscriptions: bars that come until nobody wants them any more.
//!
//! Bars of five seconds come once each, when they are over. All others come as history that is kept up to date: a first
//! answer that ends with the bar that is running, then that bar again and again, then the next one.
//!
//! Not here: when a bar is over, what a lost subscription left out, who watches (`market_data::live`).

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use ibapi::{
    Client, Error, Notice, SUBSCRIPTION_LAG_CODE,
    market_data::{
        historical::{Bar as IbBar, BarTimestamp, HistoricalBarUpdate},
        realtime::Bar as RealTimeBar,
    },
    subscriptions::SubscriptionItem,
};
use tokio::sync::mpsc;

use super::{
    BarsAnswer, Class, Contract, Duration, GatewayConfig, GatewayError,
    command::{End, Reply},
    direct::HISTORY_TIME_MAX,
    error_table::is_kept_back,
    translate,
};
use crate::model::{Bar, Bars, Basis, Nanos, Timeframe};

/// Bars that may wait for their reader: half an hour of updates while a hole is being filled.
const AHEAD: usize = 512;

/// What is subscribed to.
#[derive(Debug, Clone)]
pub struct LiveAsk {
    /// Whose.
    pub contract: Arc<Contract>,
    /// Bar size, five seconds or longer.
    pub timeframe: Timeframe,
    /// Hours and prices.
    pub basis: Basis,
    /// How far the first answer goes back, where there is one.
    pub back: Duration,
}

/// Bars of this size come once each, when they are over.
pub fn comes_closed(timeframe: Timeframe) -> bool {
    timeframe == Timeframe::Seconds5
}

impl LiveAsk {
    /// Equal for equal subscriptions, whatever their first answer.
    pub(super) fn name(&self) -> String {
        let Basis { session, what } = self.basis;
        let (id, exchange, timeframe) = (self.contract.id, &self.contract.exchange, self.timeframe);
        format!("live {id} {exchange} {} {} {timeframe}", what.name(), session.name())
    }
}

/// An open subscription. Dropping it ends it at the gateway.
#[derive(Debug)]
pub struct LiveStream {
    opening: Bars,
    updates: mpsc::Receiver<Result<LiveUpdate, GatewayError>>,
}

/// What is told of a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LiveUpdate {
    /// How it is now, or how it ended.
    Bar(Bar),
    /// Of the bar that starts then came prices that cannot be.
    Spoiled(Nanos),
}

impl LiveStream {
    /// The first answer: sorted, unique, finite; its last bar may still be running. Empty where bars come closed.
    pub fn opening(&self) -> &Bars {
        &self.opening
    }

    /// The next bar, or the next state of the running one. After an error there is nothing more. Nothing is lost when the
    /// future is dropped.
    pub async fn next(&mut self) -> Result<LiveUpdate, GatewayError> {
        self.updates.recv().await.unwrap_or(Err(GatewayError::Lost))
    }
}

/// What comes.
enum Item {
    Opening(Vec<IbBar>),
    Bar(IbBar),
    /// Nothing of interest.
    Other,
}

type Items = BoxStream<'static, Result<SubscriptionItem<Item>, Error>>;

/// Subscribes, answers the caller with the stream and feeds it until one of both sides ends it. Dropping the crate's
/// subscription sends the cancel.
pub(super) async fn perform(
    client: &Client,
    config: &GatewayConfig,
    ask: LiveAsk,
    mut reply: Reply<LiveStream>,
) -> End {
    let what = ask.basis.what;
    let begun = tokio::select! {
        biased;
        () = reply.closed() => return End::Withdrawn,
        begun = begin(client, config, &ask) => begun,
    };
    let (opening, items) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            drop(reply.send(Err(error.clone())));
            return End::Failed(error);
        }
    };
    let (sender, updates) = mpsc::channel(AHEAD);
    if reply.send(Ok(LiveStream { opening, updates })).is_err() {
        return End::Withdrawn;
    }
    let fed = tokio::select! {
        biased;
        () = sender.closed() => return End::Withdrawn,
        fed = feed(items, &sender, |bar| translate::one(bar, what)) => fed,
    };
    let Err(error) = fed else { return End::Answered };
    // a reader that is so far behind sees the end without the reason
    drop(sender.try_send(Err(error.clone())));
    match error {
        // the connection may be well
        GatewayError::Behind => End::Answered,
        error => End::Failed(error),
    }
}

/// The first answer and what follows it.
async fn begin(client: &Client, config: &GatewayConfig, ask: &LiveAsk) -> Result<(Bars, Items), GatewayError> {
    const SUBJECT: &str = "a subscription";
    let limit = config.deadline(HISTORY_TIME_MAX);
    let mut items = open(client, ask).await.map_err(|error| translate::error(error, SUBJECT, limit))?;
    if comes_closed(ask.timeframe) {
        return Ok((Bars::default(), items));
    }
    let opening = async {
        loop {
            match next(&mut items).await? {
                Some(Item::Opening(bars)) => return translate::bars(&bars, ask.basis.what),
                Some(_) => {}
                None => return Err(GatewayError::Lost),
            }
        }
    };
    let opening = tokio::time::timeout(limit, opening).await;
    let late = || GatewayError::TimedOut { what: SUBJECT, after: limit, said: None };
    let opening = match opening.map_err(|_| late())?? {
        BarsAnswer::Bars { bars, spoiled } => after(bars, spoiled.into_iter().max()),
        BarsAnswer::NoData => Bars::default(),
    };
    Ok((opening, items))
}

/// What comes after a spoiled bar is in one piece.
fn after(bars: Bars, spoiled: Option<Nanos>) -> Bars {
    match spoiled {
        Some(spoiled) => bars.slice(bars.start.partition_point(|start| *start <= spoiled)..bars.len()),
        None => bars,
    }
}

async fn open(client: &Client, ask: &LiveAsk) -> Result<Items, Error> {
    let contract = translate::contract(&ask.contract);
    let hours = translate::hours(ask.basis.session);
    if comes_closed(ask.timeframe) {
        let request = client.realtime_bars(&contract).what_to_show(translate::real_time_what(ask.basis.what));
        let bars = request.trading_hours(hours).subscribe().await?;
        return Ok(bars.map_ok(|item| mapped(item, |bar| Item::Bar(historical(&bar)))).boxed());
    }
    let request = client
        .historical_data(&contract, translate::bar_size(ask.timeframe))
        .what_to_show(translate::what(ask.basis.what))
        .trading_hours(hours)
        .duration(translate::duration(ask.back));
    let updates = request.stream().await?;
    let item = |update| match update {
        HistoricalBarUpdate::Historical(data) => Item::Opening(data.bars),
        HistoricalBarUpdate::Update(bar) => Item::Bar(bar),
        HistoricalBarUpdate::End { .. } => Item::Other,
    };
    Ok(updates.map_ok(move |update| mapped(update, item)).boxed())
}

fn mapped<T>(item: SubscriptionItem<T>, data: impl Fn(T) -> Item) -> SubscriptionItem<Item> {
    match item {
        SubscriptionItem::Data(value) => SubscriptionItem::Data(data(value)),
        SubscriptionItem::Notice(notice) => SubscriptionItem::Notice(notice),
    }
}

fn historical(bar: &RealTimeBar) -> IbBar {
    IbBar {
        date: BarTimestamp::DateTime(bar.date),
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
        wap: bar.wap,
        count: bar.count,
    }
}

async fn feed(
    mut items: Items,
    reader: &mpsc::Sender<Result<LiveUpdate, GatewayError>>,
    read: impl Fn(&IbBar) -> Result<Bar, GatewayError>,
) -> Result<(), GatewayError> {
    while let Some(item) = next(&mut items).await? {
        let Item::Bar(bar) = item else { continue };
        let bar = read(&bar)?;
        let update = if bar.is_possible() { LiveUpdate::Bar(bar) } else { LiveUpdate::Spoiled(bar.start) };
        if reader.send(Ok(update)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The next item; what is said to the request meanwhile ends it where it means that no data will come.
async fn next(items: &mut Items) -> Result<Option<Item>, GatewayError> {
    while let Some(item) = items.next().await {
        match item.map_err(|error| translate::error(error, "a subscription", std::time::Duration::ZERO))? {
            SubscriptionItem::Data(item) => return Ok(Some(item)),
            SubscriptionItem::Notice(notice) => said(&notice)?,
        }
    }
    Ok(None)
}

fn said(notice: &Notice) -> Result<(), GatewayError> {
    if notice.code == SUBSCRIPTION_LAG_CODE {
        return Err(GatewayError::Behind);
    }
    let refusal = translate::refusal(notice.code, &notice.message);
    if is_kept_back(notice.code) && refusal.class() == Class::Permanent {
        return Err(refusal);
    }
    tracing::info!(notice = %refusal, "said to a subscription");
    Ok(())
}
