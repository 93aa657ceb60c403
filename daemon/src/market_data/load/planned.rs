//! What a load would ask, without asking anything: from the ledger alone.

use super::{LoadRequest, Mode, scope::Scope};
use crate::{
    clock,
    gateway::Gateway,
    market_data::{MarketDataError, plan::steps, reference::Reference},
    model::{Nanos, SeriesKey, TimeRange},
};

/// What a load would ask.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Of which series.
    pub key: SeriesKey,
    /// What is missing, ascending.
    pub missing: Vec<TimeRange>,
    /// Requests for history that bring it.
    pub requests: u64,
    /// They count among the sixty in ten minutes.
    pub small: bool,
    /// Seconds until the last of them may leave, if nobody else asks.
    pub seconds_at_least: f64,
    /// Bars, if each that can be was traded.
    pub bars_at_most: u64,
    /// The gateway was never asked which contract this is: its hours are taken from our tables.
    pub contract_unknown: bool,
    /// Where the history begins is not known: the load asks first, and may ask for less.
    pub head_unknown: bool,
}

/// Never touches the gateway.
pub(in crate::market_data) async fn planned(
    request: &LoadRequest,
    reference: &Reference,
) -> Result<Planned, MarketDataError> {
    let key = request.key.clone();
    let known = reference.known(&key.symbol).await?;
    let contract = known.as_ref().map(|known| &*known.contract);
    let unbounded = request.start.is_none() && matches!(request.mode, Mode::Backfill | Mode::Full);
    let told = match contract {
        Some(contract) => reference.store.head(contract.id, request.basis.what.name()).await?,
        None => None,
    };
    let scope = Scope { request, reference };
    let missing =
        if request.mode == Mode::Local { Vec::new() } else { scope.missing(contract, told.flatten()).await? };
    let steps = steps(&missing, key.timeframe, request.order(), clock::now());
    let requests = steps.len() as u64;
    Ok(Planned {
        requests,
        small: key.timeframe.is_small(),
        seconds_at_least: seconds(&reference.gateway, requests, key.timeframe.is_small()),
        bars_at_most: bars(&missing, key.timeframe.step()),
        contract_unknown: contract.is_none() && !missing.is_empty(),
        head_unknown: unbounded && told.is_none() && !missing.is_empty(),
        missing,
        key,
    })
}

/// By IB's rules alone: sixty requests for small bars in ten minutes, six for one contract in two seconds.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn seconds(gateway: &Gateway, requests: u64, small: bool) -> f64 {
    let pacing = gateway.status().pacing;
    let burst = requests.saturating_sub(6) as f64 / 3.0;
    if !small {
        return burst;
    }
    let limit = u64::from(pacing.limit.max(1));
    let later = (u64::from(pacing.used) + requests).saturating_sub(1) / limit;
    burst.max(later as f64 * 600.0)
}

fn bars(missing: &[TimeRange], step: Nanos) -> u64 {
    let bars = |range: &TimeRange| u64::try_from((range.end() - range.start() + step - 1) / step).unwrap_or(0);
    missing.iter().map(bars).sum()
}
