//! The daemon's lives: one after another in the same home, each but the last ended with SIGKILL.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use fastrand::Rng;

use super::world::World;
use crate::{daemon::TestDaemon, home::Home};

/// A life is at least this long, and on average twice as long.
const LIFE_MIN: Duration = Duration::from_secs(3);
/// The last life is this part of the run, so that growth of memory would show.
const LAST_LIFE: u32 = 2;
/// After this a daemon has done everything once, and its memory is compared with what it is at the end.
const WARM: Duration = Duration::from_secs(10);

/// A daemon that is kept alive on a thread of its own.
#[derive(Debug)]
pub(crate) struct Lives {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<Lived>>,
}

/// The last daemon, still at work.
#[derive(Debug)]
pub(crate) struct Lived {
    pub(crate) last: TestDaemon,
    /// Its resident memory when it was warm, bytes.
    pub(crate) memory_start: u64,
}

impl Lives {
    /// Starts the first; kills until the last life must begin.
    pub(crate) fn begin(home: Home, world: Arc<World>, seed: u64, run: Duration) -> Result<Self> {
        let daemon = TestDaemon::start_in(home)?;
        let (stop, stopped) = mpsc::channel();
        let mut rng = Rng::with_seed(seed ^ 2);
        let last_from = Instant::now() + run / LAST_LIFE;
        let thread = std::thread::spawn(move || {
            let mut daemon = daemon;
            loop {
                let life = LIFE_MIN + LIFE_MIN.mul_f64(2.0 * rng.f64());
                let ends = Instant::now() + life;
                if ends > last_from {
                    break;
                }
                if stopped.recv_timeout(life) != Err(mpsc::RecvTimeoutError::Timeout) {
                    break;
                }
                world.daemon_dies();
                daemon = daemon.kill_9()?.start()?;
                world.daemon_changes();
            }
            // an early end of the run is no reason not to look
            stopped.recv_timeout(WARM).ok();
            let memory_start = daemon.status()?.memory_bytes;
            stopped.recv().ok();
            Ok(Lived { last: daemon, memory_start })
        });
        Ok(Self { stop, thread })
    }

    /// The daemon that lives now.
    pub(crate) fn end(self) -> Result<Lived> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|_| bail!("the thread of the daemon's lives panicked"))
    }
}
