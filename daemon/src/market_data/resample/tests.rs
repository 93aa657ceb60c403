use super::*;
use crate::{
    market_data::calendar::starts,
    model::{DAY, HOUR, MINUTE, Symbol},
};
use jiff::civil::date;
use proptest::prelude::*;

fn key(symbol: &str, timeframe: Timeframe) -> SeriesKey {
    SeriesKey { symbol: Symbol::parse(symbol).unwrap(), timeframe }
}

/// Every bar that is due on some days.
fn due(calendar: &str, first: jiff::civil::Date, days: i32, step: Nanos, session: Session) -> Vec<Nanos> {
    let calendar = Calendar::named(calendar).unwrap();
    let dates = first.series(jiff::Span::new().days(1)).take(usize::try_from(days).unwrap());
    let parts: Vec<TimeRange> =
        dates.filter_map(|date| calendar.day(date)).flat_map(|day| day.due(session).to_vec()).collect();
    parts.iter().flat_map(|part| starts(part, step, calendar.zone())).collect()
}

fn bars(starts: &[Nanos]) -> Bars {
    let price = |nth: usize| f64::from(u32::try_from(nth % 97).unwrap()) + 10.0;
    let bar = |(nth, start): (usize, &Nanos)| Bar {
        start: *start,
        open: price(nth),
        high: price(nth) + 1.0,
        low: price(nth) - 1.0,
        close: price(nth),
        volume: Some(1.0),
    };
    starts.iter().enumerate().map(bar).collect()
}

fn made(key: &SeriesKey, session: Session, to: Timeframe, shorter: &Bars) -> Bars {
    let held = TimeRange::new(shorter.start[0], shorter.start.last().unwrap() + key.timeframe.step()).unwrap();
    let calendar = Calendar::of(&key.symbol);
    let mut resampler = Resampler::new(key.clone(), session, to, Coverage::default(), held, calendar);
    let mut all = Bars::default();
    // in pieces, as they are read
    for from in (0..shorter.len()).step_by(7) {
        let more = resampler.push(&shorter.slice(from..shorter.len().min(from + 7)));
        more.iter().for_each(|bar| all.push(bar));
    }
    resampler.finish().iter().for_each(|bar| all.push(bar));
    all
}

#[test]
fn longer_bars_begin_where_the_market_has_them() {
    for (symbol, calendar, session) in [
        ("AAPL", "NYSE", Session::RegularHours),
        ("AAPL", "NYSE", Session::AllHours),
        ("ES-202503", "CME", Session::AllHours),
        ("EURUSD", "FOREX", Session::AllHours),
    ] {
        // over both changes of clock, a holiday and a short day
        for first in [date(2024, 3, 4), date(2024, 10, 28), date(2024, 11, 25)] {
            let shorter = bars(&due(calendar, first, 12, 5 * MINUTE, session));
            let key = key(symbol, Timeframe::Minutes5);
            for to in [Timeframe::Minutes15, Timeframe::Minutes30, Timeframe::Hours1] {
                let wanted = due(calendar, first, 12, to.step(), session);
                assert_eq!(made(&key, session, to, &shorter).start, wanted, "{symbol} {to} from {first}");
            }
        }
    }
}

#[test]
fn days_weeks_and_months_are_those_of_the_sessions() {
    let first = date(2024, 11, 25);
    let shorter = bars(&due("CME", first, 40, HOUR, Session::AllHours));
    let key = key("ES-202503", Timeframe::Hours1);
    let days = made(&key, Session::AllHours, Timeframe::Days1, &shorter);
    let calendar = Calendar::named("CME").unwrap();
    let dates = first.series(jiff::Span::new().days(1)).take(40).filter_map(|date| calendar.day(date));
    let open = dates.filter(|day| !day.regular.is_empty()).map(|day| crate::market_data::closing::midnight(day.date));
    assert_eq!(days.start, open.collect::<Vec<_>>(), "a session belongs to the date of its end");
    let weeks = made(&key, Session::AllHours, Timeframe::Weeks1, &shorter);
    assert!(weeks.start.windows(2).all(|pair| pair[1] - pair[0] >= 3 * DAY), "{:?}", weeks.start);
    assert_eq!(weeks.len(), 5, "the sixth is not over");
    let months = made(&key, Session::AllHours, Timeframe::Months1, &shorter);
    assert_eq!(months.len(), 1, "November began before, January is not over");
}

#[test]
fn a_longer_bar_that_is_not_whole_is_left_out() {
    let all = due("NYSE", date(2025, 6, 2), 1, MINUTE, Session::RegularHours);
    let key = key("AAPL", Timeframe::Minutes1);
    let hours = |starts: &[Nanos]| made(&key, Session::RegularHours, Timeframe::Hours1, &bars(starts)).len();
    assert_eq!(hours(&all), 7);
    assert_eq!(hours(&all[1..]), 6, "the first minute is not there");
    assert_eq!(hours(&all[..all.len() - 1]), 6, "nor the last one");
    assert_eq!(hours(&[&all[..100], &all[101..]].concat()), 7, "holes inside are told by a check");
}

#[test]
fn what_cannot_be_made_is_refused() {
    assert!(refusal(Timeframe::Hours1, Timeframe::Minutes5).is_some());
    assert!(refusal(Timeframe::Minutes4, Timeframe::Minutes15).is_some());
    assert!(refusal(Timeframe::Weeks1, Timeframe::Months1).is_some());
    assert_eq!(refusal(Timeframe::Minutes5, Timeframe::Hours4), None);
    assert_eq!(refusal(Timeframe::Days1, Timeframe::Weeks1), None);
}

proptest! {
    /// Volume and extremes are conserved, whatever is absent.
    #[test]
    fn nothing_is_lost_and_nothing_invented(
        gone in prop::collection::hash_set(0_usize..2_000, 0..400), index in 0_usize..8, regular in any::<bool>(),
    ) {
        let to = [
            Timeframe::Minutes10, Timeframe::Minutes30, Timeframe::Hours1, Timeframe::Hours2, Timeframe::Hours4,
            Timeframe::Days1, Timeframe::Weeks1, Timeframe::Minutes20,
        ][index];
        let session = if regular { Session::RegularHours } else { Session::AllHours };
        let mut starts = due("NYSE", date(2024, 11, 25), 14, 5 * MINUTE, session);
        let last = starts.len() - 1;
        let mut at = 0;
        starts.retain(|_| {
            at += 1;
            at == 1 || at > last || !gone.contains(&at)
        });
        let shorter = bars(&starts);
        let longer = made(&key("AAPL", Timeframe::Minutes5), session, to, &shorter);
        prop_assert!(longer.is_sorted());
        let sum = |bars: &Bars| bars.volume.iter().flatten().sum::<f64>();
        // the last week ends on a Sunday
        prop_assert_eq!(sum(&longer).to_bits(), sum(&shorter).to_bits());
        let highest = |bars: &Bars| bars.high.iter().copied().fold(f64::MIN, f64::max).to_bits();
        let lowest = |bars: &Bars| bars.low.iter().copied().fold(f64::MAX, f64::min).to_bits();
        prop_assert_eq!((highest(&longer), lowest(&longer)), (highest(&shorter), lowest(&shorter)));
        prop_assert_eq!(longer.open[0].to_bits(), shorter.open[0].to_bits());
        prop_assert_eq!(longer.close.last().map(|one| one.to_bits()), shorter.close.last().map(|one| one.to_bits()));
    }
}
