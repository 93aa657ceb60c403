//! Loads of several series as one operation.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use ktrdr_proto::{
    reason,
    v1::{SeriesId, operation},
};

use super::{Args, report::many_table};
use crate::{
    context::Context,
    failure::{Failure, Stop},
    follow::{self, Interrupts, print_started},
    views::operation::{ErrorView, LoadsView},
};

/// One symbol a line. What follows a `#` is a remark.
pub(super) fn symbols_of(file: &Path) -> Result<Vec<String>, Failure> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let text = read.map_err(|error| {
        Failure::new(&reason::FILE_UNREADABLE, format!("cannot read {}", file.display())).caused_by(&error)
    })?;
    let symbols: Vec<String> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .filter_map(|line| line.split('#').next().map(str::trim))
        .filter(|symbol| !symbol.is_empty())
        .map(str::to_owned)
        .collect();
    if symbols.is_empty() {
        return Err(Failure::new(&reason::REQUEST_INVALID, format!("{} names no symbol", file.display())));
    }
    Ok(symbols)
}

pub(super) async fn run(args: &Args, series: Vec<SeriesId>, context: &mut Context, json: bool) -> Result<(), Stop> {
    let client = context.client()?;
    let mut service = client.market_data();
    let mut interrupts = if args.detach { Interrupts::leave() } else { Interrupts::cancel()? };
    let request = client.request(args.many(series, client.request_id()));
    let answer = interrupts.starting(context.talk, client.answer(service.load_many(request))).await?;
    let operation = answer.operation.unwrap_or_default();
    if args.detach {
        return print_started(context, json, &operation);
    }
    let ended = follow::started(&client, context.talk, &operation, interrupts, !args.bar.no_progress).await?;
    let failure = ended.failure();
    let mut view = match &ended.operation.result {
        Some(operation::Result::Loads(result)) => LoadsView::of(&ended.operation, result),
        _ => LoadsView::of(&ended.operation, &ktrdr_proto::v1::LoadsResult::default()),
    };
    if json {
        view.error = failure.as_ref().map(ErrorView::from);
        view.success = failure.is_none();
        context.out.document(&view)?;
    } else if !view.series.is_empty() {
        context.out.table(&many_table(&view))?;
    }
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}
