//! `kill -9` at random moments of what changes stored bars on purpose: delete, restore, repair, import, compact.
//!
//! Whenever it comes, the bars are those from before or those from after, never a mixture; what was acknowledged has
//! happened; files are what the ledger says; and a load brings back all that is absent, so nothing was claimed that was not
//! there. `KTRDR_TEST_KILLS=N` makes it a long run, `KTRDR_TEST_SEED=N` repeats one.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, series::Bar};

use crate::support::{SCALE, document, stored};

const SERIES: &str = "AAPL -t 1h";
const LOAD: &str = "data load AAPL -t 1h --start 2024-11-01 --end 2025-01-31";
/// Enough to meet each act a few times.
const KILLS: usize = 15;

/// What is done when the daemon dies.
struct Act {
    name: &'static str,
    /// What has to be done before.
    first: &'static [&'static str],
    line: &'static str,
    /// The kill comes within so many milliseconds: a little longer than the act takes on a busy machine.
    within: u64,
}

const DELETE: &str = "data delete AAPL -t 1h --start 2025-01-01 --yes";
const SPOIL: &str = "data import AAPL_1h.csv";
const ACTS: [Act; 5] = [
    Act { name: "delete", first: &[], line: DELETE, within: 40 },
    Act { name: "restore", first: &[DELETE], line: "data restore AAPL -t 1h --yes", within: 40 },
    Act { name: "import", first: &[], line: SPOIL, within: 60 },
    Act { name: "repair", first: &[SPOIL], line: "data repair AAPL -t 1h --yes", within: 400 },
    Act { name: "compact", first: &[DELETE], line: "data compact --older-than 0 --yes", within: 30 },
];

#[derive(Debug, Default)]
struct Count {
    kills: usize,
    acknowledged: usize,
    before: usize,
    after: usize,
}

fn number(name: &str, otherwise: u64) -> Result<u64> {
    std::env::var(name).map_or(Ok(otherwise), |text| text.parse().with_context(|| format!("{name}={text}")))
}

/// A bar upside down.
fn spoiler(bar: &Bar) -> String {
    let [open, high, low, close, volume] = bar.values;
    format!("timestamp,open,high,low,close,volume\n{},{open},{low},{high},{close},{volume}\n", bar.start)
}

/// Everything is right but for what was done on purpose.
fn sound(home: &Home) -> Result<()> {
    home.ktrdr("data verify -f json")?.ok()?;
    let kept = std::fs::read_dir(home.data().join("kept"))?.count();
    let info = document(home, &format!("data info {SERIES}"))?;
    let replaced = info["series"][0]["replaced"].as_array().context("replaced")?;
    let restorable: usize = replaced.iter().filter_map(|one| one["years"].as_array()).map(Vec::len).sum();
    ensure!(kept <= restorable, "{kept} files are kept, {restorable} can be restored");
    Ok(())
}

#[test]
fn a_kill_leaves_the_bars_from_before_or_those_from_after() -> Result<()> {
    let seed = number("KTRDR_TEST_SEED", 20_261_129)?;
    let mut random = fastrand::Rng::with_seed(seed);
    let sim = GatewaySim::start("--time-scale 60")?;
    let mut daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr(LOAD)?.ok()?;
    let whole = stored(&daemon, SERIES)?;
    daemon.file("AAPL_1h.csv", spoiler(&whole[100]))?;
    let mut counts = BTreeMap::<&str, Count>::new();
    for round in 0..usize::try_from(number("KTRDR_TEST_KILLS", KILLS as u64)?)? {
        let act = &ACTS[round % ACTS.len()];
        for line in act.first {
            daemon.ktrdr(line)?.ok()?;
        }
        let before = stored(&daemon, SERIES)?;
        let after = expected(act.name, &whole, &before);
        let doing = daemon.ktrdr_started(act.line)?;
        // the moment is what is random here; nothing is waited for
        thread::sleep(Duration::from_micros(random.u64(0..act.within * 1000)));
        let killed = daemon.kill_9()?;
        let acknowledged = doing.ended()?.status == 0;
        daemon = killed.start()?;
        let found = stored(&daemon, SERIES)?;
        let what = format!("seed {seed}, round {round}, {}", act.name);
        ensure!(found == before || found == after, "{what}: {} bars, neither before nor after", found.len());
        ensure!(!acknowledged || found == after, "{what}: acknowledged, and not done");
        sound(&daemon).context(what.clone())?;
        let count = counts.entry(act.name).or_default();
        count.kills += 1;
        count.acknowledged += usize::from(acknowledged);
        *(if found == after { &mut count.after } else { &mut count.before }) += 1;

        daemon.ktrdr(&format!("data repair {SERIES} --yes"))?.ok().context(what.clone())?;
        daemon.ktrdr(LOAD)?.ok().context(what.clone())?;
        ensure!(stored(&daemon, SERIES)? == whole, "{what}: a load brings back what is absent");
    }
    println!("{:<8} {:>6} {:>13} {:>7} {:>6}", "", "killed", "acknowledged", "before", "after");
    for (name, count) in &counts {
        let Count { kills, acknowledged, before, after } = count;
        println!("{name:<8} {kills:>6} {acknowledged:>13} {before:>7} {after:>6}");
    }
    drop(daemon.terminate()?);
    sim.report_after_kills()?;
    Ok(())
}

/// What the act leaves when it is done.
fn expected(act: &str, whole: &[Bar], before: &[Bar]) -> Vec<Bar> {
    match act {
        "delete" => whole.iter().filter(|bar| bar.start.as_str() < "2025").cloned().collect(),
        "import" => {
            let mut bars = whole.to_vec();
            bars[100].values.swap(1, 2);
            bars
        }
        "restore" | "repair" => whole.to_vec(),
        _ => before.to_vec(),
    }
}
