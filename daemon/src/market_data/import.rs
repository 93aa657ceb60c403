//! The import operation: files that arrived as bytes become bars of their series.
//!
//! What is wrong in a file is counted by kind and line and told; only what cannot be stored is rejected. A file that is
//! refused leaves the others alone.

use ktrdr_proto::reason;

use super::{
    MarketDataError,
    csv::{CsvFile, infer::infer_session},
    keep::{Delivery, Keeper},
    occupancy::{Occupancy, Writer},
    result::{FindingDocument, ImportDocument, ImportedFileDocument, json},
    upload::{Arrived, FileSpec, Upload, last_part},
};
use crate::{
    clock,
    error::Failure,
    model::{Bars, Basis, Coverage, DAY, SeriesKey, Session, Source, TimeRange, Timeframe, WhatToShow},
    operations::{Context, Outcome},
    store::{Checksum, CoverageKind, ImportRow, Store},
};

/// One import at work.
pub(super) struct Import {
    upload: Upload,
    store: Store,
    occupancy: Occupancy,
}

impl Import {
    pub(super) fn new(upload: Upload, store: Store, occupancy: Occupancy) -> Self {
        Self { upload, store, occupancy }
    }

    pub(super) async fn run(self, context: Context) -> Outcome {
        let (total, id) = (self.upload.arrived.len(), context.id());
        context.progress(|progress| (progress.total, progress.unit) = (total as u64, "files".into()));
        let mut document = ImportDocument::default();
        // its share of the memory of all imports is given back at the end
        let mut upload = self.upload;
        for file in std::mem::take(&mut upload.arrived) {
            if context.stop().is_cancelled() {
                return Outcome::stopped(json(&document));
            }
            context.progress(|progress| progress.message = last_part(&file.spec.label));
            let (store, occupancy, id) = (self.store.clone(), self.occupancy.clone(), id.clone());
            let label = file.spec.label.clone();
            let stored = tokio::task::spawn_blocking(move || store_file(&store, &occupancy, &id, file));
            document.files.push(stored.await.unwrap_or_else(|_| ImportedFileDocument {
                label,
                failure: Some(Failure::from(&MarketDataError::Defect)),
                ..ImportedFileDocument::default()
            }));
            context.progress(|progress| progress.done += 1);
        }
        match refusal(&document) {
            None => Outcome::completed(json(&document)),
            Some(failure) => Outcome::failed(Some(json(&document)), failure),
        }
    }
}

/// One file is its own failure; of several, the first is named.
fn refusal(document: &ImportDocument) -> Option<Failure> {
    let failures: Vec<_> = document.files.iter().filter_map(|file| file.failure.as_ref()).collect();
    let mut failure = Failure::clone(failures.first()?);
    if document.files.len() > 1 {
        let message = format!("{} of {} files could not be imported", failures.len(), document.files.len());
        failure.messages.insert(0, message);
    }
    Some(failure)
}

fn store_file(store: &Store, occupancy: &Occupancy, operation: &str, file: Arrived) -> ImportedFileDocument {
    let mut document = ImportedFileDocument {
        label: file.spec.label.clone(),
        series: file.key.as_ref().map(|key| (key.symbol.to_string(), key.timeframe.to_string())),
        ..ImportedFileDocument::default()
    };
    match (file.content, file.key) {
        (Ok(content), Some(key)) => {
            document.rows = content.rows;
            document.unchanged = content.collapsed;
            document.rejected = findings(&content.rejected);
            document.notes = findings(&content.notes);
            let stored = store_bars(store, occupancy, operation, &key, &file.spec, content, &mut document);
            document.failure = stored.err().map(|error| Failure::from(&error));
        }
        (Err(failure), _) => document.failure = Some(failure),
        (Ok(_), None) => {
            document.failure = Some(Failure::new(&reason::FILE_NAME_UNRECOGNISED, "the file names no series"));
        }
    }
    document
}

fn findings(findings: &[super::csv::Finding]) -> Vec<FindingDocument> {
    let one = |finding: &super::csv::Finding| FindingDocument {
        reason: finding.reason.into(),
        count: finding.count,
        lines: finding.lines.clone(),
    };
    findings.iter().map(one).collect()
}

fn store_bars(
    store: &Store,
    occupancy: &Occupancy,
    operation: &str,
    key: &SeriesKey,
    spec: &FileSpec,
    content: CsvFile,
    document: &mut ImportedFileDocument,
) -> Result<(), MarketDataError> {
    // on a thread that may block
    let waiting = occupancy.occupy_unless_busy(key, Writer::import(operation));
    let _occupied = tokio::runtime::Handle::current().block_on(waiting)?;
    let (Some(first), Some(last)) = (content.bars.start.first(), content.bars.start.last()) else {
        return Err(MarketDataError::NothingStored { label: last_part(&spec.label) });
    };
    let basis = basis(store, key, spec, &content.bars)?;
    let range = TimeRange::new(*first, last.saturating_add(1)).map_err(|_| MarketDataError::RangeInvalid)?;
    let mut keeper = Keeper::new(store.clone(), key.clone());
    let report = keeper.keep(Delivery {
        operation: operation.into(),
        basis,
        source: Source::Import,
        assumed: true,
        cover: each_bar(&content.bars, key.timeframe).into_iter().map(|run| (run, CoverageKind::Bars)).collect(),
        evidence: None,
        bars: content.bars,
        range,
        as_of: clock::now(),
        keep_old: None,
        import: Some(ImportRow {
            operation: operation.into(),
            label: spec.label.clone(),
            checksum: Checksum { length: content.length, crc: content.crc },
            rows: content.rows,
            added: 0,
            revised: 0,
            at: clock::now(),
        }),
    })?;
    if let Some(damage) = keeper.damage() {
        return Err(damage.into());
    }
    document.added = report.added;
    document.revised = report.revised;
    document.unchanged += report.unchanged;
    Ok(())
}

/// Said, or that of the stored series, or inferred from the bars. A file that says another than the stored is refused.
fn basis(store: &Store, key: &SeriesKey, spec: &FileSpec, bars: &Bars) -> Result<Basis, MarketDataError> {
    let stored = store.state(key).filter(|state| state.bars() > 0).map(|state| state.basis);
    let inferred = infer_session(bars, &key.symbol, key.timeframe);
    // regular hours may be all that a file of an all-hours series happens to hold
    let session = match (spec.session, stored) {
        (Some(session), _) => session,
        (None, Some(stored)) if inferred == Session::RegularHours || !key.timeframe.is_intraday() => stored.session,
        (None, _) => inferred,
    };
    let what = spec.what.or(stored.map(|stored| stored.what)).unwrap_or(WhatToShow::usual(&key.symbol));
    let asked = Basis { session, what };
    match stored {
        Some(stored) if stored != asked => Err(MarketDataError::SessionMismatch { key: key.clone(), stored, asked }),
        _ => Ok(asked),
    }
}

/// A file proves the bars it holds, not that there are no others: each covers its own interval. The last one does not:
/// it was often still running when the file was written.
fn each_bar(bars: &Bars, timeframe: Timeframe) -> Vec<TimeRange> {
    // the shortest month: a longer one could claim the start of the next bar
    let step = if timeframe == Timeframe::Months1 { 28 * DAY } else { timeframe.step() };
    let all_but_last = bars.start.iter().rev().skip(1).rev();
    let own = all_but_last.filter_map(|start| TimeRange::new(*start, start.saturating_add(step)).ok());
    own.collect::<Coverage>().intervals().to_vec()
}
