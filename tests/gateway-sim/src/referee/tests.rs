//! Every rule, on both sides of its limit.

use super::*;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What a referee at real time makes of events at these milliseconds.
fn judged(events: impl IntoIterator<Item = (u64, Event)>) -> Vec<&'static str> {
    let mut referee = Referee::new(1.0);
    for (at, event) in events {
        referee.observe(ms(at), event);
    }
    referee.findings().iter().map(|finding| finding.rule).collect()
}

fn opened(connection: u64, at: u64) -> (u64, Event) {
    (at, Event::Opened { connection, open_now: 1, arrived: ms(at) })
}

fn closed(connection: u64, at: u64, ending: Ending) -> (u64, Event) {
    (at, Event::Closed { connection, ending })
}

fn told(connection: u64, at: u64, telling: Telling) -> (u64, Event) {
    (at, Event::Told { connection, telling })
}

/// A client that may ask.
fn synchronised(connection: u64, at: u64) -> [(u64, Event); 3] {
    [opened(connection, at), told(connection, at, Telling::NextValidId), told(connection, at, Telling::ManagedAccounts)]
}

fn asked(at: u64, request: &'static str) -> (u64, Event) {
    (at, Event::Asked { connection: 1, request, upstream: request == "historical_data" })
}

/// After the start of client 1.
fn after_start(events: impl IntoIterator<Item = (u64, Event)>) -> Vec<&'static str> {
    judged(synchronised(1, 0).into_iter().chain(events))
}

fn bars(series: &str, request: &str, weight: u32, small: bool) -> Event {
    let request = BarsRequest { series: series.to_owned(), request: request.to_owned(), weight, small };
    Event::Bars { connection: 1, request }
}

/// Rules broken by different small-bar requests at these milliseconds, each of a series of its own if `spread`.
fn paced(times: impl IntoIterator<Item = u64>, spread: bool, weight: u32) -> Vec<&'static str> {
    let request = |(index, at): (usize, u64)| {
        let series = if spread { format!("series {index}") } else { "one".to_owned() };
        (at, bars(&series, &index.to_string(), weight, true))
    };
    judged(times.into_iter().enumerate().map(request))
}

const NONE: [&str; 0] = [];

#[test]
fn identical_requests_need_fifteen_seconds() {
    let same = |at| (at, bars("s", "same", 1, true));
    assert_eq!(judged([same(0), same(14_996), same(30_000)]), NONE, "within the tolerance");
    assert_eq!(judged([same(0), same(14_994)]), ["identical_within_15s"]);
}

#[test]
fn bursts_and_totals() {
    assert_eq!(paced((0..5).map(|n| n * 100), false, 1), NONE);
    assert_eq!(paced((0..6).map(|n| n * 100), false, 1), ["six_in_2s"]);
    assert_eq!(paced((0..3).map(|n| n * 100), false, 2), ["six_in_2s"]);
    assert_eq!(paced((0..6).map(|n| n * 400), false, 1), NONE);
    assert_eq!(paced((0..60).map(|n| n * 100), true, 1), NONE);
    assert_eq!(paced((0..61).map(|n| n * 100), true, 1), ["over_60_in_10min"]);
    assert_eq!(paced((0..200).map(|n| n * 10_000), true, 1), NONE);
}

#[test]
fn larger_bars_are_not_paced() {
    let mut referee = Referee::new(1.0);
    for _ in 0..2 {
        referee.observe(ms(0), bars("s", "same", 1, false));
    }
    assert_eq!((referee.findings().len(), referee.pacing().requests), (0, 0));
}

#[test]
fn the_use_of_what_is_allowed_is_measured() {
    let mut referee = Referee::new(1.0);
    for n in 0..100 {
        referee.observe(ms(n * 20_000), bars(&n.to_string(), &n.to_string(), 2, true));
    }
    let figures = referee.pacing();
    assert_eq!((figures.requests, figures.weight, figures.most_in_window), (100, 200, 60));
    assert_eq!((figures.first, figures.last), (Some(ms(0)), Some(ms(1_980_000))));
}

#[test]
fn the_tolerance_grows_with_the_speed_of_time() {
    for (scale, at, expected) in [(60.0, 14_701, 0), (60.0, 14_699, 1), (1.0, 14_701, 1)] {
        let mut referee = Referee::new(scale);
        for at in [0, at] {
            referee.observe(ms(at), bars("s", "same", 1, true));
        }
        assert_eq!(referee.findings().len(), expected, "{at} ms at {scale}");
    }
}

#[test]
fn ids_are_used_once_a_connection() {
    let numbered = |connection| (0, Event::Numbered { connection, id: 7 });
    assert_eq!(judged([numbered(1), numbered(2)]), NONE);
    assert_eq!(judged([numbered(1), numbered(2), numbered(1)]), ["reused_request_id"]);
}

#[test]
fn a_client_waits_until_it_is_synchronised() {
    let request = || asked(20, "historical_data");
    assert_eq!(after_start([request()]), NONE);
    assert_eq!(judged([opened(1, 0), told(1, 0, Telling::NextValidId), request()]), ["request_before_synchronised"]);
    assert_eq!(
        judged([opened(1, 0), told(1, 0, Telling::ManagedAccounts), request()]),
        ["request_before_synchronised"]
    );
}

#[test]
fn nothing_but_heartbeats_and_cancels_while_the_servers_are_lost() {
    let lost = || told(1, 1000, Telling::UpstreamLost);
    assert_eq!(after_start([lost(), asked(1250, "historical_data")]), NONE, "crossed on the way");
    assert_eq!(after_start([lost(), asked(1251, "historical_data")]), ["requests_while_upstream_down"]);
    assert_eq!(after_start([lost(), asked(9000, "current_time"), asked(9000, "cancel_historical_data")]), NONE);
    assert_eq!(after_start([lost(), told(1, 8000, Telling::UpstreamBack), asked(9000, "historical_data")]), NONE);
    let answered = |at| told(1, at, Telling::CurrentTime);
    assert_eq!(after_start([lost(), answered(6000), asked(6001, "historical_data")]), NONE);
    let early = [lost(), answered(5999), asked(6001, "historical_data")];
    assert_eq!(after_start(early), ["requests_while_upstream_down"]);
}

#[test]
fn the_time_is_asked_for_once_a_second() {
    assert_eq!(after_start([asked(0, "current_time"), asked(996, "current_time")]), NONE);
    assert_eq!(after_start([asked(0, "current_time"), asked(1, "current_time_in_millis")]), NONE);
    let twice = [asked(0, "current_time"), asked(994, "current_time")];
    assert_eq!(after_start(twice), ["current_time_within_1s"]);
}

#[test]
fn fifty_messages_a_second_and_fifty_open_requests() {
    let messages = |count: u64, apart: u64| (0..count).map(move |n| (n * apart, Event::Message { connection: n % 3 }));
    assert_eq!(judged(messages(50, 0)), NONE);
    assert_eq!(judged(messages(60, 0)), ["messages_per_second_over_50"], "a burst is one finding");
    assert_eq!(judged(messages(500, 20)), NONE);
    assert_eq!(judged([(0, Event::HistoricalOpened { open_now: 50 })]), NONE);
    assert_eq!(judged([(0, Event::HistoricalOpened { open_now: 51 })]), ["open_historical_over_50"]);
}

#[test]
fn three_client_ids_in_turn_are_enough() {
    let starts = |ids: &[i32]| judged(ids.iter().map(|id| (0, Event::Started { client_id: *id })));
    assert_eq!(starts(&[7, 8, 9, 7, 8, 9, 7]), NONE);
    assert_eq!(starts(&[7, 8, 9, 10]), ["client_id_storm"]);
    assert_eq!(starts(&[7, 0]), ["client_id_zero"]);
}

#[test]
fn attempts_have_a_pause() {
    let failed = |second: u64| judged([opened(1, 0), closed(1, 10, Ending::ByServer), opened(2, second)]);
    assert_eq!(failed(1596), NONE);
    assert_eq!(failed(1594), ["knocking_too_fast"]);
    let session = |ending| judged(synchronised(1, 0).into_iter().chain([closed(1, 10, ending), opened(2, 20)]));
    assert_eq!(session(Ending::ByClient { open_requests: 0 }), NONE, "another client may come at once");
    assert_eq!(session(Ending::ByServer), ["knocking_too_fast"]);
    let at_once = Event::Opened { connection: 2, open_now: 2, arrived: ms(5000) };
    assert_eq!(judged([opened(1, 0), (5000, at_once)]), ["second_connection"]);
}

#[test]
fn a_client_leaves_with_nothing_open_and_between_two_messages() {
    let left = |ending| after_start([closed(1, 10, ending)]);
    assert_eq!(left(Ending::ByClient { open_requests: 0 }), NONE);
    assert_eq!(left(Ending::ByClient { open_requests: 1 }), ["uncancelled_at_disconnect"]);
    assert_eq!(left(Ending::Abrupt), ["abrupt_close"]);
    assert_eq!(left(Ending::ByServer), NONE);
    let disturbed = (5, Event::Disturbed { connection: 1 });
    assert_eq!(after_start([disturbed, closed(1, 10, Ending::Abrupt)]), NONE);
}

#[test]
fn a_client_reads() {
    let unread = |seconds| (0, Event::Unread { connection: 1, waiting: Duration::from_secs(seconds) });
    assert_eq!(after_start([unread(4)]), NONE);
    assert_eq!(after_start([unread(5)]), ["unread_socket"]);
    assert_eq!(after_start([(0, Event::Disturbed { connection: 1 }), unread(60)]), NONE);
}

#[test]
fn what_was_not_read_for_a_while_is_not_judged_by_when_it_is_read() {
    let resumed = |stalled| (40_000, Event::Resumed { connection: 1, stalled: Duration::from_secs(stalled) });
    let same = |at| (at, bars("s", "same", 1, true));
    assert_eq!(after_start([resumed(20), same(40_001), same(40_002)]), NONE);
    assert_eq!(after_start([resumed(20), same(40_001), same(40_300)]), NONE, "the first may be 20 s old");
    assert_eq!(after_start([resumed(10), same(40_001), same(40_300)]), ["identical_within_15s"]);
    assert_eq!(after_start([resumed(20), asked(40_001, "current_time"), asked(40_002, "current_time")]), NONE);
}

#[test]
fn garbage_and_orders_are_findings() {
    let malformed = Event::Malformed { detail: "a frame".to_owned() };
    assert_eq!(judged([(0, malformed), (0, Event::Order { message: 3 })]), ["malformed_frame", "order_message"]);
}
