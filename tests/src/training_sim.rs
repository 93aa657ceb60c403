//! The real `ktrdr-training-sim`, how it is told what to do, and what it saw.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    http_sim::{HttpSim, Kind},
    programs::Programs,
};

/// A training service.
#[derive(Debug)]
pub struct Training;

/// A simulated training service at work.
pub type TrainingSim = HttpSim<Training>;

impl Kind for Training {
    const NAME: &'static str = "training service";

    fn program(programs: &Programs) -> &Path {
        &programs.training_sim
    }
}

impl TrainingSim {
    /// As a host of the configuration: `NAME=URL`.
    pub fn host(&self, name: &str) -> String {
        format!("{name}={}", self.url())
    }

    /// Forgets its sessions, and is silent for so long.
    pub fn restart(&self, ms: u64) -> Result<()> {
        self.tell("/_sim/restart", &json!({"ms": ms}))
    }

    /// Shows a session as somebody wants it shown.
    pub fn show(&self, id: &str, what: &Value) -> Result<()> {
        self.tell(&format!("/_sim/session/{id}"), what)
    }

    /// From now on.
    pub fn speed(&self, epoch_ms: u64) -> Result<()> {
        self.tell("/_sim/speed", &json!({"epoch_ms": epoch_ms}))
    }

    /// How often a session was really started.
    pub fn starts(&self, id: &str) -> Result<u64> {
        Ok(self.report()?["starts"][id].as_u64().unwrap_or(0))
    }
}
