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
        calendar::may_hold_bars,
        fetch::{is_damaged, nothing_until, settled_until},
        plan::{Order, steps},
    },
    model::{Bars, Nanos, TimeRange},
};

impl Follower {
    /// Brings what was left out before the first bar of a new subscription.
    pub(super) async fn fill_before(&mut self, first: Nanos, contract: &Arc<Contract>) -> Result<(), GatewayError> {
        let Some(hole) = self.assembly.hole_before(first) else { return Ok(()) };
        let filled = self.fill(hole, contract, true).await;
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
        match self.fill(range, contract, false).await {
            Err(error) if error.class() != Class::Connection => {
                tracing::info!(series = %self.key, error = crate::error::in_line(&error), "no history to begin with");
            }
            filled => filled?,
        }
        self.assembly.interrupted();
        Ok(())
    }

    /// History of a range, oldest first. `to_the_end`: bars that history may not have yet are asked for once more (pacing puts
    /// a quarter of a minute in between); then they may be missing.
    async fn fill(&mut self, range: TimeRange, contract: &Arc<Contract>, to_the_end: bool) -> Result<(), GatewayError> {
        let open = may_hold_bars(&[range], &self.key, self.basis.session, Some(contract));
        for step in steps(&open, self.key.timeframe, Order::OldestFirst, clock::now()) {
            let ask = BarsAsk {
                contract: contract.clone(),
                timeframe: self.key.timeframe,
                basis: self.basis,
                end: step.end,
                duration: step.duration,
                from: step.range.start(),
            };
            let mut answer = self.history(&ask).await?;
            let is_whole = |answer: &Option<BarsAnswer>| !to_the_end || self.tells_all(answer.as_ref(), &step.range);
            if !is_whole(&answer) {
                answer = self.history(&ask).await?;
            }
            let whole = is_whole(&answer);
            match answer {
                Some(BarsAnswer::Bars { bars, spoiled }) => {
                    let spoiled = spoiled.into_iter().filter(|start| step.range.contains(*start));
                    self.give_around(&bars.slice(bars.rows_in(&step.range)), spoiled);
                }
                Some(BarsAnswer::NoData) => {}
                None => self.assembly.leave_gap(),
            }
            if !whole {
                self.assembly.leave_gap();
            }
        }
        Ok(())
    }

    /// Whether history is sure to have had all of the range; of one that is refused it will not get more.
    fn tells_all(&self, answer: Option<&BarsAnswer>, range: &TimeRange) -> bool {
        let now = clock::now();
        let until = match answer {
            None => return true,
            Some(BarsAnswer::NoData) => nothing_until(now),
            Some(BarsAnswer::Bars { bars, .. }) => {
                settled_until(&bars.slice(bars.rows_in(range)), self.key.timeframe, now)
            }
        };
        range.end() <= until
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
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            tries += 1;
            match error.class() {
                Class::Permanent | Class::NoData => {
                    let told = crate::error::in_line(&error);
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
