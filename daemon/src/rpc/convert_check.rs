//! Checks on the wire.

use std::collections::HashSet;

use ktrdr_proto::v1 as pb;

use super::convert;
use crate::{
    market_data::{CheckedSeries, Completeness, Finding, Gap, GapClass, Severity},
    model::SeriesKey,
};

pub(super) fn checked(one: &CheckedSeries) -> pb::CheckResponse {
    let (first, last) = one.ends.unwrap_or_default();
    pb::CheckResponse {
        series: Some(convert::series_id(&one.key)),
        session: convert::session_to_wire(one.basis).into(),
        what_to_show: convert::what_to_wire(one.basis).into(),
        calendar: one.calendar.map(|calendar| calendar.code.to_owned()).unwrap_or_default(),
        bars: one.checked.bars,
        first_ns: first,
        last_ns: last,
        findings: one.checked.findings.iter().map(finding).collect(),
        gaps: one.checked.gaps.iter().take(convert::RANGES_MAX).map(gap).collect(),
        gaps_total: one.checked.gaps.len() as u64,
        days: Some(days(&one.checked.days)),
    }
}

fn finding(finding: &Finding) -> pb::CheckFinding {
    let severity = match finding.rule.severity {
        Severity::Info => pb::Severity::Info,
        Severity::Warning => pb::Severity::Warning,
        Severity::Error => pb::Severity::Error,
    };
    pb::CheckFinding {
        code: finding.rule.code.to_owned(),
        severity: severity.into(),
        says: finding.rule.says.to_owned(),
        helps: finding.rule.helps.to_owned(),
        count: finding.count,
        first_ns: finding.first,
        last_ns: finding.last,
        examples_ns: finding.examples.clone(),
        detail: finding.detail.clone(),
    }
}

fn gap(gap: &Gap) -> pb::Gap {
    let class = match gap.class {
        GapClass::NeverAsked => pb::GapClass::NeverAsked,
        GapClass::AskedAndEmpty => pb::GapClass::AskedAndEmpty,
        GapClass::NotTraded => pb::GapClass::NotTraded,
    };
    let range = Some(convert::range_to_wire(&gap.range));
    pb::Gap { range, bars: gap.bars, sessions: gap.sessions, class: class.into() }
}

fn days(days: &[Completeness]) -> pb::CheckedDays {
    let epoch = jiff::civil::date(1970, 1, 1);
    pb::CheckedDays {
        date: days.iter().map(|day| day.date.since(epoch).map_or(0, |span| span.get_days())).collect(),
        due: days.iter().map(|day| day.due).collect(),
        present: days.iter().map(|day| day.present).collect(),
    }
}

/// The keys of a request, none twice.
pub(super) fn keys(request: &pb::CheckRequest) -> Result<Vec<SeriesKey>, tonic::Status> {
    let (mut keys, mut known) = (Vec::new(), HashSet::new());
    for series in &request.series {
        let key = convert::series_key(Some(series))?;
        if known.insert(key.clone()) {
            keys.push(key);
        }
    }
    Ok(keys)
}
