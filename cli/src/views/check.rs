//! Stored bars, checked: `data check` and `data gaps`.

use ktrdr_proto::v1::{CheckFinding, CheckResponse, Gap, GapClass, Severity, TradingSession, WhatToShow};
use serde::Serialize;

use super::{timeframe, word};
use crate::time::Instant;

/// One series.
#[derive(Debug, Serialize)]
pub(crate) struct CheckView {
    pub(crate) symbol: String,
    pub(crate) timeframe: &'static str,
    pub(crate) session: &'static str,
    pub(crate) what_to_show: &'static str,
    /// `null`: none is known.
    pub(crate) calendar: Option<String>,
    pub(crate) bars: u64,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    pub(crate) findings: Vec<FindingView>,
    pub(crate) gaps: Vec<GapView>,
    pub(crate) gaps_total: u64,
    pub(crate) days: Vec<DayView>,
}

/// One rule that does not hold.
#[derive(Debug, Serialize)]
pub(crate) struct FindingView {
    pub(crate) code: String,
    pub(crate) severity: &'static str,
    pub(crate) says: String,
    pub(crate) helps: String,
    pub(crate) count: u64,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    pub(crate) examples: Vec<Instant>,
    pub(crate) detail: String,
}

/// Absent bars.
#[derive(Debug, Serialize)]
pub(crate) struct GapView {
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    pub(crate) bars: u64,
    pub(crate) sessions: u64,
    pub(crate) class: &'static str,
}

/// How complete one session is.
#[derive(Debug, Serialize)]
pub(crate) struct DayView {
    #[serde(serialize_with = "as_text")]
    pub(crate) date: jiff::civil::Date,
    pub(crate) due: u32,
    pub(crate) present: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
fn as_text<S: serde::Serializer>(date: &jiff::civil::Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

impl CheckView {
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == "error")
    }
}

impl From<CheckResponse> for CheckView {
    fn from(answer: CheckResponse) -> Self {
        let days = answer.days.unwrap_or_default();
        let date = |days: i32| jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days));
        let rows = days.date.iter().zip(days.due.iter().zip(&days.present));
        Self {
            timeframe: timeframe(answer.series.as_ref()),
            symbol: answer.series.unwrap_or_default().symbol,
            session: word::<TradingSession>(answer.session),
            what_to_show: word::<WhatToShow>(answer.what_to_show),
            calendar: Some(answer.calendar).filter(|code| !code.is_empty()),
            bars: answer.bars,
            start: Instant(answer.first_ns),
            end: Instant(answer.last_ns),
            findings: answer.findings.into_iter().map(FindingView::from).collect(),
            gaps: answer.gaps.into_iter().map(GapView::from).collect(),
            gaps_total: answer.gaps_total,
            days: rows
                .map(|(day, (due, present))| DayView { date: date(*day), due: *due, present: *present })
                .collect(),
        }
    }
}

impl From<CheckFinding> for FindingView {
    fn from(finding: CheckFinding) -> Self {
        Self {
            severity: word::<Severity>(finding.severity),
            code: finding.code,
            says: finding.says,
            helps: finding.helps,
            count: finding.count,
            first: Instant(finding.first_ns),
            last: Instant(finding.last_ns),
            examples: finding.examples_ns.into_iter().map(Instant).collect(),
            detail: finding.detail,
        }
    }
}

impl From<Gap> for GapView {
    fn from(gap: Gap) -> Self {
        let range = gap.range.unwrap_or_default();
        Self {
            start: Instant(range.start_ns.unwrap_or_default()),
            end: Instant(range.end_ns.unwrap_or_default()),
            bars: gap.bars,
            sessions: gap.sessions,
            class: word::<GapClass>(gap.class),
        }
    }
}
