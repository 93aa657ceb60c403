//! Answers to questions about past prices: what is refused, and the bars of what is not.

use std::sync::Arc;

use super::Shared;
use super::answer::{Refusal, query};
use super::live::Growth;
use crate::config::Pacing;
use crate::market::{Bar, BarQuery, BarSize, Contract, Follower, Query, SecurityType, Span, Stamp, What};
use crate::protocol::dates;
use crate::protocol::messages::{
    HeadTimestamp, HeadTimestampRequest, HistoricalBar, HistoricalBars, HistoricalData, HistoricalDataEnd,
    HistoricalDataRequest, HistoricalSchedule, HistoricalSession,
};
use crate::protocol::reply::Reply;
use crate::referee::{BarsRequest, Event};

/// The gateway's short name of a historical request in refusals.
const SHORT_NAME: &str = "bQ";
/// Bars up to this size are paced.
const PACED_SECONDS: i64 = 30;
/// The shortest bars that can be kept up to date.
const SMALLEST_KEPT_SECONDS: i64 = 5;
/// The kind of data that is no prices.
const SCHEDULE: &str = "SCHEDULE";
/// Kinds of data that exist but that this server has none of.
const OTHER_KINDS: [&str; 7] = [
    "HISTORICAL_VOLATILITY",
    "OPTION_IMPLIED_VOLATILITY",
    "FEE_RATE",
    "AGGTRADES",
    "YIELD_BID",
    "YIELD_ASK",
    "YIELD_LAST",
];

/// A request that can be answered.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    bars: BarQuery,
    end_named_zone: bool,
    text_dates: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Once,
    KeptUpToDate,
    /// The sessions instead of their prices.
    Schedule,
}

/// What a request gets.
pub(crate) enum Answer {
    Whole(Vec<Reply>),
    /// And then the states of the last bar, until the client has enough.
    Growing(Vec<Reply>, Growth),
}

impl Plan {
    /// Whether the gateway warns that it assumed a zone.
    pub(crate) fn lacks_zone(&self) -> bool {
        !self.end_named_zone
    }
}

/// What a request breaks, told to the referee, whether or not it is refused.
pub(crate) fn offences(connection: u64, request: &HistoricalDataRequest, pacing: Pacing) -> Vec<Event> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (bar_size, duration, end) = (text(&request.bar_size), text(&request.duration), text(&request.end));
    let (what, described) = (text(&request.what_to_show), query(request.contract.as_ref()));
    let (size, span) = (BarSize::of_request(&bar_size), Span::of_request(&duration));
    let mut events = Vec::new();
    if size.is_none_or(|size| span.is_err() || span.is_ok_and(|span| span.is_too_long_for(size))) {
        events.push(Event::IllegalDurationOrBarSize { detail: format!("{duration} of {bar_size}") });
    }
    if described.security_type == "CASH" && What::of_request(&what).is_some_and(What::is_traded) {
        events.push(Event::TradesForForex { detail: format!("{}.{}", described.symbol, described.currency) });
    }
    if dates::parse_end(&end).is_some_and(|end| !end.named_zone) {
        events.push(Event::EndWithoutZone { detail: end.clone() });
    }
    let Query { id, symbol, security_type, exchange, primary, currency, local_symbol, month, .. } = described;
    let series = format!("{id} {symbol}{local_symbol}{month} {security_type} {exchange} {primary} {currency} {what}");
    let regular = request.regular_hours.unwrap_or(false);
    let whole = format!("{series}, {duration} of {bar_size} to {end:?}, useRTH {regular}");
    let weight = if what == "BID_ASK" { 2 } else { 1 };
    let small = pacing == Pacing::StrictAll || size.is_some_and(|size| size.seconds() <= PACED_SECONDS);
    if pacing != Pacing::Off {
        events.push(Event::Bars { connection, request: BarsRequest { series, request: whole, weight, small } });
    }
    events
}

/// Checks a request as the gateway does.
pub(crate) fn plan(shared: &Shared, request: &HistoricalDataRequest) -> Result<Plan, Refusal> {
    let said = |field: &'static str, value: &Option<String>| {
        let value = value.clone().filter(|value| !value.is_empty());
        value.ok_or_else(|| Refusal::invalid(SHORT_NAME, &format!("{field} is missing.")))
    };
    let described = query(request.contract.as_ref());
    if let Some(lack) = described.lack(true) {
        return Err(Refusal::invalid(SHORT_NAME, lack));
    }
    let size = bar_size(&said("Bar size", &request.bar_size)?)?;
    let span = said("Duration", &request.duration)?;
    let span = Span::of_request(&span).map_err(|cause| Refusal::invalid(SHORT_NAME, cause))?;
    if span.is_too_long_for(size) {
        return Err(Refusal::too_long());
    }
    let end = dates::parse_end(request.end.as_deref().unwrap_or_default()).ok_or_else(bad_end)?;
    let what = said("What to show", &request.what_to_show)?;
    if end.second.is_some() && (what == "ADJUSTED_LAST" || request.keep_up_to_date == Some(true)) {
        return Err(Refusal::invalid(SHORT_NAME, "End date not supported with this kind of request."));
    }
    let kind = match (what.as_str(), request.keep_up_to_date) {
        (SCHEDULE, _) => Kind::Schedule,
        (_, Some(true)) => Kind::KeptUpToDate,
        _ => Kind::Once,
    };
    if kind == Kind::KeptUpToDate && size.seconds() < SMALLEST_KEPT_SECONDS {
        return Err(Refusal::invalid(SHORT_NAME, "Bars of less than 5 secs cannot be kept up to date."));
    }
    if kind == Kind::Schedule && size != BarSize::Day {
        return Err(Refusal::invalid(SHORT_NAME, "A schedule is of 1 day bars."));
    }
    let contract = the_one(shared, &described)?;
    if contract.kind == SecurityType::Continuous && end.second.is_some() {
        return Err(Refusal::end_of_continuous());
    }
    let what = if kind == Kind::Schedule { What::Trades } else { kind_of_price(&contract, &what)? };
    let now = shared.clock.now();
    Ok(Plan {
        bars: BarQuery {
            contract,
            size,
            span,
            what,
            regular: request.regular_hours.unwrap_or(false),
            end: end.second.unwrap_or(now),
            now,
        },
        end_named_zone: end.named_zone,
        text_dates: request.format_date == Some(1),
        kind,
    })
}

/// The whole answer, behind a warning. Takes a while: not for the task that listens.
pub(crate) fn answer(shared: &Shared, id: i32, plan: Plan, warning: Option<Reply>) -> Result<Answer, Refusal> {
    if plan.kind == Kind::Schedule {
        return Ok(Answer::Whole(warning.into_iter().chain([schedule(id, &plan)]).collect()));
    }
    let bars = shared.market.bars(&plan.bars);
    let last = bars.last().copied();
    let replies = warning.into_iter().chain(told(id, &plan, &bars)?).collect();
    Ok(match plan.kind {
        Kind::KeptUpToDate => {
            let follower = Follower::new(plan.bars, last);
            Answer::Growing(replies, Growth { follower, text_dates: plan.text_dates })
        }
        Kind::Once | Kind::Schedule => Answer::Whole(replies),
    })
}

fn schedule(id: i32, plan: &Plan) -> Reply {
    let sessions = plan.bars.sessions();
    let first = sessions.first().map(|session| dates::dashed(session.open));
    let last = sessions.last().map(|session| dates::dashed(session.close));
    let session = |session: &crate::market::WallSession| HistoricalSession {
        start: Some(dates::dashed(session.open)),
        end: Some(dates::dashed(session.close)),
        date: Some(dates::day(session.date)),
    };
    Reply::HistoricalSchedule(HistoricalSchedule {
        id: Some(id),
        start: first,
        end: last,
        zone: Some(plan.bars.contract.schedule.zone_name.to_owned()),
        sessions: sessions.iter().map(session).collect(),
    })
}

/// The bars and their end.
fn told(id: i32, plan: &Plan, bars: &[Bar]) -> Result<[Reply; 2], Refusal> {
    let Some(first) = bars.first() else {
        let Contract { symbol, exchange, .. } = &*plan.bars.contract;
        let what = plan.bars.what.in_messages();
        return Err(Refusal::history(&format!("HMDS query returned no data: {symbol}@{exchange} {what}")));
    };
    let start = match first.stamp {
        Stamp::Second(second) => dates::in_gateway_zone(second),
        Stamp::Day(date) => format!("{} 00:00:00 {}", dates::day(date), dates::GATEWAY_ZONE),
    };
    let end = dates::in_gateway_zone(plan.bars.end);
    let last = HistoricalDataEnd { id: Some(id), start: Some(start.clone()), end: Some(end.clone()) };
    let bars = bars.iter().map(|bar| written(bar, plan.text_dates)).collect();
    let data = HistoricalData { id: Some(id), bars };
    Ok([Reply::HistoricalData(HistoricalBars { data, start, end }), Reply::HistoricalDataEnd(last)])
}

pub(crate) fn head(shared: &Shared, id: i32, request: &HeadTimestampRequest) -> Result<Reply, Refusal> {
    let described = query(request.contract.as_ref());
    if let Some(lack) = described.lack(true) {
        return Err(Refusal::invalid(SHORT_NAME, lack));
    }
    let contract = the_one(shared, &described)?;
    kind_of_price(&contract, request.what_to_show.as_deref().unwrap_or_default())?;
    let head = contract.head().ok_or_else(|| Refusal::history("No head time stamp"))?;
    let timestamp = if request.format_date == Some(2) { head.to_string() } else { dates::utc_dashed(head) };
    Ok(Reply::HeadTimestamp(HeadTimestamp { id: Some(id), timestamp: Some(timestamp) }))
}

pub(super) fn the_one(shared: &Shared, described: &Query) -> Result<Arc<Contract>, Refusal> {
    let mut found = shared.market.find(described, shared.clock.now());
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Refusal::no_definition()),
        (Some(contract), true) => Ok(contract),
        (Some(_), false) => Err(Refusal::ambiguous(&described.symbol)),
    }
}

fn bar_size(text: &str) -> Result<BarSize, Refusal> {
    let legal = || BarSize::request_names().collect::<Vec<_>>().join(", ");
    BarSize::of_request(text).ok_or_else(|| {
        Refusal::invalid(
            SHORT_NAME,
            &format!("Historical data bar size setting is invalid. Legal ones are: {}", legal()),
        )
    })
}

/// What there is depends on the type of contract: currencies have quotes, but no trades.
pub(super) fn kind_of_price(contract: &Contract, what: &str) -> Result<What, Refusal> {
    let Contract { symbol, exchange, kind, .. } = contract;
    let name = format!("{symbol}/{}@{exchange}", kind.code());
    match What::of_request(what) {
        Some(traded) if traded.is_traded() && *kind == SecurityType::Cash => {
            Err(Refusal::history(&format!("No historical market data for {name} Last")))
        }
        Some(quoted) if !quoted.is_traded() && *kind == SecurityType::Index => {
            Err(Refusal::history(&format!("No historical market data for {name} {}", quoted.in_messages())))
        }
        Some(what) => Ok(what),
        None if OTHER_KINDS.contains(&what) => Err(Refusal::history(&format!("No data of type {what} for {name}"))),
        None => Err(Refusal::invalid(SHORT_NAME, &format!("What to show {what:?} is not known."))),
    }
}

fn bad_end() -> Refusal {
    const FORMS: &str = "yyyymmdd hh:mm:ss Zone, or yyyymmdd-hh:mm:ss for UTC";
    let text =
        format!("End Date/Time: The date, time, or time-zone entered is invalid. The correct format is {FORMS}.");
    Refusal { code: 10314, text }
}

/// Figures that do not exist are −1 on the wire.
pub(super) fn written(bar: &Bar, text_dates: bool) -> HistoricalBar {
    let figure = |figure: Option<f64>| Some(figure.unwrap_or(-1.0).to_string());
    HistoricalBar {
        date: Some(match bar.stamp {
            Stamp::Day(date) => dates::day(date),
            Stamp::Second(second) if text_dates => dates::in_gateway_zone(second),
            Stamp::Second(second) => second.to_string(),
        }),
        open: Some(bar.open),
        high: Some(bar.high),
        low: Some(bar.low),
        close: Some(bar.close),
        volume: figure(bar.volume),
        average: figure(bar.average),
        count: Some(bar.count.unwrap_or(-1)),
    }
}
