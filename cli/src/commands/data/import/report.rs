//! What became of an import.

use ktrdr_proto::{
    reason,
    v1::{ImportResult, operation},
};

use crate::{
    context::Context,
    failure::{Failure, Stop},
    follow::Ended,
    output::table::{Align, Table, thousands},
    views::{
        import::{FileView, ImportView},
        operation::ErrorView,
    },
};

/// Prints the result and decides the exit code.
pub(super) fn print(context: &mut Context, json: bool, strict: bool, ended: &Ended) -> Result<(), Stop> {
    let none = ImportResult::default();
    let result = match &ended.operation.result {
        Some(operation::Result::Import(result)) => result,
        _ => &none,
    };
    let mut view = ImportView::of(&ended.operation, result);
    let rejected: u64 = view.files.iter().map(rejected).sum();
    let refused = view.files.iter().filter(|file| file.error.is_some()).count();
    let flaws = flaws(rejected, refused);
    let failure = ended.failure().or_else(|| {
        let flaws = flaws.as_deref().filter(|_| strict);
        flaws.map(|flaws| Failure::new(&reason::ROWS_REJECTED, flaws))
    });
    if json {
        view.error = failure.as_ref().map(ErrorView::from);
        context.out.document(&view)?;
    } else {
        tables(context, &view)?;
    }
    if let Some(failure) = failure {
        return Err(failure.into());
    }
    if let Some(flaws) = flaws {
        context.talk.say(&format!("{flaws}; everything else is stored"));
    }
    Ok(())
}

fn rejected(file: &FileView) -> u64 {
    file.rejected.iter().map(|finding| finding.count).sum()
}

/// What of the files is not stored.
fn flaws(rows: u64, files: usize) -> Option<String> {
    let rows = (rows > 0).then(|| format!("rejected rows: {}", thousands(rows)));
    let files = (files > 0).then(|| format!("refused files: {files}"));
    let flaws: Vec<_> = rows.into_iter().chain(files).collect();
    (!flaws.is_empty()).then(|| flaws.join(", "))
}

/// One row a file, then one row a kind of finding.
pub(crate) fn tables(context: &mut Context, view: &ImportView) -> Result<(), Stop> {
    if view.files.is_empty() {
        return Ok(());
    }
    context.out.table(&files(view))?;
    let findings = findings(view);
    if let Some(findings) = findings {
        context.out.line("")?;
        context.out.table(&findings)?;
    }
    Ok(())
}

fn files(view: &ImportView) -> Table {
    let numbers = ["Rows", "Added", "Unchanged", "Revised", "Rejected"].map(|title| (title, Align::Right));
    let names = [("File", Align::Left), ("Series", Align::Left)];
    let mut table = Table::new(names.into_iter().chain(numbers));
    for file in &view.files {
        let series = match (&file.symbol, file.timeframe) {
            (Some(symbol), Some(timeframe)) => format!("{symbol} {timeframe}"),
            _ => "-".to_owned(),
        };
        let numbers = [file.rows, file.added, file.unchanged, file.revised, rejected(file)];
        let names = [file.path.as_str().into(), series.into()];
        table.row(names.into_iter().chain(numbers.map(|number| thousands(number).into())));
    }
    table
}

fn findings(view: &ImportView) -> Option<Table> {
    let mut table = Table::new([
        ("File", Align::Left),
        ("Finding", Align::Left),
        ("Reason", Align::Left),
        ("Count", Align::Right),
        ("First lines", Align::Left),
    ]);
    let mut any = false;
    for file in &view.files {
        let kinds = [("rejected", &file.rejected), ("noted", &file.notes)];
        for (kind, finding) in kinds.into_iter().flat_map(|(kind, list)| list.iter().map(move |one| (kind, one))) {
            let lines: Vec<_> = finding.lines.iter().map(u64::to_string).collect();
            let more = if finding.count > finding.lines.len() as u64 { ", …" } else { "" };
            table.row([
                file.path.as_str().into(),
                kind.into(),
                finding.reason.as_str().into(),
                thousands(finding.count).into(),
                format!("{}{more}", lines.join(", ")).into(),
            ]);
            any = true;
        }
        if let Some(error) = &file.error {
            let cells = [file.path.as_str(), "refused", error.reason.as_str(), "", error.message.as_str()];
            table.row(cells.map(Into::into));
            any = true;
        }
    }
    any.then_some(table)
}
