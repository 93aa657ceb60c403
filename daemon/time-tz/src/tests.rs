use super::*;
use crate::timezones::{db, get_by_name, windows};
use proptest::prelude::*;
use time::macros::{datetime, offset};

fn zone(name: &str) -> &'static Tz {
    get_by_name(name).unwrap()
}

#[test]
fn a_reading_is_found_once_twice_or_never() {
    let new_york = zone("America/New_York");
    let winter = datetime!(2026-01-05 09:30);
    assert_eq!(winter.assume_timezone(new_york), OffsetResult::Some(winter.assume_offset(offset!(-5))));
    // the clock goes from 02:00 to 03:00 on 8 March, and from 02:00 to 01:00 on 1 November
    for (skipped, found) in [
        (datetime!(2026-03-08 02:00), false),
        (datetime!(2026-03-08 02:59:59), false),
        (datetime!(2026-03-08 03:00), true),
    ] {
        assert_eq!(skipped.assume_timezone(new_york) != OffsetResult::None, found, "{skipped}");
    }
    let twice = datetime!(2026-11-01 01:30);
    let both = OffsetResult::Ambiguous(twice.assume_offset(offset!(-4)), twice.assume_offset(offset!(-5)));
    assert_eq!(twice.assume_timezone(new_york), both);
    let after = datetime!(2026-11-01 02:00);
    assert_eq!(after.assume_timezone(new_york), OffsetResult::Some(after.assume_offset(offset!(-5))));
}

#[test]
fn rules_go_on_after_the_last_written_change() {
    let summer = datetime!(2060-07-01 12:00 UTC).to_timezone(zone("Europe/Berlin"));
    assert_eq!(summer.offset(), offset!(+2));
}

#[test]
fn names_are_those_of_all_gateways() {
    for (name, same) in
        [("Eastern Standard Time", "America/New_York"), ("China Standard Time", "Asia/Shanghai"), ("UTC", "Etc/UTC")]
    {
        let now = datetime!(2026-07-01 12:00 UTC);
        assert_eq!(zone(name).get_offset_utc(&now), zone(same).get_offset_utc(&now), "{name}");
    }
    assert_eq!(zone("US/Eastern").name(), "US/Eastern");
    assert_eq!(get_by_name("Nowhere/At_All"), None);
    assert_eq!(get_by_name(""), None);
    assert!(std::ptr::eq(zone("Asia/Tokyo"), zone("Tokyo Standard Time")), "a zone is made once");
}

#[test]
fn every_name_of_windows_is_a_zone() {
    let names: Vec<_> = include_str!("windows.txt").lines().map(|line| line.split_once('=').unwrap().0).collect();
    assert_eq!(names.len(), 142);
    for name in names {
        assert_eq!(zone(name).name(), windows(name).unwrap());
    }
}

#[test]
fn the_ends_of_time_have_offsets_too() {
    for end in [datetime!(-9999-01-01 00:00 UTC), datetime!(9999-12-31 23:59:59 UTC)] {
        assert_eq!(db::UTC.get_offset_utc(&end).to_utc(), UtcOffset::UTC);
        assert_eq!(end.to_timezone(db::UTC), end);
    }
}

proptest! {
    #[test]
    fn what_a_clock_shows_leads_back_to_the_instant(
        seconds in -4_000_000_000_i64..8_000_000_000,
        name in prop::sample::select(vec!["America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    ) {
        let instant = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let shown = instant.to_timezone(zone(name));
        prop_assert_eq!(shown, instant);
        let clock = time::PrimitiveDateTime::new(shown.date(), shown.time());
        let found = match clock.assume_timezone(zone(name)) {
            OffsetResult::Some(only) => only == instant,
            OffsetResult::Ambiguous(earlier, later) => earlier < later && (earlier == instant || later == instant),
            OffsetResult::None => false,
        };
        prop_assert!(found, "{instant} in {name}");
    }
}
