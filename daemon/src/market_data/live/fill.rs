//! What a subscription does not bring, from history: bars that closed while there was none, and those before it.

use std::sync::Arc;

use super::{
    HISTORY_MAX,
    follow::{Follower, TRIES, pause},
};
use crate::{
    clock,
    gateway::{BarsAnswer, BarsAsk, Class, Contract, GatewayError},
    market_data::{
        fetch::is_damaged,
        plan::{Order, steps},
    },
    model::{Bars, Nanos, TimeRange},
};

impl Follower {
    /// Brings what was left out before the first bar of a new subscription.
    pub(super) async fn fill_before(&mut self, first: Nanos, contract: &Arc<Contract>) -> Result<(), GatewayError> {
        let Some(hole) = self.assembly.hole_before(first) else { return Ok(()) };
        let filled = self.fill(hole, contract).await;
        if filled.is_err() {
            // asked again with the next subscription
            self.assembly.interrupted();
        }
        filled
    }

    /// The bars of five seconds that were before; their subscription brings none. A person can do without them.
    pub(super) async fn begin_with_history(&mut self, contract: &Arc<Contract>) -> Result<(), GatewayError> {
        let (now, step) = (clock::now(), self.key.timeframe.step());
        let end = now.div_euclid(step) * step;
        let Ok(range) = TimeRange::new(end - Nanos::from(HISTORY_MAX) * step, end) else { return Ok(()) };
        match self.fill(range, contract).await {
            Err(error) if error.class() != Class::Connection => {
                tracing::info!(series = %self.key, error = crate::error::chain(&error).join(": "), "no history to begin with");
            }
            filled => filled?,
        }
        self.assembly.interrupted();
        Ok(())
    }

    /// History of a range, oldest first.
    async fn fill(&mut self, range: TimeRange, contract: &Arc<Contract>) -> Result<(), GatewayError> {
        for step in steps(&[range], self.key.timeframe, Order::OldestFirst, clock::now()) {
            let ask = BarsAsk {
                contract: contract.clone(),
                timeframe: self.key.timeframe,
                basis: self.basis,
                end: step.end,
                duration: step.duration,
            };
            match self.history(&ask).await? {
                Some(BarsAnswer::Bars { bars, spoiled }) => {
                    let spoiled = spoiled.into_iter().filter(|start| step.range.contains(*start));
                    self.give_around(&bars.slice(bars.rows_in(&step.range)), spoiled);
                }
                Some(BarsAnswer::NoData) => {}
                None => self.assembly.leave_gap(),
            }
        }
        Ok(())
    }

    /// Gives bars of history; between them are some that cannot be used.
    fn give_around(&mut self, bars: &Bars, spoiled: impl IntoIterator<Item = Nanos>) {
        let mut from = 0;
        let mut spoiled: Vec<Nanos> = spoiled.into_iter().collect();
        spoiled.sort_unstable();
        for start in spoiled {
            let until = bars.start.partition_point(|other| *other < start);
            let new = self.assembly.history(&bars.slice(from..until));
            self.give(new.iter(), true);
            self.assembly.leave_gap();
            from = until;
        }
        let new = self.assembly.history(&bars.slice(from..bars.len()));
        self.give(new.iter(), true);
    }

    /// One answer; `None` when the gateway refuses to give these bars, now or ever.
    async fn history(&self, ask: &BarsAsk) -> Result<Option<BarsAnswer>, GatewayError> {
        let mut tries = 0;
        loop {
            let error = match self.gateway().bars(ask.clone()).await {
                answer if tries == 0 && is_damaged(&answer) => {
                    tries += 1;
                    continue;
                }
                Ok(BarsAnswer::NoData) if !self.gateway().history_is_up() => GatewayError::HistoryDown,
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            tries += 1;
            match error.class() {
                Class::Permanent | Class::NoData => {
                    let told = crate::error::chain(&error).join(": ");
                    tracing::warn!(series = %self.key, error = told, "a hole in live bars stays");
                    return Ok(None);
                }
                Class::Connection | Class::Fatal => return Err(error),
                _ if tries >= TRIES => return Err(error),
                _ => tokio::time::sleep(pause(tries)).await,
            }
        }
    }
}
