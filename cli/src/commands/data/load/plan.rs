//! `data load --plan`: what would be asked.

use ktrdr_proto::v1::{PlanLoadRequest, PlannedLoad, SeriesId};
use serde::Serialize;

use super::Args;
use crate::{
    context::Context,
    failure::{Failure, Stop},
    output::table::{Align, Cell, Table, Tone, thousands},
    time::{Instant, duration},
    views::{housekeeping::RangeView, operation::ErrorView, timeframe},
};

#[derive(Debug, Serialize)]
struct View {
    series: Vec<PlanView>,
    requests: u64,
    seconds_at_least: f64,
}

/// What one load would ask.
#[derive(Debug, Serialize)]
struct PlanView {
    symbol: String,
    timeframe: &'static str,
    missing: Vec<RangeView>,
    requests: u64,
    counts_for_pacing: bool,
    seconds_at_least: f64,
    bars_at_most: u64,
    contract_unknown: bool,
    head_unknown: bool,
    error: Option<ErrorView>,
}

impl From<PlannedLoad> for PlanView {
    fn from(planned: PlannedLoad) -> Self {
        Self {
            timeframe: timeframe(planned.series.as_ref()),
            symbol: planned.series.unwrap_or_default().symbol,
            missing: planned.missing.into_iter().map(RangeView::from).collect(),
            requests: planned.requests,
            counts_for_pacing: planned.small,
            seconds_at_least: planned.seconds_at_least,
            bars_at_most: planned.bars_at_most,
            contract_unknown: planned.contract_unknown,
            head_unknown: planned.head_unknown,
            error: planned.failure.as_ref().map(|failure| ErrorView::from(&Failure::from_wire(failure))),
        }
    }
}

impl PlanView {
    fn remarks(&self) -> String {
        let mut remarks = Vec::new();
        if self.contract_unknown {
            remarks.push("the contract is asked first");
        }
        if self.head_unknown {
            remarks.push("the beginning of the history is asked first");
        }
        if self.requests == 0 && self.error.is_none() {
            remarks.push("nothing is missing");
        }
        remarks.join("; ")
    }
}

pub(super) async fn run(args: &Args, series: Vec<SeriesId>, context: &mut Context, json: bool) -> Result<(), Stop> {
    let client = context.client()?;
    let request = client.request(PlanLoadRequest { load: Some(args.many(series, String::new())) });
    let answer = client.answer(client.market_data().plan_load(request)).await?;
    let series: Vec<PlanView> = answer.series.into_iter().map(PlanView::from).collect();
    let view =
        View { requests: series.iter().map(|one| one.requests).sum(), seconds_at_least: together(&series), series };
    if json {
        return Ok(context.out.document(&view)?);
    }
    context.out.table(&table(&view))?;
    let (requests, least) = (thousands(view.requests), duration(view.seconds_at_least));
    context.talk.say(&format!("{requests} requests in all; by IB's rules they take {least} at least"));
    Ok(())
}

/// Those that count share the sixty in ten minutes; the others go on beside them.
fn together(series: &[PlanView]) -> f64 {
    // a sum of nothing is minus zero, and is shown as such
    let counted = series.iter().filter(|one| one.counts_for_pacing).fold(0.0, |sum, one| sum + one.seconds_at_least);
    let others = series.iter().filter(|one| !one.counts_for_pacing).map(|one| one.seconds_at_least);
    others.fold(counted, f64::max)
}

fn table(view: &View) -> Table {
    let mut table = Table::new([
        ("Series", Align::Left),
        ("Missing from", Align::Left),
        ("To", Align::Left),
        ("Parts", Align::Right),
        ("Bars at most", Align::Right),
        ("Requests", Align::Right),
        ("Time at least", Align::Right),
        ("Remarks", Align::Left),
    ]);
    for one in &view.series {
        let bound = |at: Option<&Instant>| at.map_or_else(|| "–".to_owned(), Instant::to_string);
        let remarks = match &one.error {
            Some(error) => Cell::toned(format!("{} ({})", error.message, error.reason), Tone::Bad),
            None => one.remarks().into(),
        };
        table.row([
            format!("{} {}", one.symbol, one.timeframe).into(),
            bound(one.missing.first().map(|part| &part.start)).into(),
            bound(one.missing.last().map(|part| &part.end)).into(),
            thousands(one.missing.len() as u64).into(),
            thousands(one.bars_at_most).into(),
            thousands(one.requests).into(),
            duration(one.seconds_at_least).into(),
            remarks,
        ]);
    }
    table
}
