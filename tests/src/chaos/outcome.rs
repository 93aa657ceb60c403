//! The result of a run.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use super::{Options, recovery, verdict::Verdict, world::World};
use crate::gateway_sim::{LEFT_WITHOUT_A_WORD, Report};

/// A daemon may be so much larger at the end than when it was warm: caches and the allocator's habits, not growth.
const GROWTH_MAX: u64 = 24 << 20;
/// So long after a kill its end may be noticed at the gateway.
const DEATH_NANOS: i64 = 1_000_000_000;

/// Who is killed leaves without a word.
pub(crate) fn is_of_a_death(violation: &Value, killed: &[i64]) -> bool {
    let text = |key: &str| violation[key].as_str().unwrap_or_default();
    let at: Option<jiff::Timestamp> = text("at").parse().ok();
    let at = at.and_then(|at| i64::try_from(at.as_nanosecond()).ok()).unwrap_or(0);
    let after = |killed: &i64| (0..DEATH_NANOS).contains(&(at - killed));
    LEFT_WITHOUT_A_WORD.contains(&text("rule")) && killed.iter().any(after)
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    options: Options,
    faults_by_kind: BTreeMap<String, u64>,
    violations: Vec<String>,
    kills: u64,
    expected: u64,
    stored: u64,
    lost: u64,
    wrong: u64,
    live_told: u64,
    live_wrong: u64,
    pieces: usize,
    pieces_done: usize,
    without_end: Vec<String>,
    lost_examples: Vec<String>,
    surprises: Vec<String>,
    errors: BTreeMap<String, u64>,
    calls: u64,
    cancelled: u64,
    retried: u64,
    recovery: Option<f64>,
    memory: (u64, u64),
}

impl Outcome {
    pub(crate) fn new(
        options: Options,
        world: &World,
        verdict: &Verdict,
        report: &Report,
        memory_start: u64,
        memory_end: u64,
    ) -> Self {
        let document = report.document();
        let faults = document["faults"].as_object().into_iter().flatten();
        let faults =
            faults.filter_map(|(kind, count)| Some((kind.clone(), count.as_u64().filter(|count| *count > 0)?)));
        let tally = world.tally();
        let violations = document["violations"].as_array().into_iter().flatten();
        let violations = violations.filter(|violation| !is_of_a_death(violation, &tally.killed));
        let mut without_end = tally.without_end.clone();
        let open = document["open_requests"].as_u64().unwrap_or(0);
        if open > 0 {
            without_end.push(format!("{open} requests open at the gateway"));
        }
        if tally.done.len() < world.pieces() {
            without_end.push(format!("{} of {} loads are not done", world.pieces() - tally.done.len(), world.pieces()));
        }
        Self {
            options,
            faults_by_kind: faults.collect(),
            violations: violations.map(Value::to_string).collect(),
            kills: world.kills(),
            expected: verdict.expected,
            stored: verdict.stored,
            lost: verdict.lost,
            wrong: verdict.wrong,
            live_told: verdict.live.told,
            live_wrong: verdict.live.wrong,
            pieces: world.pieces(),
            pieces_done: tally.done.len(),
            without_end,
            lost_examples: verdict.examples.clone(),
            surprises: tally.surprises.clone(),
            errors: tally.errors.clone(),
            calls: tally.calls,
            cancelled: tally.cancelled,
            retried: tally.retried,
            recovery: recovery::longest(&document["outages"], &tally.states),
            memory: (memory_start, memory_end),
        }
    }

    /// Faults of all kinds.
    pub fn faults(&self) -> u64 {
        self.faults_by_kind.values().sum()
    }

    /// Everything that must not be, in words; empty when the run is good.
    pub fn complaints(&self) -> Vec<String> {
        let some = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let mut complaints: Vec<String> = [
            some(self.lost, "bars were lost"),
            some(self.wrong, "bars are wrong"),
            some(self.live_wrong, "live bars were not what history says"),
            some(self.expected.saturating_sub(self.stored), "bars are missing"),
            some(self.memory.1.saturating_sub(self.memory.0 + GROWTH_MAX), "bytes of growth too much"),
        ]
        .into_iter()
        .flatten()
        .collect();
        complaints.extend(self.lost_examples.iter().map(|what| format!("lost: {what}")));
        complaints.extend(self.violations.iter().map(|violation| format!("rule broken: {violation}")));
        complaints.extend(self.without_end.iter().map(|what| format!("without an end: {what}")));
        complaints.extend(self.surprises.iter().map(|what| format!("surprise: {what}")));
        complaints
    }

    /// For programs.
    pub fn document(&self) -> Value {
        json!({
            "seed": self.options.seed,
            "seconds": self.options.seconds,
            "faults": self.faults(),
            "fault_kinds": self.faults_by_kind.len(),
            "faults_by_kind": self.faults_by_kind,
            "daemon_kills": self.kills,
            "rules_broken": self.violations.len(),
            "bars_expected": self.expected,
            "bars_stored": self.stored,
            "bars_lost": self.lost,
            "bars_wrong": self.wrong,
            "live_bars": self.live_told,
            "live_bars_wrong": self.live_wrong,
            "requests_without_end": self.without_end.len(),
            "recovery_seconds_max": self.recovery,
            "memory_start_bytes": self.memory.0,
            "memory_end_bytes": self.memory.1,
            "loads": self.pieces_done,
            "calls": self.calls,
            "loads_cancelled": self.cancelled,
            "loads_retried": self.retried,
            "errors_by_reason": self.errors,
            "surprises": self.surprises.len(),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Faults by kind")?;
        for (kind, count) in &self.faults_by_kind {
            writeln!(f, "  {kind:<24} {count:>6}")?;
        }
        writeln!(f, "Errors that clients met, by reason")?;
        for (reason, count) in &self.errors {
            writeln!(f, "  {reason:<24} {count:>6}")?;
        }
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        let rows = [
            ("Faults", format!("{} of {} kinds", self.faults(), self.faults_by_kind.len())),
            ("Daemon killed", format!("{} times", self.kills)),
            ("Calls", self.calls.to_string()),
            (
                "Loads",
                format!(
                    "{} of {}; {} cancelled, {} retried",
                    self.pieces_done, self.pieces, self.cancelled, self.retried
                ),
            ),
            ("Rules broken", self.violations.len().to_string()),
            ("Bars expected", self.expected.to_string()),
            ("Bars stored", self.stored.to_string()),
            ("Bars lost", self.lost.to_string()),
            ("Bars wrong", self.wrong.to_string()),
            ("Live bars told", self.live_told.to_string()),
            ("Live bars wrong", self.live_wrong.to_string()),
            ("Requests without an end", self.without_end.len().to_string()),
            ("Surprises", self.surprises.len().to_string()),
            (
                "Back to serving, at most",
                self.recovery.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.2} s")),
            ),
            ("Memory, warm and at the end", format!("{}, {}", mib(self.memory.0), mib(self.memory.1))),
        ];
        for (name, value) in rows {
            writeln!(f, "{name:<28} {value}")?;
        }
        for complaint in self.complaints().iter().take(40) {
            writeln!(f, "! {complaint}")?;
        }
        write!(f, "Again: cargo chaos --seed {} --seconds {}", self.options.seed, self.options.seconds)
    }
}
