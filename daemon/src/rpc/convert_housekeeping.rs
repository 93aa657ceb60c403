//! Housekeeping on the wire.

use ktrdr_proto::v1 as pb;

use super::{convert, convert_contract};
use crate::{
    market_data::{RepairPlan, RepairStep, Restored, SeriesInfo, SymbolInfo, VerifiedFile},
    store::{KeptRow, RevisionRow},
};

pub(super) fn info(info: &SymbolInfo) -> pb::GetInfoResponse {
    pb::GetInfoResponse {
        symbol: info.symbol.to_string(),
        contract: info.contract.as_ref().map(convert_contract::contract),
        calendar: info.calendar.map(|calendar| calendar.code.to_owned()).unwrap_or_default(),
        series: info.series.iter().map(series).collect(),
    }
}

fn series(info: &SeriesInfo) -> pb::SeriesInfo {
    let coverage = &info.complete;
    let file = |(year, bars, size_bytes, (first_ns, last_ns)): (i16, u64, u64, (i64, i64))| pb::StoredFile {
        year: year.into(),
        bars,
        size_bytes,
        first_ns,
        last_ns,
    };
    pb::SeriesInfo {
        summary: Some(convert::summary(&info.key, &info.state)),
        coverage: coverage.iter().take(convert::RANGES_MAX).map(convert::range_to_wire).collect(),
        coverage_total: coverage.len() as u64,
        files: info.state.files().map(file).collect(),
        revisions: info.revisions.iter().map(revision).collect(),
        replaced: replaced(&info.kept),
    }
}

fn revision(row: &RevisionRow) -> pb::Revision {
    pb::Revision {
        at_ns: row.at,
        operation: row.operation.clone(),
        source: convert::source_to_wire(row.source).into(),
        case: row.kind.clone(),
        bars: row.bars,
        first_ns: row.first,
        last_ns: row.last,
        examples: row.examples.clone(),
    }
}

/// By operation, the latest first.
fn replaced(rows: &[KeptRow]) -> Vec<pb::Replaced> {
    let mut all: Vec<pb::Replaced> = Vec::new();
    for row in rows.iter().rev() {
        let at = all.iter().position(|one| one.operation == row.operation).unwrap_or_else(|| {
            all.push(pb::Replaced {
                operation: row.operation.clone(),
                why: row.why.clone(),
                at_ns: row.at,
                ..pb::Replaced::default()
            });
            all.len() - 1
        });
        let one = &mut all[at];
        one.years.insert(0, row.year.into());
        one.bars += row.rows;
        one.size_bytes += row.file.as_ref().map_or(0, |(_, file)| file.length);
    }
    all
}

pub(super) fn verified(file: VerifiedFile) -> pb::VerifyResponse {
    pb::VerifyResponse {
        series: Some(convert::series_id(&file.key)),
        year: file.year.into(),
        bars: file.bars,
        size_bytes: file.size_bytes,
        damage: file.damage.unwrap_or_default(),
    }
}

pub(super) fn plan(plan: &RepairPlan, operation: Option<pb::Operation>) -> pb::RepairResponse {
    let step = |step: &RepairStep| pb::RepairStep {
        code: step.code.to_owned(),
        count: step.count,
        first_ns: step.ends.0,
        last_ns: step.ends.1,
        action: step.action.name().to_owned(),
        note: step.note.to_owned(),
    };
    pb::RepairResponse {
        steps: plan.steps.iter().map(step).collect(),
        dropped: plan.dropped.len() as u64,
        asked: plan.asked.iter().take(convert::RANGES_MAX).map(convert::range_to_wire).collect(),
        operation,
    }
}

pub(super) fn restored(restored: Restored) -> pb::RestoreResponse {
    pb::RestoreResponse {
        operation: restored.operation,
        why: restored.why,
        years: restored.years.into_iter().map(i32::from).collect(),
        bars_before: restored.bars.0,
        bars_after: restored.bars.1,
    }
}
