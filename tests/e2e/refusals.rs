//! Bad input: a clear error, a stable reason, an exit code, and nothing changed.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, series::content_of};

use crate::support::import;

/// Runs each line, and looks that the data folder stays as it is.
pub(crate) fn refused(daemon: &TestDaemon, cases: &[(&[&str], i32, &str)]) -> Result<()> {
    let before = content_of(&daemon.data())?;
    for (arguments, status, reason) in cases {
        let json = ["--format", "json"];
        let ran = daemon.ktrdr_args(arguments.iter().copied().chain(json))?;
        ran.fails(*status, reason).with_context(|| format!("{arguments:.80?}"))?;
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
    assert_eq!(content_of(&daemon.data())?, before);
    Ok(())
}

#[test]
fn what_is_no_symbol_is_refused_wherever_it_stands() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    import(&daemon, &["AAPL_1d.csv"])?;
    let long = "A".repeat(10_000);
    for symbol in ["../../etc/passwd", "A/B", "A\\B", "A B", " ", "A\nB", "A\u{1b}[2J", "..", "Ünïcode", &long] {
        refused(
            &daemon,
            &[
                (&["data", "load", symbol], 2, "SYMBOL_INVALID"),
                (&["data", "show", symbol], 2, "SYMBOL_INVALID"),
                (&["data", "range", symbol], 2, "SYMBOL_INVALID"),
                (&["data", "export", symbol, "-o", "x.csv"], 2, "SYMBOL_INVALID"),
            ],
        )?;
        let ran = daemon.ktrdr_args(["data", "load", symbol])?;
        let clean = ran.stderr.len() < 1_000 && !ran.stderr.contains('\u{1b}');
        assert!(clean && ran.stdout.is_empty(), "{:.300}", ran.stderr);
    }
    assert!(!daemon.work().join("x.csv").exists());
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.made(), 0, "the gateway hears of none of it");
    Ok(())
}

#[test]
fn what_is_no_timeframe_or_no_range_is_refused() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    import(&daemon, &["AAPL_1d.csv"])?;
    refused(
        &daemon,
        &[
            (&["data", "load", "AAPL", "-t", "7m"], 2, "REQUEST_INVALID"),
            (&["data", "load", "AAPL", "-t", ""], 2, "REQUEST_INVALID"),
            (&["data", "load", "AAPL", "--start", "tomorrow-ish"], 2, "REQUEST_INVALID"),
            (&["data", "load", "AAPL", "--start", "2025-03-01", "--end", "2025-02-01"], 2, "RANGE_INVALID"),
            (&["data", "show", "AAPL", "--start", "2025-03-01", "--end", "2025-02-01"], 2, "RANGE_INVALID"),
            (&["data", "load", "AAPL", "--start", "2199-01-01"], 2, "RANGE_IN_FUTURE"),
            (&["operations", "status", "op_load_nope"], 7, "OPERATION_NOT_FOUND"),
            (&["operations", "cancel", "nope"], 7, "OPERATION_NOT_FOUND"),
            (&["operations", "watch", "nope"], 7, "OPERATION_NOT_FOUND"),
            (&["operations", "retry", "nope"], 7, "OPERATION_NOT_FOUND"),
        ],
    )?;
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.made(), 0, "the gateway hears of none of it");
    Ok(())
}

#[test]
fn what_is_no_price_file_is_refused() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv"])?;
    fs::create_dir(daemon.work().join("FOLDER_1d.csv"))?;
    let binary: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    daemon.file("BIN_1d.csv", binary)?;
    daemon.file("EMPTY_1d.csv", "")?;
    daemon.file("HEADER_1d.csv", "date,open,high,low,close,volume\n")?;
    daemon.file("LACK_1d.csv", "date,open,high,close,volume\n2024-01-02,1,2,1,5\n")?;
    daemon.file("prices.csv", "date,open,high,low,close,volume\n2024-01-02,1,2,1,2,5\n")?;
    daemon.file("ZONE_1h.csv", "timestamp,open,high,low,close,volume\n2024-01-02 09:30:00,1,2,1,2,5\n")?;
    let secret = daemon.file("SECRET_1d.csv", "date,open,high,low,close\n")?;
    let case = |file: &'static str| -> [&'static str; 3] { ["data", "import", file] };
    let mut cases: Vec<([&str; 3], i32, &str)> = vec![
        (case("nowhere_1d.csv"), 2, "FILE_UNREADABLE"),
        (case("FOLDER_1d.csv"), 2, "FILE_UNREADABLE"),
        (case("BIN_1d.csv"), 1, "FILE_NOT_CSV"),
        (case("EMPTY_1d.csv"), 1, "FILE_EMPTY"),
        (case("LACK_1d.csv"), 1, "COLUMN_MISSING"),
        (case("prices.csv"), 2, "FILE_NAME_UNRECOGNISED"),
        (case("ZONE_1h.csv"), 2, "TIME_ZONE_NEEDED"),
    ];
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o000))?;
        cases.push((case("SECRET_1d.csv"), 2, "FILE_UNREADABLE"));
    }
    let cases: Vec<_> = cases.iter().map(|(words, status, reason)| (words.as_slice(), *status, *reason)).collect();
    refused(&daemon, &cases)?;
    assert_eq!(daemon.ktrdr("data import HEADER_1d.csv")?.status, 1, "nothing stored");
    let one = daemon.ktrdr("data list -f json")?.json()?;
    assert_eq!(one["series"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[test]
fn a_line_of_a_gigabyte_is_refused_in_little_memory() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    daemon.ktrdr("data list")?.ok()?;
    let path = daemon.file("LINE_1d.csv", "date,open,high,low,close,volume\n2024-01-02,1")?;
    // the rest is a hole: zeros that take no room on the disk
    fs::File::options().write(true).open(&path)?.set_len(1 << 30)?;
    let before = daemon.status()?.memory_bytes;
    refused(&daemon, &[(&["data", "import", "LINE_1d.csv"], 1, "LINE_TOO_LONG")]).or_else(|_| {
        // a zero byte ends it even sooner
        refused(&daemon, &[(&["data", "import", "LINE_1d.csv"], 1, "FILE_NOT_CSV")])
    })?;
    let grown = daemon.status()?.memory_bytes.saturating_sub(before);
    assert!(grown < 30 << 20, "the daemon grew by {grown} bytes");

    let digits = "1".repeat(200 << 20);
    daemon.file("LINE_1d.csv", format!("date,open,high,low,close,volume\n2024-01-02,{digits}"))?;
    refused(&daemon, &[(&["data", "import", "LINE_1d.csv"], 1, "LINE_TOO_LONG")])?;
    let grown = daemon.status()?.memory_bytes.saturating_sub(before);
    assert!(grown < 30 << 20, "the daemon grew by {grown} bytes");
    Ok(())
}
