//! The stored series, and one of them in detail.

use ktrdr_proto::v1::{SeriesSummary, Source, TradingSession, WhatToShow};

use super::{
    super::{order::series_name, state::State},
    grid::Column,
    paint::GAP,
};
use crate::{
    output::table::{Cell, Tone, bytes, thousands},
    time::{Stamps, span},
    views::word,
};

pub(super) const COLUMNS: [Column; 7] = [
    Column::new("SERIES", 0).between(12, 24),
    Column::new("BARS", 1).right().between(11, 14),
    Column::new("NEW", 2).right().between(9, 12),
    Column::new("CHANGED", 4).right().between(7, 8),
    Column::new("SIZE", 5).right().between(10, 10),
    Column::new("FIRST BAR", 6).between(19, 19),
    Column::new("LAST BAR", 3).between(19, 0),
];

pub(super) fn row(state: &State, series: &SeriesSummary) -> Vec<Cell> {
    let name = series_name(series);
    let (new, changed) = (state.growth.of(&name), state.growth.last(&name));
    let new = if new > 0 { Cell::toned(format!("+{}", thousands(new)), Tone::Good) } else { "".into() };
    let changed = if changed > 0 { span(changed, state.look.at_ns) } else { String::new() };
    vec![
        name.into(),
        thousands(series.bars).into(),
        new,
        changed.into(),
        bytes(series.size_bytes).into(),
        stamp(series.first_ns).into(),
        stamp(series.last_ns).into(),
    ]
}

fn stamp(ns: i64) -> String {
    Stamps::default().plain(ns).get(..19).unwrap_or_default().to_owned()
}

/// `312 stored, 1.2 GiB`.
pub(super) fn count(series: &[SeriesSummary]) -> String {
    let size = series.iter().map(|one| one.size_bytes).sum();
    format!("{} stored, {}", series.len(), bytes(size))
}

/// Its name, and two lines.
pub(super) fn detail(series: &SeriesSummary) -> (String, [String; 2]) {
    let (session, what) = (word::<TradingSession>(series.session), word::<WhatToShow>(series.what_to_show));
    let assumed = if series.assumed { ", assumed" } else { "" };
    let kind = format!("{session} hours, {what}{assumed}{GAP}from {}", word::<Source>(series.source));
    let range = format!("{} to {} UTC", stamp(series.first_ns), stamp(series.last_ns));
    (series_name(series), [format!("{range}{GAP}{kind}"), String::new()])
}
