//! Going through the steps of a load: the next answer, whatever it takes to have it.

use std::collections::VecDeque;

use super::{
    Load,
    ask::{Asked, Asker},
    telling::telling_waits,
};
use crate::{
    gateway::{BarsAnswer, GatewayError},
    market_data::plan::Step,
    model::TimeRange,
    operations::Context,
};

/// Steps that are left, and how many there are in all.
pub(super) struct Steps {
    left: VecDeque<Step>,
    pub(super) total: usize,
}

/// What came of the next one.
pub(super) enum Next {
    Answer(Step, BarsAnswer),
    Failed(Step, GatewayError),
    /// Told to stop: the step is still left.
    Stopped,
    /// None is left.
    Done,
}

impl Steps {
    /// Tells their number as the progress of the operation, which begins anew.
    pub(super) fn new(steps: Vec<Step>, context: &Context) -> Self {
        context.progress(|progress| {
            (progress.done, progress.total, progress.unit) = (0, steps.len() as u64, "requests".into());
        });
        Self { total: steps.len(), left: steps.into() }
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = TimeRange> {
        self.left.iter().map(|step| step.range)
    }

    /// Several for one.
    fn divide(&mut self, shorter: Vec<Step>, context: &Context) {
        self.total += shorter.len() - 1;
        context.progress(|progress| progress.total = self.total as u64);
        shorter.into_iter().rev().for_each(|step| self.left.push_front(step));
    }
}

impl Load {
    pub(super) async fn next(&mut self, steps: &mut Steps, asker: &mut Asker, context: &Context) -> Next {
        while let Some(step) = steps.left.pop_front() {
            let gateway = self.reference.gateway.clone();
            let answer = telling_waits(&gateway, context, &step.range, self.ask(&step, asker));
            // dropping the request withdraws it at the gateway; what came before is kept
            match context.stop().run_until_cancelled(answer).await {
                None => {
                    steps.left.push_front(step);
                    return Next::Stopped;
                }
                Some(Ok(Asked::Answer(answer))) => return Next::Answer(step, answer),
                Some(Ok(Asked::Shorter(shorter))) => steps.divide(shorter, context),
                Some(Err(error)) => return Next::Failed(step, error),
            }
        }
        Next::Done
    }
}
