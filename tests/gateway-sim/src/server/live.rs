//! Prices as they come: updates of a running bar, and bars of five seconds.

use std::time::Duration;

use super::Shared;
use super::answer::{Refusal, query};
use super::historical::{kind_of_price, the_one, written};
use super::outlet::Flow;
use super::work::Task;
use crate::market::{Bar, BarQuery, BarSize, Follower, Span, What};
use crate::protocol::messages::{
    HistoricalDataUpdate, MarketDataRequest, MarketDataType, RealTimeBarTick, RealTimeBarsRequest, RequestId,
};
use crate::protocol::reply::Reply;
use crate::referee::Event;

/// Market data as it is traded, which is what there is unless a client asks for another type.
pub(crate) const LIVE: i32 = 1;

/// The gateway's short name of a request for five-second bars in refusals.
const KIND: &str = "cc";
/// Between two states of a running bar, in simulated time.
const UPDATE_PAUSE: Duration = Duration::from_secs(5);
/// However fast the time: no client reads faster.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// Length of a real-time bar.
const FIVE_SECONDS: i64 = 5;
/// Bars that a clock which jumps may leave behind are not made up for beyond this.
const MOST_LATE_SECONDS: i64 = 3600;

/// A running bar and how its dates are written.
pub(crate) struct Growth {
    pub(crate) follower: Follower,
    pub(crate) text_dates: bool,
}

/// Tells a running bar again and again, then the next one, for ever.
pub(super) async fn follow(task: &Task, mut growth: Growth) -> Flow {
    let pause = task.shared.clock.real(UPDATE_PAUSE).max(SHORTEST_PAUSE);
    loop {
        tokio::time::sleep(pause).await;
        for bar in growth.follower.states(&task.shared.market, task.shared.clock.now()) {
            let bar = Some(written(&bar, growth.text_dates));
            task.say(Reply::HistoricalDataUpdate(HistoricalDataUpdate { id: Some(task.id), bar })).await?;
        }
    }
}

/// Tells each bar as it closes, for ever. Where the market's clock stands still there are none.
pub(super) async fn five_second_bars(task: &Task, query: BarQuery) -> Flow {
    let clock = &task.shared.clock;
    let boundary = |second: i64| second - second.rem_euclid(FIVE_SECONDS);
    let mut told = boundary(clock.now());
    loop {
        match clock.until(told + FIVE_SECONDS) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
        let now = boundary(clock.now());
        told = told.max(now - MOST_LATE_SECONDS);
        while told < now {
            let end = told + FIVE_SECONDS;
            let bars = task.shared.market.bars(&BarQuery { end, now: end, ..query.clone() });
            if let Some(bar) = bars.last().filter(|bar| bar.starts_at(told)) {
                task.say(Reply::RealTimeBar(ticked(task.id, told, bar))).await?;
            }
            told = end;
        }
    }
}

/// What a request breaks, whether or not it is refused.
pub(crate) fn offences(request: &RealTimeBarsRequest) -> Vec<Event> {
    let described = query(request.contract.as_ref());
    let traded = request.what_to_show.as_deref().and_then(What::of_request).is_some_and(What::is_traded);
    if described.security_type == "CASH" && traded {
        return vec![Event::TradesForForex { detail: format!("{}.{}", described.symbol, described.currency) }];
    }
    Vec::new()
}

/// Checks a request for five-second bars as the gateway does.
pub(crate) fn plan(shared: &Shared, request: &RealTimeBarsRequest) -> Result<BarQuery, Refusal> {
    let described = query(request.contract.as_ref());
    if let Some(lack) = described.lack(true) {
        return Err(Refusal::invalid(KIND, lack));
    }
    let contract = the_one(shared, &described)?;
    let what = kind_of_price(&contract, request.what_to_show.as_deref().unwrap_or_default())
        .map_err(|refusal| Refusal { code: 420, text: format!("Invalid Real-time Query:{}", refusal.text) })?;
    let now = shared.clock.now();
    Ok(BarQuery {
        contract,
        size: BarSize::Seconds(FIVE_SECONDS),
        span: Span::Seconds(FIVE_SECONDS),
        what,
        regular: request.regular_hours.unwrap_or(false),
        end: now,
        now,
    })
}

/// Of ticks this server has none: it says of which type they would be.
pub(crate) fn market_data(
    shared: &Shared,
    id: i32,
    request: &MarketDataRequest,
    data_type: i32,
) -> Result<Vec<Reply>, Refusal> {
    the_one(shared, &query(request.contract.as_ref()))?;
    let kind = Reply::MarketDataType(MarketDataType { id: Some(id), data_type: Some(data_type) });
    let end = (request.snapshot == Some(true)).then_some(Reply::SnapshotEnd(RequestId { id: Some(id) }));
    Ok([Some(kind), end].into_iter().flatten().collect())
}

fn ticked(id: i32, start: i64, bar: &Bar) -> RealTimeBarTick {
    let figures = written(bar, false);
    RealTimeBarTick {
        id: Some(id),
        time: Some(start),
        open: figures.open,
        high: figures.high,
        low: figures.low,
        close: figures.close,
        volume: figures.volume,
        average: figures.average,
        count: figures.count,
    }
}
