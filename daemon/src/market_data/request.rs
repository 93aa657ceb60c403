//! A load request as the ledger keeps it.

use serde::{Deserialize, Serialize};

use super::{LoadRequest, Mode, OnSplit};
use crate::model::{Basis, Nanos, SeriesKey, Session, Symbol, Timeframe, WhatToShow};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    symbol: String,
    timeframe: String,
    mode: Mode,
    start: Option<Nanos>,
    end: Option<Nanos>,
    session: String,
    what: String,
    #[serde(default)]
    on_split: OnSplit,
    #[serde(default)]
    verify: bool,
}

impl From<&LoadRequest> for Spec {
    fn from(request: &LoadRequest) -> Self {
        Self {
            symbol: request.key.symbol.to_string(),
            timeframe: request.key.timeframe.to_string(),
            mode: request.mode,
            start: request.start,
            end: request.end,
            session: request.basis.session.name().into(),
            what: request.basis.what.name().into(),
            on_split: request.on_split,
            verify: request.verify,
        }
    }
}

impl Spec {
    pub(super) fn request(&self) -> Option<LoadRequest> {
        let key =
            SeriesKey { symbol: Symbol::parse(&self.symbol).ok()?, timeframe: Timeframe::parse(&self.timeframe)? };
        let basis = Basis { session: Session::parse(&self.session)?, what: WhatToShow::parse(&self.what)? };
        let Self { mode, start, end, on_split, verify, .. } = *self;
        Some(LoadRequest { key, mode, start, end, basis, on_split, verify })
    }
}
