//! `cargo demo`: the tour, as a person would type it, with the real daemon, a simulated gateway and simulated training hosts.
//!
//! Everything lives in a folder of its own, and is gone at the end, also after Ctrl-C or a failure.

use std::{
    fs,
    io::{self, Write as _},
    process::{ExitCode, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use ktrdr_tests::{
    cli::words,
    daemon::{TestDaemon, home_with},
    data_folder,
    gateway_sim::GatewaySim,
    home::Home,
    programs::programs,
    training_sim::TrainingSim,
    wait,
};
use tokio::{
    process::{Child, Command},
    signal::unix::{Signal, SignalKind, signal},
};

/// What is typed, why, and how it ends.
const TOUR: [(&str, &str, i32); 15] = [
    ("Is the gateway there?", "ib status", 0),
    ("A year and a half of real prices, from a file:", "data import GOOGL_1d.csv", 0),
    ("The last of them:", "data show GOOGL --rows 5", 0),
    ("Real prices again, this time from the gateway:", LOAD_HOURS, 0),
    ("Three weeks of minutes take a few requests more:", LOAD_MINUTES, 0),
    ("What is there now:", "data list", 0),
    ("", "data range TSLA -t 1m", 0),
    ("The same load again finds nothing missing, and asks the gateway nothing:", LOAD_MINUTES, 0),
    ("A symbol that nobody knows:", "data load NOSUCH -t 1h", 7),
    ("What would a training on two hosts be?", "models train demo.yaml --dry-run", 0),
    ("Train, on whichever is free:", "models train demo.yaml --host gpu1", 0),
    ("What came of it:", "models list", 0),
    ("What was done:", "operations list", 0),
    ("The same for programs:", "data range NVDA -t 1h --format json", 0),
    ("And the daemon itself:", "daemon status", 0),
];
const LOAD_HOURS: &str = "data load NVDA -t 1h --start 2025-01-01 --end 2025-06-01";
const LOAD_MINUTES: &str = "data load TSLA -t 1m --start 2025-05-05 --end 2025-05-23";

/// Long enough to see the bar move.
const ANSWER_DELAY_MS: u64 = 400;
/// A command that was interrupted tells what it kept.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// What a terminal program wants to know of its terminal.
const OF_TERMINAL: [&str; 5] = ["TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL"];

fn main() -> ExitCode {
    let outcome = tour();
    // stdout or stderr may be what has failed
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "\nthe demo failed: {error:#}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn tour() -> Result<()> {
    let mut interrupts = Interrupts::listen()?;
    say("Building ktrdr, ktrdrd, a simulated gateway and simulated training hosts …")?;
    let built = tokio::task::spawn_blocking(|| programs().map(drop));
    tokio::select! {
        built = built => built??,
        () = interrupts.any() => bail!("interrupted"),
    }
    let sim = GatewaySim::replaying(&format!("--answer-delay-ms {ANSWER_DELAY_MS}"))?;
    let newest = TrainingSim::start("--generation e --epoch-ms 400 --gpu RTX")?;
    let oldest = TrainingSim::start("--generation a --epoch-ms 400")?;
    let mut home = home_with(&sim)?.quiet();
    home.set("KTRDR_TRAINING_HOSTS", format!("{},{}", newest.host("gpu1"), oldest.host("gpu2")));
    for name in OF_TERMINAL {
        if let Ok(value) = std::env::var(name) {
            home.set(name, value);
        }
    }
    fs::copy(data_folder().join("GOOGL_1d.csv"), home.work().join("GOOGL_1d.csv"))?;
    fs::copy(data_folder().join("demo.yaml"), home.work().join("demo.yaml"))?;
    let daemon = TestDaemon::start_in(home)?;
    wait::until_true("the gateway", wait::LIMIT, || Ok(daemon.ktrdr("ib test")?.status == 0))?;
    say(&format!("Daemon, gateway and training hosts run, in {}.\n", daemon.path().display()))?;

    let started = Instant::now();
    for (why, line, expected) in TOUR {
        step(&daemon, &mut interrupts, why, line, expected).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    daemon.terminate()?;
    sim.report()?;
    say(&format!("That was the tour, in {seconds:.1} s. Daemon, gateway, hosts and their folder are gone."))
}

/// One command, on the terminal of the demo.
async fn step(home: &Home, interrupts: &mut Interrupts, why: &str, line: &str, expected: i32) -> Result<()> {
    if !why.is_empty() {
        say(&format!("# {why}"))?;
    }
    say(&format!("$ ktrdr {line}"))?;
    let mut command = Command::from(home.ktrdr_command(words(line))?);
    let started = Instant::now();
    let mut child = command.kill_on_drop(true).spawn()?;
    let status = tokio::select! {
        status = child.wait() => status?,
        () = interrupts.any() => {
            interrupted(&mut child).await;
            bail!("interrupted");
        }
    };
    let took = started.elapsed();
    let code = exit_code(status)?;
    let told = if code == 0 { String::new() } else { format!(", exit code {code}") };
    say(&format!("[{}{told}]\n", in_words(took)))?;
    ensure!(code == expected, "ktrdr {line} ended with {code}, not with {expected}");
    Ok(())
}

fn exit_code(status: ExitStatus) -> Result<i32> {
    status.code().with_context(|| format!("ktrdr ended with {status}"))
}

/// Passes the interrupt on, for one that came from elsewhere than the keyboard, and hears the command out.
async fn interrupted(child: &mut Child) {
    let process = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(process) = process {
        // it may be gone already
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap_or_default();
    }
    drop(tokio::time::timeout(LAST_WORDS, child.wait()).await);
}

fn in_words(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{:.1} ms", took.as_secs_f64() * 1e3)
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

/// A line that is out before anything else writes.
fn say(line: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// Whatever asks for an end.
struct Interrupts([Signal; 3]);

impl Interrupts {
    fn listen() -> Result<Self> {
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn any(&mut self) {
        let Self([interrupt, terminate, hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
