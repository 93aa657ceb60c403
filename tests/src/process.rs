//! A child process that never outlives its test.

use std::{
    fs,
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// Stops a process in its tracks, whoever its parent is.
pub fn freeze(process: Pid) -> Result<()> {
    kill_process(process, Signal::STOP)?;
    all_are(process, "stopped", |states| !states.is_empty() && states.iter().all(|state| *state == 'T'))
}

/// Kills a process that is nobody's child here.
pub fn kill(process: Pid) -> Result<()> {
    kill_process(process, Signal::KILL)?;
    all_are(process, "gone", |states| states.iter().all(|state| matches!(state, 'Z' | 'X')))
}

/// When a signal is sent, its threads go on until each has met it.
fn all_are(process: Pid, what: &str, are: impl Fn(&[char]) -> bool) -> Result<()> {
    let threads = format!("/proc/{}/task", process.as_raw_pid());
    wait::until_true(&format!("process {} to be {what}", process.as_raw_pid()), wait::LIMIT, || {
        let threads = fs::read_dir(&threads).into_iter().flatten().flatten();
        let states = threads.filter_map(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
            // it follows the name, which stands in parentheses
            stat.rsplit_once(") ")?.1.chars().next()
        });
        Ok(are(&states.collect::<Vec<_>>()))
    })
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts it.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name })
    }

    /// One that was started in another way.
    pub fn of(child: Child, name: String) -> Self {
        Self { child, name }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal. One that has ended already is left alone.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)
                .with_context(|| format!("cannot signal {}", self.name))?;
        }
        Ok(())
    }

    /// Stops it in its tracks: what it holds stays, and nothing answers until it gets `CONT`.
    pub fn freeze(&mut self) -> Result<()> {
        let (name, ended) = (&self.name, self.child.try_wait()?);
        ensure!(ended.is_none(), "{name} has ended already: {ended:?}");
        freeze(Pid::from_child(&self.child))
    }

    /// Waits until it has ended.
    pub fn ended_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        let (name, child) = (&self.name, &mut self.child);
        wait::until(&format!("the end of {name}"), limit, || Ok(child.try_wait()?))
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may have ended by itself; there is nobody to tell in either case
        self.kill().unwrap_or_default();
    }
}
