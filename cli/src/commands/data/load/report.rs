//! What a load brought, also when that was not all.

use ktrdr_proto::{
    spelling::Word as _,
    v1::{LoadMode, LoadRequest, LoadResult, Operation, SeriesId, operation},
};

use crate::{
    context::Context,
    failure::{Failure, Stop},
    follow::Ended,
    output::table::{Align, Cell, Table, Tone, thousands},
    time::duration,
    views::operation::{ErrorView, LoadView, LoadsView, state_cell},
};

pub(super) fn print(context: &mut Context, json: bool, asked: &LoadRequest, ended: &Ended) -> Result<(), Stop> {
    let nothing;
    let result = if let Some(operation::Result::Load(result)) = &ended.operation.result {
        result
    } else {
        nothing = nothing_loaded(asked);
        &nothing
    };
    let mut view = LoadView::of(&ended.operation, result);
    let failure = ended.failure();
    if json {
        view.error = failure.as_ref().map(ErrorView::from);
        view.success = failure.is_none();
        context.out.document(&view)?;
        return failure.map_or(Ok(()), |failure| Err(failure.into()));
    }
    if ended.operation.result.is_some() {
        context.out.table(&table(&ended.operation, &view))?;
        if let Some(why) = why_nothing(asked, result).filter(|_| failure.is_none()) {
            context.talk.say(why);
        }
    }
    failure.map_or(Ok(()), |failure: Failure| Err(failure.into()))
}

/// Why a load that completed brought nothing.
fn why_nothing(asked: &LoadRequest, result: &LoadResult) -> Option<&'static str> {
    if asked.mode() == LoadMode::Local || result.bars_loaded > 0 || result.bars_revised > 0 {
        return None;
    }
    Some(match result.requests_made {
        0 => {
            "Nothing was asked: all of it is stored, or the gateway had nothing when it was asked; --verify asks again"
        }
        _ => "The gateway has nothing that is not stored",
    })
}

/// For a load that ended before it could say what it loads.
fn nothing_loaded(asked: &LoadRequest) -> LoadResult {
    let series = asked.series.clone().unwrap_or_default();
    LoadResult {
        series: Some(SeriesId { symbol: series.symbol.to_uppercase(), ..series }),
        mode: asked.mode().word().to_owned(),
        ..LoadResult::default()
    }
}

/// The result of a load, for people.
pub(crate) fn table(operation: &Operation, view: &LoadView) -> Table {
    let mut table = Table::properties();
    table.property("Symbol", view.symbol.as_str());
    table.property("Timeframe", view.timeframe);
    table.property("Mode", view.mode.as_str());
    table.property("Status", state_cell(operation));
    table.property("Bars loaded", thousands(view.bars_loaded));
    table.property("Bars revised", thousands(view.bars_revised));
    table.property("Bars stored", thousands(view.bars_total));
    table.property("Requests", thousands(view.requests_made));
    table.property_if("Duration", view.execution_time_seconds.map(duration));
    for gap in &view.gaps_left {
        let bound = |instant: Option<crate::time::Instant>| instant.map_or_else(|| "…".to_owned(), |at| at.to_string());
        table.property("Still missing", format!("{} to {}", bound(gap.start), bound(gap.end)));
    }
    table.property("Operation", view.details.operation_id.as_str());
    table
}

/// The results of the loads of one operation, for people.
pub(crate) fn many_table(view: &LoadsView) -> Table {
    let mut table = Table::new([
        ("Series", Align::Left),
        ("Status", Align::Left),
        ("Loaded", Align::Right),
        ("Revised", Align::Right),
        ("Stored", Align::Right),
        ("Requests", Align::Right),
        ("Why", Align::Left),
    ]);
    for one in &view.series {
        let tone = match one.status {
            "completed" => Tone::Good,
            "failed" => Tone::Bad,
            _ => Tone::Busy,
        };
        let why = one.error.as_ref().map(|error| format!("{} ({})", error.message, error.reason));
        table.row([
            format!("{} {}", one.symbol, one.timeframe).into(),
            Cell::toned(one.status, tone),
            thousands(one.bars_loaded).into(),
            thousands(one.bars_revised).into(),
            thousands(one.bars_total).into(),
            thousands(one.requests_made).into(),
            why.unwrap_or_default().into(),
        ]);
    }
    table
}
