//! The gateway and the training hosts, which are restarted in turn.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::SCALE;
use crate::{chaos::world::World, gateway_sim::GatewaySim, sessions::last_session_at, training_sim::TrainingSim};

/// New York's first hour in summer is 08:00 UTC: ten hours from then on are within one session of everything watched.
const MARKET_OPENS: i8 = 9;
const SESSION: Duration = Duration::from_hours(10);
/// A bar of five seconds is not shorter than this.
const SPEED_MAX: u64 = 60;
/// Restarts in a run, about: half of them of the gateway.
const RESTARTS: u32 = 30;
/// A peer that is restarted more often is none.
const BETWEEN_MIN: Duration = Duration::from_secs(3);
const HOST_FLAGS: &str = "--generation e --slots 3 --epoch-ms 200";
const HOSTS: [&str; 2] = ["one", "two"];

/// What the daemon talks to.
pub(super) struct Peers {
    gateway: GatewaySim,
    hosts: Vec<TrainingSim>,
    flags: String,
    speed: u64,
    market_began: Timestamp,
    began: Instant,
    between: Duration,
    seed: u64,
}

/// Restarts are under way.
pub(super) struct Restarting {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<Restarted>>,
}

/// Restarts are over; the peers are at work.
pub(super) struct Restarted {
    /// Since the beginning.
    pub(super) at: Vec<Duration>,
    _peers: Peers,
}

impl Peers {
    pub(super) fn start(prices: &Path, seed: u64, time: Duration) -> Result<Self> {
        let pace = (SESSION.as_secs() / time.as_secs().max(1)).clamp(1, SPEED_MAX);
        let mut flags = format!("--replay {} --time-scale {SCALE} --answer-delay-ms 3000", prices.display());
        write!(flags, " --always-open --market-speed {pace} --seed {seed}")?;
        let market_began = last_session_at(MARKET_OPENS);
        Ok(Self {
            gateway: GatewaySim::start(&format!("{flags} --now {market_began}"))?,
            hosts: HOSTS.iter().map(|_| TrainingSim::start(HOST_FLAGS)).collect::<Result<_>>()?,
            flags,
            speed: pace,
            market_began,
            began: Instant::now(),
            between: (time / RESTARTS).max(BETWEEN_MIN),
            seed,
        })
    }

    pub(super) fn gateway_port(&self) -> u16 {
        self.gateway.port()
    }

    pub(super) fn hosts(&self) -> String {
        let named = HOSTS.iter().zip(&self.hosts).map(|(name, host)| format!("{};slots=3", host.host(name)));
        named.collect::<Vec<_>>().join(",")
    }

    pub(super) fn restart_until_over(self, world: Arc<World>) -> Restarting {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || self.restart(&world, &stopped));
        Restarting { stop, thread }
    }

    /// In turn, with pauses of chance.
    fn restart(mut self, world: &World, stopped: &mpsc::Receiver<()>) -> Result<Restarted> {
        let mut rng = Rng::with_seed(self.seed.wrapping_add(600));
        let mut at = Vec::new();
        loop {
            let pause = self.between.mul_f64(0.5 + rng.f64());
            if stopped.recv_timeout(pause) != Err(mpsc::RecvTimeoutError::Timeout) || world.is_over() {
                return Ok(Restarted { at, _peers: self });
            }
            at.push(self.began.elapsed());
            if at.len() % 2 == 1 {
                self.restart_gateway()?;
            } else {
                let host = rng.usize(..self.hosts.len());
                self.restart_host(host)?;
            }
        }
    }

    /// Its market goes on meanwhile.
    fn restart_gateway(&mut self) -> Result<()> {
        let port = self.gateway.port();
        let passed = SignedDuration::try_from(self.began.elapsed())?.as_millis() * i128::from(self.speed);
        let now = self.market_began + SignedDuration::from_millis(i64::try_from(passed)?);
        // a kernel closes for a process that is killed, as for one that ends
        self.gateway.end()?;
        self.gateway = GatewaySim::start_on(port, &format!("{} --now {now}", self.flags))?;
        Ok(())
    }

    /// It forgets its sessions.
    fn restart_host(&mut self, number: usize) -> Result<()> {
        let port = self.hosts[number].port();
        self.hosts[number].end()?;
        self.hosts[number] = TrainingSim::start_on(port, HOST_FLAGS)?;
        Ok(())
    }
}

impl Restarting {
    pub(super) fn end(self) -> Result<Restarted> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|_| bail!("the thread that restarts peers panicked"))
    }
}
