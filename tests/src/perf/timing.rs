//! Measuring things against each other: interleaved, in random order, and the first rounds not counted.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::figure::Figure;

/// Something that is measured again and again.
pub(super) struct Subject<'a> {
    pub(super) name: String,
    sample: Box<dyn FnMut() -> Result<f64> + 'a>,
    pub(super) samples: Vec<f64>,
}

impl<'a> Subject<'a> {
    /// Seconds, or a rate.
    pub(super) fn new(name: impl Into<String>, sample: impl FnMut() -> Result<f64> + 'a) -> Self {
        Self { name: name.into(), sample: Box::new(sample), samples: Vec::new() }
    }

    /// A whole process, from before it is started until its end.
    pub(super) fn process(name: impl Into<String>, command: impl Fn() -> Result<Command> + 'a) -> Self {
        Self::new(name, move || Ok(timed(command()?)?.as_secs_f64()))
    }

    pub(super) fn to(&self, other: &Self) -> Result<Figure> {
        Figure::ratio(&self.samples, &other.samples)
    }

    pub(super) fn median(&self) -> f64 {
        super::figure::median(self.samples.iter().copied())
    }
}

/// Each once a round.
pub(super) fn interleave(subjects: &mut [Subject<'_>], rounds: usize) -> Result<()> {
    let (mut chance, warm_up) = (fastrand::Rng::with_seed(7), (rounds / 20).max(1));
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for round in 0..rounds + warm_up {
        chance.shuffle(&mut order);
        for at in &order {
            let sample = (subjects[*at].sample)()?;
            // the first rounds fill the caches
            if round >= warm_up {
                subjects[*at].samples.push(sample);
            }
        }
    }
    Ok(())
}

/// A silent command that ends well.
pub(super) fn timed(command: Command) -> Result<Duration> {
    timed_to(command, 0)
}

/// A silent command that ends with this exit code.
pub(super) fn timed_to(mut command: Command, code: i32) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status()?;
    let took = begun.elapsed();
    ensure!(status.code() == Some(code), "{command:?}: {status}");
    Ok(took)
}
