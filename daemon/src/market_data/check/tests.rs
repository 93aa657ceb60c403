use super::*;
use crate::{
    market_data::calendar::{Calendar, starts},
    model::{Bar, HOUR, Session, Symbol, TimeRange, WhatToShow},
};
use jiff::civil::date;
use proptest::prelude::*;

fn subject(symbol: &str, timeframe: Timeframe, session: Session) -> Subject {
    let symbol = Symbol::parse(symbol).unwrap();
    let what = WhatToShow::usual(&symbol);
    Subject {
        calendar: Calendar::of(&symbol),
        key: SeriesKey { symbol, timeframe },
        basis: Basis { session, what },
        coverage: Coverage::default(),
        closed: 0,
        now: Nanos::MAX,
        came: Nanos::MAX,
    }
}

fn bar(start: Nanos) -> Bar {
    Bar { start, open: 10.0, high: 11.0, low: 9.0, close: 10.5, volume: Some(100.0) }
}

fn checked(subject: Subject, bars: impl IntoIterator<Item = Bar>) -> Checked {
    let mut checker = Checker::new(subject);
    checker.bars(&bars.into_iter().collect());
    checker.finish()
}

fn codes(checked: &Checked) -> Vec<(&'static str, u64)> {
    checked.findings.iter().map(|finding| (finding.rule.code, finding.count)).collect()
}

/// Hours of two weeks with a holiday and a short day.
fn hours(session: Session) -> Vec<Nanos> {
    let calendar = Calendar::named("NYSE").unwrap();
    let days = date(2025, 11, 17).series(jiff::Span::new().days(1)).take(14).filter_map(|day| calendar.day(day));
    let parts: Vec<TimeRange> = days.flat_map(|day| day.due(session).to_vec()).collect();
    parts.iter().flat_map(|part| starts(part, HOUR, calendar.zone())).collect()
}

#[test]
fn a_whole_series_has_nothing_to_complain_about() {
    for session in [Session::RegularHours, Session::AllHours] {
        let checked = checked(subject("AAPL", Timeframe::Hours1, session), hours(session).into_iter().map(bar));
        assert_eq!(codes(&checked), [], "{session:?}");
        assert!(checked.gaps.is_empty() && checked.days.len() == 9);
        assert!(checked.days.iter().all(|day| day.due == day.present));
    }
}

#[test]
fn each_rule_about_one_bar_holds_where_it_should() {
    let good = bar(0);
    let cases: [(&str, Bar); 8] = [
        ("VALUE_MISSING", Bar { open: f64::NAN, ..good }),
        ("HIGH_BELOW_LOW", Bar { high: 8.0, open: 8.0, close: 8.0, ..good }),
        ("HIGH_BELOW_BODY", Bar { high: 10.4, ..good }),
        ("LOW_ABOVE_BODY", Bar { low: 10.1, ..good }),
        ("NON_POSITIVE_PRICE", Bar { low: 0.0, ..good }),
        ("VOLUME_NEGATIVE", Bar { volume: Some(-2.0), ..good }),
        ("VOLUME_NOT_REPORTED", Bar { volume: None, ..good }),
        ("ZERO_VOLUME_IN_SESSION", Bar { volume: Some(0.0), ..good }),
    ];
    let start = hours(Session::RegularHours)[3];
    for (code, wrong) in cases {
        let checked = checked(subject("AAPL", Timeframe::Hours1, Session::RegularHours), [Bar { start, ..wrong }]);
        assert!(codes(&checked).contains(&(code, 1)), "{code}: {:?}", codes(&checked));
    }
    let future =
        checked(subject("CL-202601", Timeframe::Hours1, Session::AllHours), [Bar { low: -37.0, ..bar(start) }]);
    assert!(codes(&future).contains(&("PRICE_BELOW_ZERO", 1)), "oil did");
}

#[test]
fn bars_where_none_can_be_are_told_apart() {
    let all = hours(Session::RegularHours);
    let with = |extra: Nanos| {
        let mut starts = all.clone();
        starts.push(extra);
        starts.sort_unstable();
        codes(&checked(subject("AAPL", Timeframe::Hours1, Session::RegularHours), starts.into_iter().map(bar)))
    };
    assert_eq!(with(all[6] + HOUR), [("OUTSIDE_SESSION", 1)], "after the close");
    let off_grid = with(all[2] + HOUR / 4);
    assert!(off_grid.contains(&("OFF_GRID", 1)) && off_grid.contains(&("OVERLAPPING_BARS", 2)), "{off_grid:?}");
    let saturday = jiff::tz::TimeZone::UTC.to_timestamp(date(2025, 11, 22).at(0, 0, 0, 0)).unwrap();
    let weekend = i64::try_from(saturday.as_nanosecond()).unwrap();
    let daily = checked(subject("AAPL", Timeframe::Days1, Session::AllHours), [bar(weekend)]);
    assert_eq!(codes(&daily), [("NON_SESSION_DATE", 1)]);
}

#[test]
fn what_is_absent_is_counted_by_sessions_and_told_with_its_reason() {
    let all = hours(Session::AllHours);
    // the evening of the first day, and the second day
    let kept = all.iter().copied().enumerate().filter(|(at, _)| !(14..32).contains(at)).map(|(_, start)| start);
    let asked = TimeRange::new(all[14], all[15] + HOUR).unwrap();
    let mut known = subject("AAPL", Timeframe::Hours1, Session::AllHours);
    known.coverage = [asked].into_iter().collect();
    let checked = checked(known, kept.map(bar));
    assert_eq!(codes(&checked), [("MISSING_SESSION", 1), ("NOT_TRADED", 2)]);
    let classes: Vec<_> = checked.gaps.iter().map(|gap| (gap.class, gap.bars, gap.sessions)).collect();
    assert_eq!(classes, [(GapClass::AskedAndEmpty, 2, 0), (GapClass::NeverAsked, 16, 1)]);
    assert_eq!((checked.days[0].due, checked.days[0].present), (14, 14), "what does not exist is not due");
    assert_eq!((checked.days[1].due, checked.days[1].present), (16, 0));
}

#[test]
fn a_jump_is_told_and_one_over_a_hole_is_told_apart() {
    let all = hours(Session::AllHours);
    let many: Vec<Bar> = (0..400_usize)
        .map(|at| {
            let start = all[0] + i64::try_from(at).unwrap() * 60 * 1_000_000_000;
            let close = 100.0 + if at.is_multiple_of(2) { 0.1 } else { 0.0 } + if at >= 380 { 40.0 } else { 0.0 };
            Bar { start, open: close, high: close, low: close, close, volume: Some(1.0) }
        })
        .collect();
    let jumped = checked(subject("AAPL", Timeframe::Minutes1, Session::AllHours), many.clone());
    assert!(codes(&jumped).contains(&("PRICE_JUMP", 1)), "{:?}", codes(&jumped));
    let holed = many.into_iter().enumerate().filter(|(at, _)| !(370..380).contains(at)).map(|(_, bar)| bar);
    let holed = checked(subject("AAPL", Timeframe::Minutes1, Session::AllHours), holed);
    assert!(codes(&holed).contains(&("JUMP_ACROSS_GAP", 1)), "{:?}", codes(&holed));
}

#[test]
fn one_shift_that_explains_the_misplaced_bars_is_named() {
    let all = hours(Session::RegularHours);
    let shifted = |by: Nanos| all.iter().map(move |start| bar(start + by));
    let told = |checked: &Checked| {
        let found = checked.findings.iter().find(|finding| finding.rule.code == "SHIFTED_TIMESTAMPS");
        found.map(|finding| finding.detail.clone())
    };
    let of = |by: Nanos| told(&checked(subject("AAPL", Timeframe::Hours1, Session::RegularHours), shifted(by)));
    assert_eq!(of(0), None);
    assert_eq!(of(9 * HOUR).as_deref(), Some("shifted by +9:00 hours"));
    // in winter, the clock of New York is five hours behind: its times, taken for UTC, are five hours early
    assert_eq!(of(-5 * HOUR).as_deref(), Some("times of the exchange's clock, taken for UTC"));
}

#[test]
fn days_of_two_sessions_and_volumes_of_two_units_are_told() {
    let (regular, all) = (hours(Session::RegularHours), hours(Session::AllHours));
    let middle = regular[7 * 5];
    let mixed = all.iter().copied().filter(|start| *start >= middle || regular.contains(start));
    let mixed = checked(subject("AAPL", Timeframe::Hours1, Session::AllHours), mixed.map(bar));
    assert!(!codes(&mixed).iter().any(|(code, _)| *code == "MIXED_SESSIONS"), "too few days to tell");
    let calendar = Calendar::named("NYSE").unwrap();
    let days: Vec<_> =
        date(2025, 3, 3).series(jiff::Span::new().days(1)).take(28).filter_map(|day| calendar.day(day)).collect();
    let of = |from: usize, to: usize, session| -> Vec<Nanos> {
        let parts: Vec<TimeRange> = days[from..to].iter().flat_map(|day| day.due(session).to_vec()).collect();
        parts.iter().flat_map(|part| starts(part, HOUR / 2, calendar.zone())).collect()
    };
    let starts = [of(0, 14, Session::RegularHours), of(14, 28, Session::AllHours)].concat();
    let mixed = checked(subject("AAPL", Timeframe::Minutes30, Session::AllHours), starts.into_iter().map(bar));
    assert!(codes(&mixed).contains(&("MIXED_SESSIONS", 10)), "{:?}", codes(&mixed));

    let many = of(0, 28, Session::AllHours);
    let in_lots = many
        .iter()
        .enumerate()
        .map(|(at, start)| Bar { volume: Some(if at < 300 { 500.0 } else { 517.0 }), ..bar(*start) });
    let lots = checked(subject("AAPL", Timeframe::Minutes30, Session::AllHours), in_lots);
    assert!(codes(&lots).contains(&("VOLUME_IN_LOTS", 300)), "{:?}", codes(&lots));
}

#[test]
fn longer_bars_are_held_against_those_that_shorter_ones_make() {
    let starts = hours(Session::RegularHours);
    let made: Bars = starts.iter().map(|start| bar(*start)).collect();
    let held = |stored: Vec<Bar>| {
        let mut checker = Checker::new(subject("AAPL", Timeframe::Hours1, Session::RegularHours));
        checker.reconcile(&stored.into_iter().collect(), &made, Timeframe::Minutes5);
        codes(&checker.finish())
    };
    let all = || starts.iter().map(|start| bar(*start)).collect::<Vec<_>>();
    assert_eq!(held(all()), []);
    let mut partial = all();
    (partial[3].close, partial[3].high, partial[3].volume) = (10.1, 10.2, Some(40.0));
    assert_eq!(held(partial), [("PARTIAL_BAR_SUSPECTED", 1)]);
    let mut more = all();
    more[4].high = 12.0;
    assert_eq!(held(more), [("RECONCILE_MISMATCH", 1)]);
    let split = all().into_iter().map(|bar| Bar {
        open: bar.open * 2.0,
        high: bar.high * 2.0,
        low: bar.low * 2.0,
        close: bar.close * 2.0,
        volume: bar.volume.map(|volume| volume / 2.0),
        ..bar
    });
    assert_eq!(held(split.collect()), [("SPLIT_SUSPECTED", starts.len() as u64)]);
}

proptest! {
    /// Whatever is taken out: present and absent bars are all that are due, and no gap holds a bar.
    #[test]
    fn gaps_and_bars_make_up_the_calendar(out in prop::collection::vec(0_usize..140, 0..60), regular in any::<bool>()) {
        let session = if regular { Session::RegularHours } else { Session::AllHours };
        let all = hours(session);
        let last = all.len() - 1;
        let kept: Vec<Nanos> = all.iter().copied().enumerate().filter(|(at, _)| *at == 0 || *at == last || !out.contains(at)).map(|(_, s)| s).collect();
        let checked = checked(subject("AAPL", Timeframe::Hours1, session), kept.iter().copied().map(bar));
        let absent: u64 = checked.gaps.iter().map(|gap| gap.bars).sum();
        prop_assert_eq!(usize::try_from(absent).unwrap() + kept.len(), all.len());
        prop_assert!(kept.iter().all(|start| checked.gaps.iter().all(|gap| !gap.range.contains(*start))));
        let present: u32 = checked.days.iter().map(|day| day.present).sum();
        prop_assert_eq!(usize::try_from(present).unwrap(), kept.len());
        prop_assert!(checked.gaps.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()));
    }
}

#[test]
fn the_handbook_lists_every_rule() {
    let row = |rule: &&rules::Rule| {
        let severity = format!("{:?}", rule.severity).to_lowercase();
        format!("| `{}` | {severity} | {} | {} |\n", rule.code, rule.says, rule.helps)
    };
    let rows: String = rules::ALL.iter().map(row).collect();
    let table = format!("| code | severity | what | what helps |\n|---|---|---|---|\n{rows}");
    crate::handbook::shows("DATA.md", "rules", &table);
}

/// Whatever a file holds, its bars can be checked as those of any series, and made longer.
#[test]
fn foreign_bytes() {
    use crate::market_data::{
        csv::{CsvOptions, CsvReader},
        resample::Resampler,
    };
    let kinds = [
        ("AAPL", Timeframe::Hours1, Timeframe::Days1, Session::RegularHours),
        ("EURUSD", Timeframe::Minutes1, Timeframe::Hours4, Session::AllHours),
        ("ES-CONT", Timeframe::Days1, Timeframe::Months1, Session::AllHours),
    ];
    ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "csv").count(1_000).memory(256, 8 << 20).check(|bytes| {
        let mut found = Vec::new();
        for (symbol, timeframe, longer, session) in kinds {
            let options = CsvOptions { timeframe, time_zone: Some(jiff::tz::TimeZone::UTC) };
            let mut reader = CsvReader::new(options);
            reader.push(bytes).map_err(|error| error.to_string())?;
            let bars = reader.finish().map_err(|error| error.to_string())?.bars;
            let (subject, count) = (subject(symbol, timeframe, session), bars.len());
            let ends = bars.start.first().zip(bars.start.last());
            if let Some(held) = ends.and_then(|(first, last)| TimeRange::new(*first, last + timeframe.step()).ok()) {
                let (key, calendar) = (subject.key.clone(), subject.calendar);
                let mut resampler = Resampler::new(key, session, longer, Coverage::default(), held, calendar);
                let made = [resampler.push(&bars), resampler.finish()];
                assert!(made.iter().map(Bars::len).sum::<usize>() <= count);
            }
            let mut checker = Checker::new(subject);
            checker.bars(&bars);
            let outcome = checker.finish();
            assert_eq!(outcome.bars, count as u64);
            found.extend(outcome.findings.iter().map(|finding| finding.rule.code));
        }
        Ok(found.join(" "))
    });
}
