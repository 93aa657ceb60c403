//! One step through the gateway, again where another try may help.

use std::time::Duration;

use crate::{
    clock,
    gateway::{BarsAnswer, BarsAsk, Class, Gateway, GatewayError, State},
    model::{Bars, DAY, MINUTE, Nanos, Timeframe},
};

/// Tries of one request that fails for a reason that may pass. The pacing rules put 15 s between them.
const TRIES: u32 = 3;
/// Tries of one request that IB refuses for pacing; the pacer pauses longer before each.
const PACING_TRIES: u32 = 5;
/// How long a load that was under way waits for a lost gateway to come back: a nightly restart takes minutes.
const RETURN_TIME_MAX: Duration = Duration::from_mins(30);
/// A lost connection ends a request through no fault of its own; so often in a row it is asked again.
const RETURNS: u32 = 20;
/// A gateway closes the connection when it is asked for far too much (users of stoqey/ib and `ib_insync` report it). So many
/// connections lost over one request look like that.
const CLOSED_OVER_IT: u32 = 2;
/// Bars may reach IB's history late; delayed data by 15 minutes.
pub(super) const LAG: Nanos = 20 * MINUTE;
/// Longest sleep between two looks at the calendar.
const NAP: Duration = Duration::from_secs(10);

/// What a load bears: before it has reached the gateway, the first failure is the answer; then a lost connection is waited
/// for.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// A request has reached the gateway.
    under_way: bool,
    /// Lost connections since the last answer.
    losses: u32,
}

/// What came of a step.
#[derive(Debug)]
pub(super) enum Fetched {
    /// Its answer.
    Answer(BarsAnswer),
    /// The connection is closed whenever it is asked for.
    TooMuch,
}

impl Patience {
    fn bears(&mut self, error: &GatewayError, gateway: &Gateway) -> bool {
        self.under_way |= error.was_sent();
        // a gateway that is there may have forgotten what it was asked
        let there = gateway.status().state == State::Ready;
        self.under_way || there || matches!(error, GatewayError::Resting { .. })
    }
}

/// Asks for one step. Counts what it sends in `requests`.
pub(super) async fn fetch(
    gateway: &Gateway,
    ask: &BarsAsk,
    patience: &mut Patience,
    requests: &mut u64,
) -> Result<Fetched, GatewayError> {
    let (mut tries, mut pacing_tries, mut closed) = (0, 0, 0);
    loop {
        *requests += 1;
        let error = match gateway.bars(ask.clone()).await {
            answer if tries == 0 && is_damaged(&answer) => {
                tries += 1;
                continue;
            }
            Ok(answer) => {
                *patience = Patience { under_way: true, losses: 0 };
                return Ok(Fetched::Answer(answer));
            }
            Err(error) => error,
        };
        *requests -= u64::from(!error.was_sent());
        match error.class() {
            Class::Pacing => pacing_tries += 1,
            Class::Connection if patience.bears(&error, gateway) => {
                match error {
                    GatewayError::Resting { until } => pass(until).await,
                    _ => patience.losses += 1,
                }
                closed += u32::from(matches!(error, GatewayError::Lost));
                wait_for_return(gateway).await.map_err(|()| error.clone())?;
            }
            Class::Transient | Class::Info | Class::Warning => tries += 1,
            Class::Connection | Class::Permanent | Class::NoData | Class::Fatal => return Err(error),
        }
        if tries >= TRIES || pacing_tries >= PACING_TRIES || patience.losses >= RETURNS {
            return Err(error);
        }
        if closed >= CLOSED_OVER_IT {
            return Ok(Fetched::TooMuch);
        }
        tracing::info!(error = crate::error::in_line(&error), tries, pacing_tries, "asking again");
    }
}

/// An answer that cannot be used, or not all of it. It may have been damaged on its way, so it is asked for once more; what is
/// wrong again, is wrong at IB.
pub(super) fn is_damaged(answer: &Result<BarsAnswer, GatewayError>) -> bool {
    answer.as_ref().map_or_else(|error| matches!(error, GatewayError::Protocol(_)), BarsAnswer::is_spoiled)
}

/// Until when an answer with these bars (of its range) tells everything.
pub(super) fn settled_until(bars: &Bars, timeframe: Timeframe, now: Nanos) -> Nanos {
    let seen_until = bars.start.last().map_or(Nanos::MIN, |last| last.saturating_add(timeframe.step()));
    seen_until.max(now - LAG)
}

/// Until when "no data" is a fact: of the newest day it may only mean not yet.
pub(super) fn nothing_until(now: Nanos) -> Nanos {
    now - DAY
}

/// Waits for the end of a quiet time. Its last refusals come while the session still counts as ready, so the state says
/// nothing; and short naps, because a sleeping machine stops the timer but not the calendar.
pub(super) async fn pass(until: i64) {
    while let left @ 1.. = until.saturating_sub(clock::now()) {
        tokio::time::sleep(Duration::from_nanos(left.unsigned_abs()).min(NAP)).await;
    }
}

async fn wait_for_return(gateway: &Gateway) -> Result<(), ()> {
    let mut status = gateway.watch();
    loop {
        let ready = status.wait_for(|status| status.state == State::Ready);
        match tokio::time::timeout(RETURN_TIME_MAX, ready).await {
            Ok(Ok(_)) => return Ok(()),
            // a quiet time ends when it was said to
            Err(_) if gateway.status().state == State::Resting => {}
            _ => return Err(()),
        }
    }
}
