//! Stored bars as somebody wants to see them: longer ones, some hours, another clock, other formats.

use std::fs;

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, series};

use crate::support::{SCALE, stored};

fn loaded(series: &str, range: &str) -> Result<(GatewaySim, TestDaemon)> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr(&format!("data load {series} {range}"))?.ok()?;
    Ok((sim, daemon))
}

fn shown(home: &Home, line: &str) -> Result<Vec<series::Bar>> {
    series::printed(&home.ktrdr(&format!("data show {line} --all -f csv"))?.ok()?)
}

/// Over a change of clock, a holiday and a short day.
#[test]
fn longer_bars_are_those_that_the_gateway_has() -> Result<()> {
    let range = "--start 2024-10-28 --end 2024-12-06";
    let (sim, daemon) = loaded("AAPL EURUSD -t 5m,15m,1h,1d", range)?;
    for symbol in ["AAPL", "EURUSD"] {
        for to in ["15m", "1h", "1d"] {
            let made = shown(&daemon, &format!("{symbol} -t 5m --resample {to}"))?;
            let told = stored(&daemon, &format!("{symbol} -t {to}"))?;
            // at the edges of what was loaded some are not whole
            let (first, last) = (&made.first().context("a bar")?.start, &made.last().context("a bar")?.start);
            let told: Vec<_> = told.iter().filter(|bar| bar.start >= *first && bar.start <= *last).collect();
            assert!(made.len() + 2 > told.len() && told.len() > 20, "{symbol} {to}: {} of {}", made.len(), told.len());
            for (one, other) in made.iter().zip(told) {
                let near = |at: usize| (one.values[at] - other.values[at]).abs() < 1e-6 || other.values[at].is_nan();
                assert!(one.start == other.start && (0..5).all(near), "{symbol} {to}: {one:?} {other:?}");
            }
        }
    }
    let document = daemon.ktrdr("data show AAPL -t 5m --resample 1h --rows 2 -f json")?.json()?;
    assert_eq!((&document["timeframe"], &document["derived_from"]), (&"1h".into(), &"5m".into()));
    daemon.ktrdr("data show AAPL -t 1h --resample 5m -f json")?.fails(2, "REQUEST_INVALID")?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn hours_and_clocks_are_those_of_the_exchange() -> Result<()> {
    let (sim, daemon) = loaded("AAPL -t 5m", "--start 2025-03-03 --end 2025-03-14")?;
    let regular = shown(&daemon, "AAPL -t 5m --hours regular --tz exchange")?;
    let times: Vec<&str> = regular.iter().filter_map(|bar| bar.start.get(11..16)).collect();
    assert!(times.len() == 10 * 78 && times.iter().all(|time| ("09:30".."16:00").contains(time)), "{}", times.len());
    // the clock was set forward on the 9th
    assert!(regular.first().is_some_and(|bar| bar.start.ends_with("-05:00")));
    assert!(regular.last().is_some_and(|bar| bar.start.ends_with("-04:00")));
    let extended = shown(&daemon, "AAPL -t 5m --hours extended")?;
    assert_eq!(regular.len() + extended.len(), stored(&daemon, "AAPL -t 5m")?.len());
    let tail = series::printed(&daemon.ktrdr("data show AAPL -t 5m --hours regular --tail 3 -f csv")?.ok()?)?;
    let last: Vec<_> = shown(&daemon, "AAPL -t 5m --hours regular")?.into_iter().rev().take(3).rev().collect();
    assert_eq!(tail, last);
    daemon.ktrdr("data show AAPL -t 5m --tz Mars/Olympus -f json")?.fails(2, "REQUEST_INVALID")?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn exports_are_whole_files_of_their_kind() -> Result<()> {
    let (sim, daemon) = loaded("AAPL -t 1h", "--start 2024-11-01 --end 2025-01-31")?;
    let bars = stored(&daemon, "AAPL -t 1h")?;
    let target = |name: &str| daemon.work().join(name);
    let export = |flags: &str, name: &str| -> Result<Vec<u8>> {
        daemon.ktrdr(&format!("data export AAPL -t 1h {flags} {}", target(name).display()))?.ok()?;
        Ok(fs::read(target(name))?)
    };
    let parquet = export("-f parquet -o", "bars.parquet")?;
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let arrow = export("-f arrow -o", "bars.arrow")?;
    assert!(arrow.starts_with(b"ARROW1") && arrow.ends_with(b"ARROW1"));
    let refused = daemon.ktrdr("data show AAPL -t 1h -f arrow --columns close")?;
    assert!(refused.status == 2 && refused.stderr.contains("all columns"), "{refused:?}");
    let lines = String::from_utf8(export("-f jsonl -o", "bars.jsonl")?)?;
    let rows: Vec<serde_json::Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(rows.len(), bars.len());
    assert_eq!(rows[7]["timestamp"], bars[7].start.as_str());
    let svg = String::from_utf8(export("--hours regular --chart", "bars.svg")?)?;
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.matches("<rect").count() > 300);
    assert!(export("--chart", "bars.png")?.starts_with(b"\x89PNG"));
    let refused = daemon.ktrdr(&format!("data export AAPL -t 1h --chart {} -f json", target("bars.gif").display()))?;
    refused.fails(2, "REQUEST_INVALID")?;
    assert!(!target("bars.gif").exists());
    let drawn = daemon.ktrdr("data show AAPL -t 1h --chart")?.ok()?;
    assert!(drawn.lines().count() > 24 && drawn.contains('┃'), "{drawn}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
