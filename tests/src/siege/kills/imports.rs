//! Clients that import: each file is a series of its own, so it is there as a whole or not at all.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::process::Command;

use crate::{
    chaos::{market::Series, world::World},
    home::Home,
};

/// Between two of a client, on average.
const BETWEEN: Duration = Duration::from_millis(400);

/// What was imported.
#[derive(Debug, Default)]
pub(super) struct Imports {
    tried: Mutex<Vec<(Series, bool)>>,
    next: AtomicUsize,
}

impl Imports {
    /// Those that were acknowledged.
    pub(super) fn count(&self) -> usize {
        self.tried
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|(_, acknowledged)| *acknowledged)
            .count()
    }

    /// All, and whether each was acknowledged.
    pub(super) fn take(&self) -> Vec<(Series, bool)> {
        std::mem::take(&mut *self.tried.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) async fn import_until_over(world: Arc<World>, imports: Arc<Imports>, home: Arc<Home>, number: usize) {
    let mut rng = Rng::with_seed(world.seed ^ (400 + number as u64));
    while !world.is_over() {
        let series = Series::imported(&mut rng, imports.next.fetch_add(1, Ordering::Relaxed));
        match import(&home, &series).await {
            Ok(acknowledged) => {
                imports.tried.lock().unwrap_or_else(PoisonError::into_inner).push((series, acknowledged));
            }
            Err(error) => world.tally().surprises.push(format!("an import could not be tried: {error:#}")),
        }
        tokio::time::sleep(BETWEEN.mul_f64(2.0 * rng.f64())).await;
    }
}

/// By the command line, as people do; whether it said that all is well.
async fn import(home: &Home, series: &Series) -> anyhow::Result<bool> {
    let file = home.file(&series.file(), series.csv()?)?;
    let words = ["data".as_ref(), "import".as_ref(), "-q".as_ref(), file.as_os_str()];
    let output = Command::from(home.ktrdr_command(words)?).kill_on_drop(true).output().await?;
    std::fs::remove_file(file)?;
    Ok(output.status.success())
}
