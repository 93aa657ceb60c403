//! `ibapi`'s words and ours.

use std::ops::RangeInclusive;

use ibapi::{
    Error,
    contracts::{Contract as IbContract, ContractDetails, SecurityType},
    market_data::{
        TradingHours,
        historical::{Bar as IbBar, BarSize, BarTimestamp, Duration as IbDuration, WhatToShow as IbWhat},
        realtime::WhatToShow as RealTimeWhat,
    },
};
use time::OffsetDateTime;

use super::{
    BarsAnswer, Class, Contract, Duration, GatewayError, SecurityKind, Unit,
    error_table::{classify, without_accounts},
};
use crate::model::{Bar, DAY, Nanos, SECOND, Session, Timeframe, WhatToShow};
use ktrdr_proto::text::one_line;

pub(super) fn bar_size(timeframe: Timeframe) -> BarSize {
    match timeframe {
        Timeframe::Seconds1 => BarSize::Sec,
        Timeframe::Seconds5 => BarSize::Sec5,
        Timeframe::Seconds10 => BarSize::Sec10,
        Timeframe::Seconds15 => BarSize::Sec15,
        Timeframe::Seconds30 => BarSize::Sec30,
        Timeframe::Minutes1 => BarSize::Min,
        Timeframe::Minutes2 => BarSize::Min2,
        Timeframe::Minutes3 => BarSize::Min3,
        Timeframe::Minutes4 => BarSize::Min4,
        Timeframe::Minutes5 => BarSize::Min5,
        Timeframe::Minutes10 => BarSize::Min10,
        Timeframe::Minutes15 => BarSize::Min15,
        Timeframe::Minutes20 => BarSize::Min20,
        Timeframe::Minutes30 => BarSize::Min30,
        Timeframe::Hours1 => BarSize::Hour,
        Timeframe::Hours2 => BarSize::Hour2,
        Timeframe::Hours3 => BarSize::Hour3,
        Timeframe::Hours4 => BarSize::Hour4,
        Timeframe::Hours8 => BarSize::Hour8,
        Timeframe::Days1 => BarSize::Day,
        Timeframe::Weeks1 => BarSize::Week,
        Timeframe::Months1 => BarSize::Month,
    }
}

pub(super) fn what(what: WhatToShow) -> IbWhat {
    match what {
        WhatToShow::Trades => IbWhat::Trades,
        WhatToShow::Midpoint => IbWhat::MidPoint,
        WhatToShow::Bid => IbWhat::Bid,
        WhatToShow::Ask => IbWhat::Ask,
    }
}

pub(super) fn real_time_what(what: WhatToShow) -> RealTimeWhat {
    match what {
        WhatToShow::Trades => RealTimeWhat::Trades,
        WhatToShow::Midpoint => RealTimeWhat::MidPoint,
        WhatToShow::Bid => RealTimeWhat::Bid,
        WhatToShow::Ask => RealTimeWhat::Ask,
    }
}

pub(super) fn hours(session: Session) -> TradingHours {
    match session {
        Session::AllHours => TradingHours::Extended,
        Session::RegularHours => TradingHours::Regular,
    }
}

pub(super) fn duration(duration: Duration) -> IbDuration {
    let amount = i32::from(duration.amount);
    match duration.unit {
        Unit::Seconds => IbDuration::seconds(amount),
        Unit::Days => IbDuration::days(amount),
        Unit::Months => IbDuration::months(amount),
        Unit::Years => IbDuration::years(amount),
    }
}

/// For requests: the id and the routing are enough, but the crate sends its default kind and currency along unless told,
/// and a contract in euros is none in dollars.
pub(super) fn contract(contract: &Contract) -> IbContract {
    IbContract {
        contract_id: contract.id,
        security_type: security_type(contract.kind),
        exchange: contract.exchange.clone().into(),
        currency: contract.currency.as_str().into(),
        // IB keeps the bars of a future for two years after its end
        include_expired: contract.kind == SecurityKind::Future,
        ..IbContract::default()
    }
}

pub(super) fn security_type(kind: SecurityKind) -> SecurityType {
    match kind {
        SecurityKind::Stock => SecurityType::Stock,
        SecurityKind::Forex => SecurityType::ForexPair,
        SecurityKind::Future => SecurityType::Future,
        SecurityKind::ContinuousFuture => SecurityType::ContinuousFuture,
        SecurityKind::Index => SecurityType::Index,
    }
}

pub(super) fn details(details: ContractDetails, kind: SecurityKind) -> Contract {
    let text = |text: &dyn std::fmt::Display| one_line(&text.to_string());
    let primary = text(&details.contract.primary_exchange);
    let day = details.contract.last_trade_date_or_contract_month.get(..8).unwrap_or_default();
    Contract {
        id: details.contract.contract_id,
        kind,
        exchange: match kind {
            SecurityKind::Stock => "SMART".into(),
            SecurityKind::Forex => "IDEALPRO".into(),
            SecurityKind::Future | SecurityKind::ContinuousFuture | SecurityKind::Index => {
                text(&details.contract.exchange)
            }
        },
        // "NASDAQ.NMS" and "NASDAQ" are one exchange
        primary_exchange: primary.split('.').next().unwrap_or_default().to_owned(),
        currency: text(&details.contract.currency),
        long_name: one_line(&details.long_name),
        time_zone: one_line(&details.time_zone_id),
        trading_hours: details.trading_hours,
        liquid_hours: details.liquid_hours,
        min_tick: details.min_tick,
        local_symbol: one_line(&details.contract.local_symbol),
        trading_class: one_line(&details.contract.trading_class),
        multiplier: one_line(&details.contract.multiplier),
        last_trade_date: if day.bytes().all(|byte| byte.is_ascii_digit()) { day.to_owned() } else { String::new() },
    }
}

pub(super) fn instant(at: OffsetDateTime) -> Result<Nanos, GatewayError> {
    nanos(at.unix_timestamp_nanos()).ok_or_else(|| GatewayError::Protocol(format!("an instant of {at}")))
}

/// Instants that may come: between the years 1750 and 2200. Whatever is added to one of them, or taken away, is an instant, too.
const AGES: RangeInclusive<i128> = -6_942_844_800_000_000_000..=7_258_118_400_000_000_000;

pub(super) fn nanos(at: i128) -> Option<Nanos> {
    Nanos::try_from(at).ok().filter(|_| AGES.contains(&at))
}

pub(super) fn offset_date_time(at: Nanos) -> Result<OffsetDateTime, GatewayError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at))
        .map_err(|error| GatewayError::Protocol(format!("cannot ask for {at}: {error}")))
}

/// Sorted and unique; the last of two bars with one start wins. Bars with prices that cannot be are left out, and told.
pub(super) fn bars(answer: &[IbBar], what: WhatToShow) -> Result<BarsAnswer, GatewayError> {
    let mut bars = answer.iter().map(|bar| one(bar, what)).collect::<Result<Vec<_>, _>>()?;
    bars.reverse();
    bars.sort_by_key(|bar| bar.start);
    bars.dedup_by_key(|bar| bar.start);
    let (bars, spoiled): (Vec<Bar>, Vec<Bar>) = bars.into_iter().partition(Bar::is_possible);
    if let Some(first) = spoiled.first() {
        tracing::warn!(
            count = spoiled.len(),
            first = crate::clock::text(first.start),
            "bars came with prices that cannot be"
        );
    }
    Ok(BarsAnswer::Bars {
        bars: bars.into_iter().collect(),
        spoiled: spoiled.into_iter().map(|bar| bar.start).collect(),
    })
}

/// Its prices may be no numbers.
pub(super) fn one(bar: &IbBar, what: WhatToShow) -> Result<Bar, GatewayError> {
    let start = match bar.date {
        BarTimestamp::Date(date) => midnight(date)?,
        BarTimestamp::DateTime(at) => instant(at)?.div_euclid(SECOND) * SECOND,
    };
    Ok(Bar {
        start,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        // quotes have no volume; −1 means that there is none
        volume: (what == WhatToShow::Trades && bar.volume >= 0.0).then_some(bar.volume),
    })
}

/// An exchange date, as an instant.
fn midnight(date: time::Date) -> Result<Nanos, GatewayError> {
    const EPOCH_JULIAN_DAY: i32 = 2_440_588;
    let at = i128::from(date.to_julian_day() - EPOCH_JULIAN_DAY) * i128::from(DAY);
    nanos(at).ok_or_else(|| GatewayError::Protocol(format!("a bar of {date}")))
}

/// How a request or a connection failed.
pub(super) fn error(error: Error, what: &'static str, after: std::time::Duration) -> GatewayError {
    match error {
        Error::Timeout => GatewayError::TimedOut { what, after, said: None },
        Error::Notice(notice) => refusal(notice.code, &notice.message),
        Error::Io(_)
        | Error::ConnectionRejected(_)
        | Error::ConnectionReset
        | Error::ConnectionFailed
        | Error::Shutdown
        | Error::InvalidFrame(_)
        | Error::UnexpectedEndOfStream
        | Error::EndOfStream => GatewayError::Lost,
        other => GatewayError::Protocol(without_accounts(&other.to_string())),
    }
}

/// An error message of the gateway's that names our request.
pub(super) fn refusal(code: i32, text: &str) -> GatewayError {
    GatewayError::Refused { code, text: without_accounts(text), verdict: classify(code, text) }
}

/// Whether the gateway states that there are no such bars.
pub(super) fn says_no_data(error: &GatewayError) -> bool {
    error.class() == Class::NoData
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ib_bar(date: BarTimestamp, close: f64, volume: f64) -> IbBar {
        IbBar { date, open: 1.0, high: 3.0, low: 1.0, close, volume, wap: 0.0, count: 1 }
    }

    #[test]
    fn dates_are_midnight_utc_and_the_last_of_two_wins() {
        let day = |day| BarTimestamp::Date(time::Date::from_calendar_date(2024, time::Month::January, day).unwrap());
        let answer = [
            ib_bar(day(3), 3.0, -1.0),
            ib_bar(day(2), 1.0, 5.0),
            ib_bar(day(2), 2.0, 6.0),
            ib_bar(day(4), f64::NAN, 1.0),
            ib_bar(day(5), 3.5, 1.0),
        ];
        let BarsAnswer::Bars { bars, spoiled } = bars(&answer, WhatToShow::Trades).unwrap() else { panic!("bars") };
        let second = 1_704_153_600 * SECOND;
        assert_eq!(bars.start, [second, second + DAY]);
        assert_eq!((bars.close.as_slice(), bars.volume.as_slice()), (&[2.0, 3.0][..], &[Some(6.0), None][..]));
        assert_eq!(spoiled, [second + 2 * DAY, second + 3 * DAY]);
    }

    /// What the crate may hand over: a bar a line, its date or its second, its prices and volume; other lines are texts of a contract.
    #[test]
    fn foreign_bytes() {
        fn bar_of(line: &str) -> Option<IbBar> {
            let mut words = line.split(' ');
            let stamp = words.next()?;
            let number = |words: &mut std::str::Split<'_, char>| words.next()?.parse::<f64>().ok();
            let date = if let Some(second) = stamp.strip_prefix('@') {
                BarTimestamp::DateTime(OffsetDateTime::from_unix_timestamp(second.parse().ok()?).ok()?)
            } else {
                let month = u8::try_from(stamp.parse::<u32>().ok()? / 100 % 100).ok()?;
                let (year, day) = (stamp.get(..stamp.len().checked_sub(4)?)?, stamp.get(stamp.len() - 2..)?);
                let month = time::Month::try_from(month).ok()?;
                BarTimestamp::Date(time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?)
            };
            let (open, high, low) = (number(&mut words)?, number(&mut words)?, number(&mut words)?);
            let (close, volume) = (number(&mut words)?, number(&mut words)?);
            Some(IbBar { date, open, high, low, close, volume, wap: 0.0, count: 1 })
        }
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "gateway").memory(512, 1 << 20).check(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (lines, answer): (Vec<&str>, Vec<Option<IbBar>>) =
                text.split('\n').map(|line| (line, bar_of(line))).unzip();
            let mut told =
                lines.iter().zip(&answer).filter(|(_, bar)| bar.is_none()).map(|(line, _)| (*line).to_owned());
            let mut next = || told.next().unwrap_or_default();
            let ib = IbContract {
                last_trade_date_or_contract_month: next(),
                local_symbol: next(),
                currency: next().into(),
                primary_exchange: next().into(),
                ..IbContract::default()
            };
            let ib =
                ContractDetails { contract: ib, long_name: next(), time_zone_id: next(), ..ContractDetails::default() };
            let contract = details(ib, SecurityKind::Future);
            for text in [&contract.long_name, &contract.currency, &contract.primary_exchange, &contract.local_symbol] {
                assert!(!text.contains(char::is_control), "{text:?}");
            }
            let answer: Vec<IbBar> = answer.into_iter().flatten().collect();
            let count = answer.len();
            let read = bars(&answer, WhatToShow::Trades).map_err(|error| crate::error::in_line(&error))?;
            let BarsAnswer::Bars { bars, spoiled } = read else { panic!("bars") };
            assert!(bars.is_sorted() && bars.iter().all(|bar| bar.is_possible()), "{bars:?}");
            assert!(bars.len() + spoiled.len() <= count, "{count} came");
            assert!(bars.volume.iter().flatten().all(|volume| *volume >= 0.0), "{bars:?}");
            Ok(format!("{} {}", bars.is_empty(), spoiled.is_empty()))
        });
    }
}
