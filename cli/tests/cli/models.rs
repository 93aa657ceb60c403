//! `models …` and `services …`.

use ktrdr_proto::v1::{
    HostPool, HostService, HostServiceState, Model, Operation, OperationState, PlannedHost, Progress, TrainingCurve,
    TrainingPlan, TrainingProgress, TrainingResult, TrainingSeries, operation,
};

use crate::{
    fake::{Fake, Script},
    samples,
};

fn training(state: OperationState) -> Operation {
    let running = TrainingProgress {
        host: "gpu1".to_owned(),
        epoch: 3,
        epochs: 10,
        batch: 7,
        batches: 32,
        loss: Some(0.4213),
        accuracy: Some(0.71),
        loss_curve: vec![0.9, 0.6, 0.4213],
        seconds_left: Some(95.0),
        host_state: "running".to_owned(),
        ..TrainingProgress::default()
    };
    Operation {
        kind: "training".to_owned(),
        subject: "demo EURUSD 1h".to_owned(),
        progress: Some(Progress {
            percent: Some(32.0),
            done: 103,
            total: 320,
            unit: "batches".to_owned(),
            message: "epoch 4 of 10 on gpu1, loss 0.4213".to_owned(),
            training: Some(running),
            ..Progress::default()
        }),
        ..samples::operation(state)
    }
}

fn trained() -> Operation {
    Operation {
        ended_at_ns: Some(samples::FRIDAY + 60_000_000_000),
        result: Some(operation::Result::Training(TrainingResult {
            session_id: samples::ID.to_owned(),
            host: "gpu1".to_owned(),
            metrics: [("test_accuracy".to_owned(), 0.6125)].into(),
            model_path: "gpu1:/srv/models/demo/1h_v3".to_owned(),
            curves: vec![TrainingCurve { name: "train_loss".to_owned(), values: vec![0.9, f64::NAN, 0.4] }],
            epochs: 10,
            notes: Vec::new(),
        })),
        ..training(OperationState::Completed)
    }
}

fn plan() -> TrainingPlan {
    TrainingPlan {
        strategy: "demo".to_owned(),
        symbols: vec!["EURUSD".to_owned()],
        timeframes: vec!["1h".to_owned()],
        start_date: "2024-01-01".to_owned(),
        end_date: String::new(),
        epochs: 10,
        batch_size: 64,
        hosts: vec![
            PlannedHost {
                name: "gpu1".to_owned(),
                url: "http://gpu1:5002".to_owned(),
                version: "E".to_owned(),
                slots: 2,
                free: 1,
                gives_result: true,
                honours_dates: true,
                ..PlannedHost::default()
            },
            PlannedHost {
                name: "gpu2".to_owned(),
                url: "http://gpu2:5002".to_owned(),
                slots: 1,
                free: 1,
                trouble: "it is not reachable".to_owned(),
                ..PlannedHost::default()
            },
        ],
        series: vec![TrainingSeries {
            symbol: "EURUSD".to_owned(),
            timeframe: "1h".to_owned(),
            bars: 2_591,
            ..Default::default()
        }],
        notes: vec!["gpu1 cannot stop a running session: it trains on to its end".to_owned()],
    }
}

fn script() -> Script {
    let operation = vec![training(OperationState::Running), trained()];
    Script { operation, training_plan: plan(), ..Script::default() }
}

#[test]
fn a_training_is_followed_to_its_result() {
    let fake = Fake::start(script());
    fake.file("demo.yaml", b"name: demo\n");
    insta::assert_snapshot!(fake.run("models train demo.yaml").all(), @r#"
    exit 0
    --- stdout
    Property       Value
    ─────────────────────────────────────────────────
    Session        op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    Host           gpu1
    Epochs         10 of 10
    Model          gpu1:/srv/models/demo/1h_v3
    test_accuracy  0.6125
    --- stderr
    note: gpu1 cannot stop a running session: it trains on to its end
    Started operation: op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    "#);
    let document = fake.run("models train demo.yaml -f json").json();
    assert_eq!(document["result"]["metrics"]["test_accuracy"], 0.6125);
    assert_eq!(document["result"]["curves"]["train_loss"][1], serde_json::Value::Null);
    assert_eq!(document["progress"]["training"]["seconds_left"], 95.0);
}

#[test]
fn the_wishes_and_the_file_itself_are_sent() {
    let fake = Fake::start(script());
    fake.file("demo.yaml", b"name: demo\n");
    let flags = "--symbols AAPL,MSFT --timeframes 1h,4h --start-date 2024-01-01 --host gpu1 --label a100 --priority 9";
    let ran = fake.run(&format!("models train demo.yaml {flags} --load-missing --detach"));
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), samples::ID));
    let asked = fake.seen().trainings.pop().unwrap();
    assert_eq!(asked.strategy.unwrap().content, b"name: demo\n");
    assert_eq!((asked.symbols, asked.timeframes), (vec!["AAPL".into(), "MSFT".into()], vec!["1h".into(), "4h".into()]));
    assert_eq!(
        (asked.host.as_str(), asked.labels.len(), asked.priority, asked.load_missing),
        ("gpu1", 1, Some(9), true)
    );
    fake.run("models train demo.yaml EURUSD 1h --data-mode full --detach");
    let asked = fake.seen().trainings.pop().unwrap();
    assert_eq!((asked.symbols, asked.load_missing), (vec!["EURUSD".to_owned()], true));
}

#[test]
fn a_dry_run_says_what_each_host_can_do() {
    let fake = Fake::start(script());
    fake.file("demo.yaml", b"name: demo\n");
    insta::assert_snapshot!(fake.run("models train demo.yaml --dry-run").all(), @r#"
    exit 0
    --- stdout
    Property    Value
    ──────────────────────────────────
    Strategy    demo
    Symbols     EURUSD
    Timeframes  1h
    From        2024-01-01
    Epochs      10
    Batch size  64
    EURUSD 1h   2,591 bars stored here

    Host  State                Speaks  Free slots  Result  Stop  Dates  URL
    ────────────────────────────────────────────────────────────────────────────────────
    gpu1  answers              E              1/2  yes     no    yes    http://gpu1:5002
    gpu2  it is not reachable  -              1/1  -       -     -      http://gpu2:5002
    --- stderr
    note: gpu1 cannot stop a running session: it trains on to its end
    Nothing was started
    "#);
    let document = fake.run("models train demo.yaml --dry-run -f json").json();
    assert_eq!(document["hosts"][1]["trouble"], "it is not reachable");
}

fn models() -> Vec<Model> {
    let one = |id: &str, loss: f64| Model {
        id: id.to_owned(),
        strategy: "demo".to_owned(),
        symbols: vec!["EURUSD".to_owned()],
        timeframes: vec!["1h".to_owned()],
        created_at: "2025-06-06T22:00:00".to_owned(),
        path: format!("/srv/models/{id}"),
        size_bytes: 20_480,
        metrics: [("test_accuracy".to_owned(), 1.0 - loss), ("test_loss".to_owned(), loss)].into(),
        curves: vec![TrainingCurve { name: "train_loss".to_owned(), values: vec![1.0, loss * 1.5, loss] }],
        ..Model::default()
    };
    vec![one("demo/EURUSD_1h_v2", 0.25), one("demo/EURUSD_1h_v1", 0.5)]
}

#[test]
fn models_are_listed_shown_and_compared() {
    let fake = Fake::start(Script { models: models(), ..Script::default() });
    insta::assert_snapshot!(fake.run("models list").all(), @r#"
    exit 0
    --- stdout
    Model              Strategy  Symbols  Timeframes  Created              Accuracy      Size  Where
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    demo/EURUSD_1h_v2  demo      EURUSD   1h          2025-06-06T22:00:00    0.7500  20.0 KiB  /srv/models/demo/EURUSD_1h_v2
    demo/EURUSD_1h_v1  demo      EURUSD   1h          2025-06-06T22:00:00    0.5000  20.0 KiB  /srv/models/demo/EURUSD_1h_v1
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("models show demo/EURUSD_1h_v2").all(), @r#"
    exit 0
    --- stdout
    Property       Value
    ────────────────────────────────────────────
    Model          demo/EURUSD_1h_v2
    Strategy       demo
    Symbols        EURUSD
    Timeframes     1h
    Created        2025-06-06T22:00:00
    Path           /srv/models/demo/EURUSD_1h_v2
    Size           20.0 KiB
    test_accuracy  0.7500
    test_loss      0.2500

    train_loss
        1.0000 ┤••
               ┤  ••••
               ┤      ••••
               ┤          ••••
               ┤              ••••
               ┤                  ••••
               ┤                      ••••
               ┤                          ••••
               ┤                              ••••••••••••••••••••
        0.2500 ┤                                                  ••••••••••
               └────────────────────────────────────────────────────────────
                epochs 1 to 3
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("models compare demo/EURUSD_1h_v2 demo/EURUSD_1h_v1").all(), @r#"
    exit 0
    --- stdout
       Model              Strategy  Symbols  Timeframes  Created
    ────────────────────────────────────────────────────────────────────────
    a  demo/EURUSD_1h_v2  demo      EURUSD   1h          2025-06-06T22:00:00
    b  demo/EURUSD_1h_v1  demo      EURUSD   1h          2025-06-06T22:00:00

    Metric              a       b
    ─────────────────────────────
    test_accuracy  0.7500  0.5000
    test_loss      0.2500  0.5000

    train_loss
        1.0000 ┤**bbb
               ┤  aaa*bbbbbbbbb
               ┤      aaaa     bbbbbbbbbb
               ┤          aaaa           bbbbbbbbbb
               ┤              aaaa                 bbbbbbbbbb
               ┤                  aaaa                       bbbbbbbbbb
               ┤                      aaaa                             bbbbb
               ┤                          aaaa
               ┤                              aaaaaaaaaaaaaaaaaaaa
        0.2500 ┤                                                  aaaaaaaaaa
               └────────────────────────────────────────────────────────────
                epochs 1 to 3
    --- stderr
    "#);
    assert_eq!(fake.run("models list -f json").json()["folder"], "/srv/models");
    assert_eq!(Fake::start(Script::default()).run("models list").stderr, "No models (/srv/models)\n");
}

fn services() -> Vec<HostService> {
    let up = HostService {
        name: "gpu1".to_owned(),
        kind: "training".to_owned(),
        url: "http://gpu1:5002".to_owned(),
        state: HostServiceState::Up.into(),
        since_ns: Some(samples::FRIDAY),
        version: Some("E".to_owned()),
        latency_seconds: Some(0.0021),
        pool: Some(HostPool { size: 4, idle: 1, waiting: 0, opened: 3, reused: 812 }),
        breaker: "closed".to_owned(),
        requests: 815,
        slots: 2,
        sessions: 1,
        about: "1 × CUDA".to_owned(),
        ..HostService::default()
    };
    let down = HostService {
        name: "gpu2".to_owned(),
        state: HostServiceState::Down.into(),
        last_error: Some("GET /health: it is not reachable".to_owned()),
        breaker: "open".to_owned(),
        pool: None,
        version: None,
        latency_seconds: None,
        about: String::new(),
        sessions: 0,
        ..up.clone()
    };
    vec![up, down]
}

#[test]
fn services_are_reported_and_checked() {
    let fake = Fake::start(Script { services: services(), ..Script::default() });
    insta::assert_snapshot!(fake.run("services list").all(), @r#"
    exit 0
    --- stdout
    Name  Kind      State  Speaks  Latency  Sessions  Pool  Opened  Reused  Breaker  About     URL
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────
    gpu1  training  up     E        2.1 ms       1/2   1/4       3     812  closed   1 × CUDA  http://gpu1:5002
    gpu2  training  down   -             -       0/2   0/0       0       0  open     -         http://gpu1:5002
    --- stderr
    "#);
    let checked = fake.run("services check -f json");
    assert_eq!((checked.code, checked.error()["reason"].as_str()), (Some(5), Some("HOST_UNREACHABLE")));
    let document = fake.run("services list -f json").json();
    assert_eq!(
        (&document["services"][0]["latency_ms"], &document["services"][0]["pool"]["reused"]),
        (&2.1.into(), &812.into())
    );
    let all_up = Fake::start(Script { services: services()[..1].to_vec(), ..Script::default() });
    assert_eq!(all_up.run("services check").code, Some(0));
}

#[test]
fn all_that_is_under_way_is_one_table_until_nothing_is() {
    let fake = Fake::start(Script { operations: vec![training(OperationState::Running)], ..Script::default() });
    let mut watching = fake.command("operations watch --all").stdout(std::process::Stdio::piped()).spawn().unwrap();
    fake.wait(|seen| seen.lists.len() > 1);
    watching.kill().unwrap();
    let out = watching.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(text.matches("epoch 4 of 10 on gpu1").count(), 1, "drawn once while nothing changes: {text}");
    assert!(text.contains("████░░░░░░░░  32%") && text.contains(" 1.6m"), "{text}");
    assert_eq!(Fake::start(Script::default()).run("ops watch --all").stderr, "Nothing is under way\n");
}
