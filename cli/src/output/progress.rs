//! Progress bars: on stderr, on a terminal, gone when done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ktrdr_proto::v1;

use super::{Talk, curves::spark};
use crate::time::duration;

/// Redraws a second; more is flicker, less looks stuck.
const HERTZ: u8 = 8;
const COUNTED: &str = "{bar:28} {pos}/{len} {prefix}  {wide_msg}";
const SHARE: &str = "{bar:28} {percent:>3}%  {wide_msg}";
const UNCOUNTED: &str = "{spinner} {wide_msg}";
const BYTES: &str = "{bar:28} {bytes}/{total_bytes}  {wide_msg}";

/// A bar, or nothing where there is no terminal.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// For an operation; `wanted` is the command's own flag.
    pub(crate) fn of_operation(talk: Talk, wanted: bool) -> Self {
        Self::new(talk, wanted, None, UNCOUNTED)
    }

    /// For bytes that are sent.
    pub(crate) fn of_bytes(talk: Talk, total: u64) -> Self {
        Self::new(talk, true, Some(total), BYTES)
    }

    fn new(talk: Talk, wanted: bool, length: Option<u64>, template: &str) -> Self {
        // Asking for the terminal is a system call, so the flag comes first.
        let shown = wanted && talk.shows_progress();
        Self(shown.then(|| {
            let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(HERTZ));
            bar.with_style(style(template))
        }))
    }

    /// The state of an operation.
    pub(crate) fn show(&self, operation: &v1::Operation) {
        let (Some(bar), Some(progress)) = (&self.0, &operation.progress) else {
            return;
        };
        if progress.total > 0 {
            if bar.length().is_none() {
                bar.set_style(style(if progress.training.is_some() { SHARE } else { COUNTED }));
            }
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_prefix(progress.unit.clone());
        }
        bar.set_message(in_words(progress));
        bar.tick();
    }

    /// More bytes went out, of the file `label`.
    pub(crate) fn sent(&self, bytes: usize, label: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(label.to_owned());
            bar.inc(u64::try_from(bytes).unwrap_or(0));
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// What is being done, on one line.
pub(crate) fn in_words(progress: &v1::Progress) -> String {
    match &progress.training {
        Some(training) => training_message(progress, training),
        None => message(progress),
    }
}

/// Of several things, which of them.
fn message(progress: &v1::Progress) -> String {
    let running = progress.parts.iter().filter(|part| part.state() == v1::OperationState::Running);
    let names: Vec<String> = running.map(|part| part.name.clone()).collect();
    match (progress.message.as_str(), names.is_empty()) {
        (message, true) => message.to_owned(),
        ("", false) => names.join(", "),
        (message, false) => format!("{message}; {}", names.join(", ")),
    }
}

/// A running training on one line: epochs, the loss as it fell, the GPU, what is left.
fn training_message(progress: &v1::Progress, training: &v1::TrainingProgress) -> String {
    let mut parts = vec![progress.message.clone()];
    if training.loss_curve.len() > 1 {
        parts.push(spark(&training.loss_curve, 20));
    }
    let percent = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {:.1} %", value * 100.0));
    parts.extend(percent("accuracy", training.validation_accuracy.or(training.accuracy)));
    if let (Some(used), Some(total)) = (training.gpu_memory_mb, training.gpu_memory_total_mb) {
        parts.push(format!("GPU {:.1} of {:.1} GB", used / 1024.0, total / 1024.0));
    }
    parts.extend(training.seconds_left.map(|seconds| format!("{} left", duration(seconds))));
    parts.join("  ")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [COUNTED, SHARE, UNCOUNTED, BYTES] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
