//! Pictures of a busy daemon, at several sizes.

use ktrdr_proto::v1::{
    Failure, Farm, GatewayState, GatewayStatus, GetDaemonStatusResponse, HostPool, HostService, HostServiceState,
    LoadResult, Operation, OperationState, PacingStatus, Progress, RequestCounts, SeriesId, SeriesSummary, Timeframe,
    operation,
};
use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::{Color, Modifier},
};

use super::{super::look::Look, *};

/// 2025-06-06T22:00:00Z.
const NOW: i64 = 1_749_247_200_000_000_000;
const SECOND: i64 = 1_000_000_000;

fn operation(id: &str, kind: &str, subject: &str, state: OperationState, age: i64, progress: Progress) -> Operation {
    let created = NOW - age * SECOND;
    Operation {
        id: format!("op_{kind}_01JX3M8Z5A7K2M4P6R8{id}"),
        kind: kind.to_owned(),
        state: state.into(),
        subject: subject.to_owned(),
        progress: Some(progress),
        created_at_ns: created,
        started_at_ns: (state != OperationState::Pending).then_some(created + SECOND),
        ..Operation::default()
    }
}

fn progress(done: u64, total: u64, message: &str) -> Progress {
    let percent = (total > 0).then(|| f64::from(u32::try_from(100 * done / total).unwrap()));
    let unit = "requests".to_owned();
    Progress { percent, done, total, unit, message: message.to_owned(), ..Progress::default() }
}

fn operations() -> Vec<Operation> {
    use OperationState::{Completed, Failed, Pending, Running};
    let mut completed = operation("D00003", "load", "MSFT 1d", Completed, 300, progress(4, 4, ""));
    completed.ended_at_ns = Some(NOW - 250 * SECOND);
    completed.result = Some(operation::Result::Load(LoadResult { bars_loaded: 12_345, ..LoadResult::default() }));
    let mut failed = operation("E00004", "load", "NOSUCH 1d", Failed, 200, Progress::default());
    failed.ended_at_ns = Some(NOW - 199 * SECOND);
    failed.failure = Some(Failure {
        reason: "CONTRACT_NOT_FOUND".to_owned(),
        messages: vec!["IB knows no NOSUCH".to_owned()],
        ..Failure::default()
    });
    vec![
        operation("A00001", "load", "NVDA 1m", Running, 75, progress(30, 60, "waiting for pacing, 4 s")),
        operation("B00002", "training", "demo EURUSD 1h", Running, 3700, progress(3, 10, "epoch 3 of 10")),
        operation("C00005", "load", "AAPL 30s", Pending, 9, Progress::default()),
        completed,
        failed,
    ]
}

fn service(name: &str, state: HostServiceState, breaker: &str) -> HostService {
    HostService {
        name: name.to_owned(),
        kind: "training".to_owned(),
        url: format!("http://{name}:5002"),
        state: state.into(),
        latency_seconds: (state == HostServiceState::Up).then_some(0.0123),
        pool: Some(HostPool { size: 4, idle: 3, waiting: 2, opened: 5, reused: 1234 }),
        breaker: breaker.to_owned(),
        requests: 1239,
        slots: 2,
        sessions: 1,
        last_error: (breaker == "open").then(|| "connection refused".to_owned()),
        last_error_at_ns: (breaker == "open").then_some(NOW - 60 * SECOND),
        ..HostService::default()
    }
}

fn series(symbol: &str, bars: u64) -> SeriesSummary {
    SeriesSummary {
        series: Some(SeriesId { symbol: symbol.to_owned(), timeframe: Timeframe::Minutes1.into() }),
        first_ns: NOW - 86_400 * 90 * SECOND,
        last_ns: NOW - 60 * SECOND,
        bars,
        size_bytes: bars * 11,
        ..SeriesSummary::default()
    }
}

fn look(at_ns: i64) -> Look {
    let pacing = PacingStatus { used: 52, limit: 60, next_slot_seconds: 3.24, ..PacingStatus::default() };
    Look {
        at_ns,
        daemon: GetDaemonStatusResponse {
            version: "0.1.0".to_owned(),
            pid: 4711,
            started_at_ns: NOW - 11_520 * SECOND,
            memory_bytes: 50_000_000,
            ..GetDaemonStatusResponse::default()
        },
        gateway: GatewayStatus {
            state: GatewayState::Ready.into(),
            since_ns: NOW - 7_800 * SECOND,
            next: "serves requests".to_owned(),
            address: "127.0.0.1:4002".to_owned(),
            client_id: Some(1),
            pacing: Some(pacing),
            requests: Some(RequestCounts { open: 3, queued: 12 }),
            ..GatewayStatus::default()
        },
        operations: operations(),
        services: vec![
            service("gpu1", HostServiceState::Up, "closed"),
            service("gpu2", HostServiceState::Down, "open"),
        ],
        series: Some(["NVDA", "AAPL", "MSFT", "GOOGL", "AMZN"].map(|symbol| series(symbol, 40_000)).to_vec()),
    }
}

/// After two looks, ten seconds apart.
fn state() -> State {
    let mut before = look(NOW - 10 * SECOND);
    before.operations[0].progress = Some(progress(25, 60, ""));
    let mut state = State::new(before);
    let mut now = look(NOW);
    now.series.as_mut().unwrap()[0].bars = 41_234;
    state.answered(Ok(now));
    state
}

fn drawn(state: &State, columns: u16, lines: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, lines));
    screen(state, buffer.area, &mut buffer);
    buffer
}

fn shown(state: &State, columns: u16, lines: u16) -> String {
    written(&drawn(state, columns, lines)).join("\n")
}

fn press(state: &mut State, code: KeyCode) {
    state.pressed(KeyEvent::new(code, KeyModifiers::NONE));
}

#[test]
fn a_busy_daemon_on_a_usual_terminal() {
    insta::assert_snapshot!(shown(&state(), 80, 24), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                       22:00:00 UTC
    gateway  ready  for 2h 10m  127.0.0.1:4002  client 1  serves requests
    pacing   █████████████████░░░  52/60  next in 3.2s  requests 3 open, 12 queued
    ─ Operations  2 running, 1 pending ────────────────────────────────── by state ─
    ID      KIND     SUBJECT        STATE     PROGRESS       TIME DOING
    …B00002 training demo EURUSD 1h running   ██░░░░  30%  1h 01m epoch 3 of 10
    …A00001 load     NVDA 1m        running   ███░░░  50%  1m 14s waiting for pacin…
    …C00005 load     AAPL 30s       pending                    9s
    …E00004 load     NOSUCH 1d      failed                     0s IB knows no NOSUCH
    …D00003 load     MSFT 1d        completed                 49s 12,345 new bars
    ─ op_training_01JX3M8Z5A7K2M4P6R8B00002 ────────────────────────────────────────
    training  demo EURUSD 1h  created 2025-06-06 20:58:20  3 of 10 requests
    epoch 3 of 10
    ─ Host services  1 of 2 up ─────────────────────────────────────────────────────
    HOST KIND     STATE  LATENCY POOL IDLE WAITING BREAKER SESSIONS  CALLS ABOUT
    gpu1 training up     12.3 ms    4    3       2 closed       1/2  1,239
    gpu2 training down         -    4    3       2 open         1/2  1,239
    ─ Series  5 stored, 2.1 MiB ──────────────────────────────────────── by change ─
    SERIES              BARS       NEW CHANGED       SIZE LAST BAR
    NVDA 1m           41,234    +1,234      0s  429.7 KiB 2025-06-06 21:59:00
    AAPL 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    AMZN 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    GOOGL 1m          40,000                    429.7 KiB 2025-06-06 21:59:00
    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
}

#[test]
fn a_busy_daemon_on_a_large_terminal() {
    insta::assert_snapshot!(shown(&state(), 160, 30), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                                                                                                       22:00:00 UTC
    gateway  ready  for 2h 10m  127.0.0.1:4002  client 1  serves requests
    pacing   █████████████████░░░  52/60  next in 3.2s  requests 3 open, 12 queued
    ─ Operations  2 running, 1 pending ────────────────────────────────────────────────────────────────────────────────────────────────────────────────── by state ─
    ID                                     KIND      SUBJECT         STATE      PROGRESS                 RATE     TIME  DOING
    op_training_01JX3M8Z5A7K2M4P6R8B00002  training  demo EURUSD 1h  running    █████░░░░░░░░░░░  30%           1h 01m  epoch 3 of 10
    op_load_01JX3M8Z5A7K2M4P6R8A00001      load      NVDA 1m         running    ████████░░░░░░░░  50%  30.0/m   1m 14s  waiting for pacing, 4 s
    op_load_01JX3M8Z5A7K2M4P6R8C00005      load      AAPL 30s        pending                                        9s
    op_load_01JX3M8Z5A7K2M4P6R8E00004      load      NOSUCH 1d       failed                                         0s  IB knows no NOSUCH
    op_load_01JX3M8Z5A7K2M4P6R8D00003      load      MSFT 1d         completed                                     49s  12,345 new bars
    ─ op_training_01JX3M8Z5A7K2M4P6R8B00002 ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    training  demo EURUSD 1h  created 2025-06-06 20:58:20  3 of 10 requests
    epoch 3 of 10
    ─ Host services  1 of 2 up ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    HOST  KIND      STATE   LATENCY  POOL  IDLE  WAITING  BREAKER  SESSIONS   CALLS  ABOUT
    gpu1  training  up      12.3 ms     4     3        2  closed        1/2   1,239
    gpu2  training  down          -     4     3        2  open          1/2   1,239
    ─ Series  5 stored, 2.1 MiB ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────── by change ─
    SERIES               BARS        NEW  CHANGED        SIZE  FIRST BAR            LAST BAR
    NVDA 1m            41,234     +1,234       0s   429.7 KiB  2025-03-08 22:00:00  2025-06-06 21:59:00
    AAPL 1m            40,000                       429.7 KiB  2025-03-08 22:00:00  2025-06-06 21:59:00
    AMZN 1m            40,000                       429.7 KiB  2025-03-08 22:00:00  2025-06-06 21:59:00
    GOOGL 1m           40,000                       429.7 KiB  2025-03-08 22:00:00  2025-06-06 21:59:00
    MSFT 1m            40,000                       429.7 KiB  2025-03-08 22:00:00  2025-06-06 21:59:00





    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
}

#[test]
fn a_small_terminal_shows_what_matters_most() {
    insta::assert_snapshot!(shown(&state(), 40, 10), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pi…
    gateway  ready  for 2h 10m  127.0.0.1:4…
    pacing   █████████████████░░░  52/60  n…
    ─ Operations  2 running, 1 pending ─────
    SUBJECT        STATE     PROGRESS
    demo EURUSD 1h running   ██░░░░  30%
    NVDA 1m        running   ███░░░  50%
    AAPL 30s       pending
    NOSUCH 1d      failed
    q leave  ? keys  ↑↓ select  Tab pane  c…
    ");
    insta::assert_snapshot!(shown(&state(), 12, 3), @r"
    daemon   0.…
    gateway  re…
    q leave  ? …
    ");
}

#[test]
fn no_size_is_too_small() {
    let mut state = state();
    for turn in 0..6 {
        match turn {
            1 | 2 => press(&mut state, KeyCode::Tab),
            3 => press(&mut state, KeyCode::Char('?')),
            4 => state.over = Over::Question(state.look.operations[0].id.clone()),
            5 => state = State::default(),
            _ => {}
        }
        for columns in (0..24).chain((24..180).step_by(13)) {
            for lines in 0..30 {
                drawn(&state, columns, lines);
            }
        }
        text(&state, (0, 0));
    }
}

#[test]
fn the_focus_shows_its_rows_and_their_details() {
    let mut state = state();
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Down);
    insta::assert_snapshot!(shown(&state, 80, 20), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                       22:00:00 UTC
    gateway  ready  for 2h 10m  127.0.0.1:4002  client 1  serves requests
    pacing   █████████████████░░░  52/60  next in 3.2s  requests 3 open, 12 queued
    ─ Operations  2 running, 1 pending ────────────────────────────────── by state ─
    ID      KIND     SUBJECT        STATE     PROGRESS       TIME DOING
    …B00002 training demo EURUSD 1h running   ██░░░░  30%  1h 01m epoch 3 of 10
    …A00001 load     NVDA 1m        running   ███░░░  50%  1m 14s waiting for pacin…
    …C00005 load     AAPL 30s       pending                    9s
    …E00004 load     NOSUCH 1d      failed                     0s IB knows no NOSUCH
    …D00003 load     MSFT 1d        completed                 49s 12,345 new bars
    ─ Host services  1 of 2 up ─────────────────────────────────────────────────────
    HOST KIND     STATE  LATENCY POOL IDLE WAITING BREAKER SESSIONS  CALLS ABOUT
    gpu1 training up     12.3 ms    4    3       2 closed       1/2  1,239
    gpu2 training down         -    4    3       2 open         1/2  1,239
    ─ Series  5 stored, 2.1 MiB ──────────────────────────────────────── by change ─
    SERIES              BARS       NEW CHANGED       SIZE LAST BAR
    NVDA 1m           41,234    +1,234      0s  429.7 KiB 2025-06-06 21:59:00
    AAPL 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    AMZN 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
    press(&mut state, KeyCode::Tab);
    insta::assert_snapshot!(shown(&state, 80, 20), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                       22:00:00 UTC
    gateway  ready  for 2h 10m  127.0.0.1:4002  client 1  serves requests
    pacing   █████████████████░░░  52/60  next in 3.2s  requests 3 open, 12 queued
    ─ Operations  2 running, 1 pending ────────────────────────────────── by state ─
    ID      KIND     SUBJECT        STATE     PROGRESS       TIME DOING
    …B00002 training demo EURUSD 1h running   ██░░░░  30%  1h 01m epoch 3 of 10
    …A00001 load     NVDA 1m        running   ███░░░  50%  1m 14s waiting for pacin…
    …C00005 load     AAPL 30s       pending                    9s
    …E00004 load     NOSUCH 1d      failed                     0s IB knows no NOSUCH
    ─ Host services  1 of 2 up ─────────────────────────────────────────────────────
    HOST KIND     STATE  LATENCY POOL IDLE WAITING BREAKER SESSIONS  CALLS ABOUT
    gpu1 training up     12.3 ms    4    3       2 closed       1/2  1,239
    gpu2 training down         -    4    3       2 open         1/2  1,239
    ─ Series  5 stored, 2.1 MiB ──────────────────────────────────────── by change ─
    SERIES              BARS       NEW CHANGED       SIZE LAST BAR
    NVDA 1m           41,234    +1,234      0s  429.7 KiB 2025-06-06 21:59:00
    AAPL 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    AMZN 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    GOOGL 1m          40,000                    429.7 KiB 2025-06-06 21:59:00
    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
}

#[test]
fn trouble_is_told() {
    let mut state = state();
    state.look.gateway.state = GatewayState::Disconnected.into();
    state.look.gateway.reason = "connection refused".to_owned();
    state.look.gateway.next = "attempt 4 at 22:00:05".to_owned();
    state.look.gateway.farms = vec![Farm { name: "ushmds".to_owned(), up: false }];
    state.look.gateway.pacing = Some(PacingStatus { used: 60, limit: 60, paused_seconds: 42.0, ..Default::default() });
    state.paused = true;
    press(&mut state, KeyCode::Char('G'));
    insta::assert_snapshot!(shown(&state, 100, 16), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                                    paused 22:00:00 UTC
    gateway  disconnected  for 2h 10m  127.0.0.1:4002  client 1
             connection refused; attempt 4 at 22:00:05  farms down: ushmds
    pacing   ████████████████████  60/60  IB refused; nothing for 42.0s  requests 3 open, 12 queued
    ─ Operations  2 running, 1 pending ────────────────────────────────────────────────────── by state ─
    ID       KIND      SUBJECT         STATE      PROGRESS       RATE     TIME  DOING
    …B00002  training  demo EURUSD 1h  running    ██░░░░  30%           1h 01m  epoch 3 of 10
    …A00001  load      NVDA 1m         running    ███░░░  50%  30.0/m   1m 14s  waiting for pacing, 4 s
    …C00005  load      AAPL 30s        pending                              9s
    …E00004  load      NOSUCH 1d       failed                               0s  IB knows no NOSUCH
    …D00003  load      MSFT 1d         completed                           49s  12,345 new bars
    ─ Host services  1 of 2 up ─────────────────────────────────────────────────────────────────────────
    HOST  KIND      STATE   LATENCY  POOL  IDLE  WAITING  BREAKER  SESSIONS   CALLS  ABOUT
    gpu1  training  up      12.3 ms     4     3        2  closed        1/2   1,239
    gpu2  training  down          -     4     3        2  open          1/2   1,239
    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
    let gone = crate::failure::Failure::new(&ktrdr_proto::reason::DAEMON_UNREACHABLE, "no answer")
        .because(["Connection refused (os error 111)".to_owned()]);
    state.answered(Err(gone));
    state.now_ns = NOW + 12 * SECOND;
    assert!(
        shown(&state, 100, 16)
            .starts_with("daemon   0.1.0  no answer for 12s, asking on: Connection refused (os error 111)")
    );
}

#[test]
fn nothing_to_do_is_told_too() {
    let idle = Look { operations: vec![], services: vec![], series: Some(vec![]), ..look(NOW) };
    insta::assert_snapshot!(shown(&State::new(idle), 80, 8), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                       22:00:00 UTC
    gateway  ready  for 2h 10m  127.0.0.1:4002  client 1  serves requests
    pacing   █████████████████░░░  52/60  next in 3.2s  requests 3 open, 12 queued
    ─ Operations  none under way ──────────────────────────────────────── by state ─
    Nothing to show


    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
}

#[test]
fn a_question_and_the_help_lie_over_it() {
    let mut state = state();
    press(&mut state, KeyCode::Char('c'));
    let last = |state: &State| shown(state, 80, 24).lines().last().unwrap_or_default().to_owned();
    insta::assert_snapshot!(last(&state), @"Cancel demo EURUSD 1h?  y/n  op_training_01JX3M8Z5A7K2M4P6R8B00002");
    press(&mut state, KeyCode::Char('y'));
    assert!(shown(&state, 80, 24).contains("stopping"));
    press(&mut state, KeyCode::Char('?'));
    insta::assert_snapshot!(shown(&state, 80, 24), @r"
    daemon   0.1.0  up 3h 12m  47.7 MiB  pid 4711                       22:00:00 UTC
    gateway  ready  for 2h 10m  127.0.0.1:4002  client 1  serves requests
    pacing   █████████████████░░░  52/60  next in 3.2s  requests 3 open, 12 queued
    ─ Operations  2 running, 1 pending ────────────────────────────────── by state ─
    ID      KIND     SUBJECT        STATE     PROGRESS       TIME DOING
    …B00002 t┌ Keys ─────────────────────────────────────────────────────┐of 10
    …A00001 l│ q Esc Ctrl-C   leave                                      │for pacin…
    …C00005 l│ ? h            this help                                  │
    …E00004 l│ Tab Shift-Tab  operations, host services, series          │ no NOSUCH
    …D00003 l│ ↑ ↓ k j        select the row before, the next one        │ew bars
    ─ op_trai│ PgUp PgDn      ten rows up, down                          │──────────
    training │ g Home, G End  the first row, the last one                │s
    epoch 3 o│ c              cancel the selected operation; asks before │
    ─ Host se│ s              another order                              │──────────
    HOST KIND│ e              show or hide what has ended                │ ABOUT
    gpu1 trai│ p              pause, go on                               │
    gpu2 trai│ Ctrl-L Ctrl-Z  draw anew, suspend                         │
    ─ Series └───────────────────────────────────────────────────────────┘y change ─
    SERIES              BARS       NEW CHANGED       SIZE LAST BAR
    NVDA 1m           41,234    +1,234      0s  429.7 KiB 2025-06-06 21:59:00
    AAPL 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    AMZN 1m           40,000                    429.7 KiB 2025-06-06 21:59:00
    GOOGL 1m          40,000                    429.7 KiB 2025-06-06 21:59:00
    q leave  ? keys  ↑↓ select  Tab pane  c cancel  s order  p pause
    ");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let mut state = state();
    let colors = |state: &State| {
        let buffer = drawn(state, 80, 24);
        let mut colors: Vec<Color> = buffer.content.iter().map(|cell| cell.fg).collect();
        colors.sort_by_key(|color| format!("{color:?}"));
        colors.dedup();
        (colors, buffer.content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)))
    };
    assert_eq!(colors(&state), (vec![Color::Reset], true), "the selected row is seen without, too");
    state.colored = true;
    let expected = [Color::Cyan, Color::Green, Color::Red, Color::Reset, Color::Yellow];
    assert_eq!(colors(&state), (expected.to_vec(), true));
}

#[test]
fn one_picture_as_text_has_no_keys() {
    let lines = text(&state(), (80, 24));
    assert!(lines.iter().all(|line| !line.contains("leave") && !line.ends_with(' ')), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("NVDA 1m")));
}

/// What the daemon passes on from others may hold anything.
#[test]
fn hostile_text_stays_in_its_cell() {
    let mut state = state();
    state.look.operations[0].subject = "\x1b[2J\x1b[31m\u{202e}日本語日本語日本語\r\n\t".to_owned();
    state.look.operations[0].progress.as_mut().unwrap().message = "\x07\x1b]0;title\x07".repeat(50);
    let text = shown(&state, 80, 24);
    assert!(text.chars().all(|char| char == '\n' || !char.is_control()), "{text}");
    assert!(text.lines().all(|line| Span::raw(line).width() <= 80), "{text}");
}
