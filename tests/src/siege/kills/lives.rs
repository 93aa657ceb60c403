//! The daemon's lives: each is ended with SIGKILL at a moment of chance, and the next begins at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use fastrand::Rng;

use crate::{chaos::world::World, home::Home, siege::supervised::Supervised};

/// A life, from its first answer on, is shorter than this, and a third of it on average.
const LIFE_MAX: Duration = Duration::from_millis(1_800);
/// One in so many is killed before it has answered anybody, within the time that a start takes.
const AT_BIRTH_ONE_IN: usize = 6;
const BIRTH: Duration = Duration::from_millis(60);

/// A thread that kills and starts.
pub(super) struct Lives {
    home: Arc<Home>,
    kills: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Lived>>,
}

/// What it was like; the last daemon is at work.
pub(super) struct Lived {
    pub(super) last: Supervised,
    /// From exec to the first answer.
    pub(super) ready: Vec<Duration>,
    pub(super) kills: u64,
    /// Of the kills, those before the first answer.
    pub(super) at_birth: u64,
}

impl Lives {
    pub(super) fn begin(home: Home, world: Arc<World>, seed: u64, rounds: u64) -> Result<Self> {
        let (first, _) = Supervised::start(home)?;
        let (home, kills, over) = (first.home().clone(), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, ended) = (kills.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let lived = live(first, &world, &mut Rng::with_seed(seed ^ 3), rounds, &count);
            ended.store(true, Ordering::Relaxed);
            lived
        });
        Ok(Self { home, kills, over, thread })
    }

    pub(super) fn home(&self) -> Arc<Home> {
        self.home.clone()
    }

    pub(super) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    pub(super) fn are_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(super) fn end(self) -> Result<Lived> {
        self.thread.join().unwrap_or_else(|_| bail!("the thread of the daemon's lives panicked"))
    }
}

fn live(first: Supervised, world: &World, rng: &mut Rng, rounds: u64, count: &AtomicU64) -> Result<Lived> {
    let mut lived = Lived { last: first, ready: Vec::new(), kills: 0, at_birth: 0 };
    while lived.kills < rounds {
        let part = rng.f64();
        std::thread::sleep(LIFE_MAX.mul_f64(part * part));
        world.daemon_dies();
        lived.last.process().kill()?;
        lived.kills += 1;
        while lived.kills < rounds && rng.usize(..AT_BIRTH_ONE_IN) == 0 {
            lived.last.again()?;
            std::thread::sleep(BIRTH.mul_f64(rng.f64()));
            world.daemon_dies_at_birth();
            lived.last.process().kill()?;
            lived.kills += 1;
            lived.at_birth += 1;
        }
        let began = Instant::now();
        lived.last.again()?;
        lived.last.answers()?;
        lived.ready.push(began.elapsed());
        world.daemon_changes();
        count.store(lived.kills, Ordering::Relaxed);
    }
    Ok(lived)
}
