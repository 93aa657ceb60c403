//! The result of the run: a table for people, a document for programs, and whether it is good.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub(super) seed: u64,
    pub(super) seconds: u64,
    pub(super) faults: u64,
    pub(super) faults_by_kind: BTreeMap<String, u64>,
    pub(super) kills: u64,
    pub(super) service_restarts: u64,
    pub(super) trainings: u64,
    pub(super) starts: u64,
    /// The daemon could not find out, and said so.
    pub(super) unconfirmed: u64,
    /// Of them, those that some service did start.
    pub(super) unconfirmed_and_started: u64,
    pub(super) states: BTreeMap<String, u64>,
    /// More than one session for one request.
    pub(super) doubles: Vec<String>,
    /// Acknowledged, and not in the list.
    pub(super) lost: Vec<String>,
    /// A final state that cannot be true.
    pub(super) wrong: Vec<String>,
}

impl Outcome {
    /// What must not be.
    pub fn complaints(&self) -> Vec<String> {
        let named = |name: &str, all: &[String]| all.iter().map(|one| format!("{name}: {one}")).collect::<Vec<_>>();
        [named("double", &self.doubles), named("lost", &self.lost), named("wrong", &self.wrong)].concat()
    }

    /// For programs.
    pub fn document(&self) -> Value {
        json!({
            "seed": self.seed,
            "seconds": self.seconds,
            "faults": self.faults,
            "fault_kinds": self.faults_by_kind.len(),
            "faults_by_kind": self.faults_by_kind,
            "daemon_kills": self.kills,
            "service_restarts": self.service_restarts,
            "trainings": self.trainings,
            "sessions_started": self.starts,
            "states": self.states,
            "unconfirmed": self.unconfirmed,
            "unconfirmed_and_started": self.unconfirmed_and_started,
            "doubles": self.doubles.len(),
            "lost": self.lost.len(),
            "wrong_states": self.wrong.len(),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, {} s", self.seed, self.seconds)?;
        writeln!(f, "{:>8}  faults of {} kinds", self.faults, self.faults_by_kind.len())?;
        writeln!(f, "{:>8}  times the daemon was killed or stopped", self.kills)?;
        writeln!(f, "{:>8}  times a service forgot its sessions", self.service_restarts)?;
        writeln!(f, "{:>8}  trainings, {} sessions started", self.trainings, self.starts)?;
        for (state, count) in &self.states {
            writeln!(f, "{count:>8}  {state}")?;
        }
        let (unconfirmed, started) = (self.unconfirmed, self.unconfirmed_and_started);
        writeln!(f, "{unconfirmed:>8}  starts that nobody could confirm, of which {started} happened")?;
        writeln!(f, "{:>8}  doubles", self.doubles.len())?;
        writeln!(f, "{:>8}  lost", self.lost.len())?;
        writeln!(f, "{:>8}  wrong final states", self.wrong.len())?;
        writeln!(f, "\nfaults:")?;
        for (kind, count) in &self.faults_by_kind {
            writeln!(f, "{count:>8}  {kind}")?;
        }
        self.complaints().iter().try_for_each(|complaint| writeln!(f, "! {complaint}"))
    }
}
