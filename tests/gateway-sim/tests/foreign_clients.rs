//! Clients that are not ours, unchanged, against the simulator: `ib_async` and the official Python package.
//!
//! The packages are installed once into the target folder, which needs a network: `KTRDR_TEST_PYTHON=1` asks for it.
//! Later runs find the installation.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test ends where its set-up fails")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use ktrdr_gateway_sim::{Config, Knobs, NEWEST_VERSION, Report, Simulator};
use serde_json::json;

const PACKAGES: [&str; 2] = ["ib_async==2.1.0", "ibapi-stable==10.50.2"];
/// A whole conversation takes a few seconds.
const LIMIT: Duration = Duration::from_mins(2);

/// The interpreter with all packages, or why there is none.
fn python() -> Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> Result<PathBuf, String> {
    let said = |error: std::io::Error| error.to_string();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign-clients");
    std::fs::create_dir_all(&folder).map_err(said)?;
    // Under nextest every test is a process of its own.
    let lock = std::fs::File::create(folder.join("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    let (python, complete) = (folder.join("venv/bin/python"), folder.join("complete"));
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&complete).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    if std::env::var_os("KTRDR_TEST_PYTHON").is_none_or(|value| value != "1") {
        return Err("KTRDR_TEST_PYTHON=1 installs what it needs".to_owned());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    run(Command::new(&python).args(install).args(PACKAGES))?;
    std::fs::write(complete, wanted).map_err(said)?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().last().unwrap_or("it failed without a word").to_owned())
}

/// Price files and, for the scripts, what they must come to.
fn prices(folder: &Path) -> PathBuf {
    let header = "timestamp,open,high,low,close,volume\n";
    let (mut hours, mut days) = (header.to_owned(), header.to_owned());
    let (mut hourly, mut daily) = (Vec::new(), Vec::new());
    for index in 0..6 {
        let hour = 14 + index;
        let open = 201.07 + 0.01 * f64::from(index);
        let figures = [open, open + 1.25, open - 0.33, open + 0.5, f64::from(1000 + index)];
        let cells = figures.map(|figure| figure.to_string()).join(",");
        writeln!(hours, "2025-06-06 {hour}:00:00+00:00,{cells}").unwrap();
        let wire = 1_749_168_000 + hour * 3600;
        let date = format!("2025-06-06T{hour}:00:00+00:00");
        hourly.push(json!({ "date": date, "wire": wire.to_string(), "figures": figures }));
        if index < 2 {
            let day = 5 + index;
            writeln!(days, "2025-06-0{day},{cells}").unwrap();
            let (date, wire) = (format!("2025-06-0{day}"), format!("2025060{day}"));
            daily.push(json!({ "date": date, "wire": wire, "figures": figures }));
        }
    }
    std::fs::write(folder.join("AAPL_1h.csv"), hours).unwrap();
    std::fs::write(folder.join("AAPL_1d.csv"), days).unwrap();
    let expected = folder.join("expected.json");
    std::fs::write(&expected, json!({ "1 hour": hourly, "1 day": daily }).to_string()).unwrap();
    expected
}

/// Lets a script talk to a simulator of this version; what happened, or `None` where there is no Python.
async fn talk(script: &str, server_version: i32, said_version: Option<i32>) -> Option<Report> {
    let python = match tokio::task::spawn_blocking(python).await.unwrap() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: {script}: {why}");
            return None;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let expected = prices(folder.path());
    let knobs = Knobs {
        now: Some("2025-06-06T22:20:30Z".parse().unwrap()),
        market_speed: Some(10.0),
        always_open: true,
        ..Knobs::default()
    };
    let replay = Some(folder.path().to_owned());
    // Slow enough for the window of identical requests, fast enough for streams.
    let config = Config { replay, server_version, time_scale: 20.0, knobs, ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let mut command = Command::new(python);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
    command.arg("-B").arg(path).arg(simulator.address().port().to_string());
    command.args(said_version.map(|version| version.to_string())).arg(expected);
    let talked = tokio::task::spawn_blocking(move || command.output());
    let output = tokio::time::timeout(LIMIT, talked).await.unwrap().unwrap().unwrap();
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}\n{printed}{said}", output.status);
    eprintln!("{printed}");
    let gone = simulator.wait_for(|report| report.open_requests == 0);
    let report = tokio::time::timeout(LIMIT, gone).await.unwrap();
    assert_eq!(report.violations, []);
    assert_eq!(report.received("unknown"), 0);
    Some(report)
}

#[tokio::test]
async fn ib_async_speaks_text() {
    let Some(report) = talk("talk_ib_async.py", NEWEST_VERSION, None).await else {
        return;
    };
    let burst = ["positions", "open_orders", "completed_orders", "account_data", "account_updates_multi", "executions"];
    assert_eq!(burst.map(|kind| report.received(kind)), [1; 6]);
    assert_eq!((report.received("cancel_historical_data"), report.received("cancel_real_time_bars")), (1, 1));
}

#[tokio::test]
async fn the_official_client_speaks_protobuf() {
    let Some(report) = talk("talk_ibapi.py", NEWEST_VERSION, Some(NEWEST_VERSION)).await else {
        return;
    };
    assert_eq!((report.received("cancel_historical_data"), report.received("cancel_real_time_bars")), (1, 1));
}

#[tokio::test]
async fn the_official_client_reads_text_of_every_layout() {
    for version in [157, 163, 165, 175, 178, 185, 193, 195, 200] {
        if talk("talk_ibapi.py", version, Some(version)).await.is_none() {
            return;
        }
    }
}
