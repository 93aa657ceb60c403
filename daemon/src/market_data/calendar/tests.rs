use jiff::civil::{Weekday, date};
use proptest::prelude::*;

use super::*;
use crate::{
    clock,
    model::{HOUR, MINUTE, Symbol, Timeframe},
};

fn calendar(name: &str) -> &'static Calendar {
    Calendar::named(name).unwrap()
}

fn hours(name: &str, day: Date, session: Session) -> Vec<String> {
    let calendar = calendar(name);
    let text = |range: &TimeRange| format!("{} {}", clock::text(range.start()), clock::text(range.end()));
    calendar.day(day).unwrap().due(session).iter().map(text).collect()
}

#[test]
fn every_table_is_read_and_every_name_is_found() {
    assert_eq!(Calendar::all().len(), 22);
    for one in Calendar::all() {
        for name in one.other_names().iter().chain([&one.code]) {
            assert_eq!(calendar(&name.to_lowercase()).code, one.code, "{name}");
        }
        let (first, last) = one.known();
        assert!(first <= date(2000, 1, 1) && last >= date(2026, 12, 31), "{}", one.code);
    }
    assert_eq!(Calendar::of_name_or_symbol("esh6", 2026).unwrap().code, "CMES");
    assert_eq!(
        Calendar::of_name_or_symbol("no where", 2026).unwrap_err().to_string(),
        "no calendar is known for \"no where\""
    );
}

/// The table of the reference: sessions a year, closures on weekdays, early closes.
#[test]
fn new_york_from_2015_to_2027_is_as_everybody_knows_it() {
    const SESSIONS: [(i16, usize, usize, usize); 13] = [
        (2015, 252, 9, 2),
        (2016, 252, 9, 1),
        (2017, 251, 9, 2),
        (2018, 251, 10, 3),
        (2019, 252, 9, 3),
        (2020, 253, 9, 2),
        (2021, 252, 9, 1),
        (2022, 251, 9, 1),
        (2023, 250, 10, 2),
        (2024, 252, 10, 3),
        (2025, 250, 11, 3),
        (2026, 251, 10, 2),
        (2027, 251, 10, 1),
    ];
    for (year, sessions, closures, early) in SESSIONS {
        let days = date(year, 1, 1).series(jiff::Span::new().days(1)).take_while(|day| day.year() == year);
        let days: Vec<Day> = days.map(|date| calendar("NYSE").day(date).unwrap()).collect();
        assert_eq!(days.iter().filter(|day| day.is_open()).count(), sessions, "{year}");
        assert_eq!(days.iter().filter(|day| day.special && !day.is_open()).count(), closures, "{year}");
        assert_eq!(days.iter().filter(|day| day.special && day.is_open()).count(), early, "{year}");
        let bars = |session: Session, step: Nanos| -> usize {
            let parts = days.iter().flat_map(|day| day.due(session));
            parts.map(|part| starts(part, step, calendar("NYSE").zone()).count()).sum()
        };
        assert_eq!(bars(Session::RegularHours, HOUR), sessions * 7 - early * 3, "{year}");
        assert_eq!(bars(Session::AllHours, HOUR), sessions * 16 - early * 3, "{year}");
        assert_eq!(bars(Session::RegularHours, MINUTE), sessions * 390 - early * 180, "{year}");
    }
    let closed = |year, month, day| !calendar("NYSE").day(date(year, month, day)).unwrap().is_open();
    assert!(
        closed(2018, 12, 5)
            && closed(2025, 1, 9)
            && closed(2025, 6, 19)
            && !closed(2021, 12, 31)
            && !closed(2024, 12, 24)
    );
}

#[test]
fn hours_follow_the_clock_of_the_exchange() {
    use Session::{AllHours, RegularHours};
    let new_york = |day, session| hours("NYSE", day, session);
    assert_eq!(new_york(date(2025, 3, 7), RegularHours), ["2025-03-07T14:30:00Z 2025-03-07T21:00:00Z"]);
    assert_eq!(new_york(date(2025, 3, 10), RegularHours), ["2025-03-10T13:30:00Z 2025-03-10T20:00:00Z"]);
    assert_eq!(new_york(date(2025, 11, 28), RegularHours), ["2025-11-28T14:30:00Z 2025-11-28T18:00:00Z"]);
    assert_eq!(new_york(date(2025, 11, 28), AllHours), ["2025-11-28T09:00:00Z 2025-11-28T22:00:00Z"]);
    assert_eq!(new_york(date(2025, 11, 27), AllHours), Vec::<String>::new());
    assert_eq!(
        hours("JPX", date(2025, 6, 2), RegularHours),
        ["2025-06-02T00:00:00Z 2025-06-02T02:30:00Z", "2025-06-02T03:30:00Z 2025-06-02T06:30:00Z"]
    );
    assert_eq!(hours("CME", date(2025, 6, 2), AllHours), ["2025-06-01T22:00:00Z 2025-06-02T21:00:00Z"]);
    assert_eq!(hours("fx", date(2025, 6, 2), AllHours), ["2025-06-01T21:15:00Z 2025-06-02T21:00:00Z"]);
    assert_eq!(hours("24/7", date(2025, 6, 1), AllHours), ["2025-06-01T00:00:00Z 2025-06-02T00:00:00Z"]);
    assert_eq!(calendar("SGX").day(date(2027, 1, 4)), None, "nobody knows yet");
}

#[test]
fn a_symbol_has_the_calendar_of_its_market() {
    let code = |symbol: &str| Calendar::of(&Symbol::parse(symbol).unwrap()).map(|calendar| calendar.code);
    for (symbol, expected) in [
        ("AAPL", Some("XNYS")),
        ("AAPL@NASDAQ", Some("XNYS")),
        ("VOD@LSE", Some("XLON")),
        ("EURUSD", Some("FOREX")),
        ("SPX", Some("XNYS")),
        ("DAX", Some("XETR")),
        ("ES-202503", Some("CMES")),
        ("ES-CONT", Some("CMES")),
        ("FDAX-202503", None),
        ("FDAX-202503@EUREX", None),
        ("SX5E-IND", None),
    ] {
        assert_eq!(code(symbol), expected, "{symbol}");
    }
}

#[test]
fn bars_begin_at_the_opening_and_at_full_steps() {
    let starts_of = |name: &str, day: Date, session: Session, step: Nanos| -> Vec<String> {
        let calendar = calendar(name);
        let day = calendar.day(day).unwrap();
        let starts = day.due(session).iter().flat_map(|part| starts(part, step, calendar.zone()));
        starts.map(|start| clock::text(start)[11..16].to_owned()).collect()
    };
    let hours = starts_of("NYSE", date(2025, 6, 2), Session::RegularHours, HOUR);
    assert_eq!(hours, ["13:30", "14:00", "15:00", "16:00", "17:00", "18:00", "19:00"]);
    let pairs = starts_of("FX", date(2025, 6, 2), Session::AllHours, HOUR);
    assert_eq!((pairs.len(), &pairs[0][..], &pairs[1][..], &pairs[23][..]), (24, "21:15", "22:00", "20:00"));
    assert_eq!(starts_of("FX", date(2025, 6, 2), Session::AllHours, 30 * MINUTE)[..3], ["21:15", "21:30", "22:00"]);
    let mumbai = starts_of("NSE", date(2025, 6, 2), Session::RegularHours, HOUR);
    assert_eq!(mumbai[..3], ["03:45", "04:30", "05:30"], "09:15, 10:00, 11:00 there");
}

proptest! {
    #[test]
    fn sessions_are_in_order_and_apart_and_within_what_is_allowed(number in 0_usize..22, day in 0_i32..9_800) {
        let calendar = &Calendar::all()[number];
        let code = calendar.code;
        let day = date(2000, 1, 3).checked_add(jiff::Span::new().days(day)).unwrap();
        let (Some(today), Some(tomorrow)) = (calendar.day(day), calendar.day(day.tomorrow().unwrap())) else { return Ok(()) };
        for session in [Session::RegularHours, Session::AllHours] {
            let both: Vec<_> = today.due(session).iter().chain(tomorrow.due(session)).collect();
            prop_assert!(both.windows(2).all(|pair| pair[0].end() <= pair[1].start()), "{code} {day}");
            for part in today.due(session) {
                prop_assert!(today.allowed(session).iter().any(|all| all.start() <= part.start() && part.end() <= all.end()));
                for step in [MINUTE, 5 * MINUTE, HOUR] {
                    let all: Vec<_> = starts(part, step, calendar.zone()).collect();
                    prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= step));
                    prop_assert!(all[0] == part.start() && all.iter().all(|start| part.contains(*start)));
                }
            }
        }
        if matches!(day.weekday(), Weekday::Monday) && code == "ALWAYS" {
            prop_assert!(today.is_open());
        }
    }
}

#[test]
fn closed_hours_are_taken_out_and_what_nobody_knows_stays() {
    let at = |text: &str| i64::try_from(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap();
    let range = |from: &str, to: &str| TimeRange::new(at(from), at(to)).unwrap();
    let within = |range: TimeRange, timeframe: Timeframe, also: &[TimeRange]| -> Vec<String> {
        let parts = calendar("NYSE").within_sessions(&[range], timeframe, Session::RegularHours, also);
        parts.iter().map(|part| format!("{} {}", clock::text(part.start()), clock::text(part.end()))).collect()
    };
    let holidays = range("2025-12-24T12:00:00Z", "2025-12-27T00:00:00Z");
    let open = ["2025-12-24T14:30:00Z 2025-12-24T18:00:00Z", "2025-12-26T14:30:00Z 2025-12-26T21:00:00Z"];
    assert_eq!(within(holidays, Timeframe::Hours1, &[]), open);
    assert_eq!(
        within(holidays, Timeframe::Days1, &[]),
        ["2025-12-24T12:00:00Z 2025-12-25T00:00:00Z", "2025-12-26T00:00:00Z 2025-12-27T00:00:00Z"]
    );
    assert_eq!(within(holidays, Timeframe::Months1, &[]).len(), 1);
    let told = range("2025-12-25T10:00:00Z", "2025-12-25T11:00:00Z");
    assert_eq!(within(holidays, Timeframe::Hours1, &[told]).len(), 3, "what the gateway tells counts");
    let saturday = range("2025-12-27T00:00:00Z", "2025-12-28T00:00:00Z");
    assert_eq!(within(saturday, Timeframe::Minutes1, &[]), Vec::<String>::new());
    let ancient = range("1990-01-06T00:00:00Z", "1990-01-07T00:00:00Z");
    assert_eq!(within(ancient, Timeframe::Minutes1, &[]), ["1990-01-06T00:00:00Z 1990-01-07T00:00:00Z"]);
    let far = range("2031-01-04T00:00:00Z", "2031-01-05T00:00:00Z");
    assert_eq!(within(far, Timeframe::Minutes1, &[]).len(), 1);
}
