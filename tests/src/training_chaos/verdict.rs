//! What the daemon says, held against what the services saw.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Outcome, World};
use crate::home::Home;

/// Reasons of a start that certainly did not happen.
const NOT_STARTED: [&str; 4] = ["HOST_REFUSED", "HOST_UNREACHABLE", "HOST_LEFT_ALONE", "POOL_EXHAUSTED"];

/// How one training ended, and whether that can be true.
struct Ended<'a> {
    id: &'a str,
    state: &'a str,
    reason: &'a str,
    host: Option<&'a str>,
    /// Sessions that were really started for it, by service.
    starts: BTreeMap<&'static str, u64>,
    stop_asked: bool,
}

pub(super) fn judge(world: &World, home: &Home, seed: u64, took: Duration) -> Result<Outcome> {
    let mut reports = BTreeMap::new();
    for (name, sim) in &world.sims {
        reports.insert(*name, sim.report()?);
    }
    let mut outcome = Outcome {
        seed,
        seconds: took.as_secs(),
        faults: world.faults.values().sum(),
        faults_by_kind: world.faults.clone(),
        kills: world.kills,
        service_restarts: world.restarts.values().sum(),
        trainings: world.trainings.len() as u64,
        ..Outcome::default()
    };
    for (id, stop_asked) in &world.trainings {
        let told = home.ktrdr(&format!("operations status {id} -f json"))?;
        if told.status != 0 {
            outcome.lost.push(format!("{id}: {}", told.stderr.trim()));
            continue;
        }
        let told = told.json()?;
        let state = told["state"].as_str().context("no state")?;
        *outcome.states.entry(state.to_owned()).or_default() += 1;
        let started = |(name, report): (&&'static str, &Value)| Some((*name, report["starts"][id].as_u64()?));
        let ended = Ended {
            id,
            state,
            reason: told["reason"].as_str().unwrap_or_default(),
            host: told["result"]["host"].as_str(),
            starts: reports.iter().filter_map(started).collect(),
            stop_asked: *stop_asked,
        };
        ended.judge(world, &mut outcome);
    }
    outcome.starts = reports
        .values()
        .filter_map(|report| report["starts"].as_object())
        .flatten()
        .filter_map(|(_, count)| count.as_u64())
        .sum();
    Ok(outcome)
}

impl Ended<'_> {
    fn judge(&self, world: &World, outcome: &mut Outcome) {
        if self.reason == "START_UNCONFIRMED" {
            outcome.unconfirmed += 1;
            outcome.unconfirmed_and_started += u64::from(!self.starts.is_empty());
        }
        let restarted = |name: &str| world.restarts.get(name).copied().unwrap_or(0);
        for (name, count) in &self.starts {
            // a service that forgot the first may be given it again
            if *count > 1 && *count > 1 + restarted(name) {
                outcome.doubles.push(format!("{}: {count} sessions on {name}", self.id));
            }
        }
        let forgetful: u64 = self.starts.keys().map(|name| restarted(name)).sum();
        if self.starts.len() > 1 && forgetful == 0 {
            outcome.doubles.push(format!("{}: sessions on {:?}", self.id, self.starts.keys()));
        }
        if let Some(why) = self.untrue(forgetful) {
            outcome.wrong.push(format!(
                "{} is {} ({}) on {:?}: {why}; started {:?}",
                self.id, self.state, self.reason, self.host, self.starts
            ));
        }
    }

    /// Why its final state cannot be right.
    fn untrue(&self, restarts: u64) -> Option<&'static str> {
        let started = !self.starts.is_empty();
        match (self.state, self.reason) {
            ("completed", _) if !started => Some("no service ever started it"),
            ("cancelled", _) if !self.stop_asked => Some("nobody asked to stop it"),
            ("interrupted", "SESSION_LOST") if restarts == 0 => Some("no service forgot it"),
            ("failed", "START_UNCONFIRMED") | ("completed" | "cancelled", _) | ("interrupted", "SESSION_LOST") => None,
            ("failed", reason) if !NOT_STARTED.contains(&reason) => Some("a reason that no fault has"),
            ("failed", _) if started && restarts == 0 => Some("it was started"),
            ("failed", _) => None,
            _ => Some("it has not ended"),
        }
    }
}
