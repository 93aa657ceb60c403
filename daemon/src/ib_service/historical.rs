//! Bars of a range: what is missing is loaded, then the store answers.

use std::time::Duration;

use ulid::Ulid;

use super::{IbService, answers, fields::Fields, history};
use crate::{
    clock,
    error::in_line,
    market_data::{LoadRequest, MarketDataError, Mode, OnSplit, View, Window},
    model::{Basis, Nanos, SeriesKey, Session, Symbol, Timeframe, WhatToShow},
    operations::{Requested, State},
    web::{Answer, Asked},
};

/// Longer than old clients wait. The load goes on without them, and the next call finds what it stored.
const WAIT: Duration = Duration::from_mins(10);

struct Range {
    symbol: String,
    timeframe: String,
    start: Nanos,
    end: Nanos,
}

fn read(asked: &Asked) -> Result<Range, Answer> {
    let mut fields = Fields::of(asked)?;
    let range = Range {
        symbol: fields.text("symbol"),
        timeframe: fields.text("timeframe"),
        start: fields.date("start"),
        end: fields.date("end"),
    };
    // the symbol says what it is
    fields.optional_text("instrument_type");
    fields.done().map(|()| range)
}

impl IbService {
    pub(super) async fn historical(&self, asked: &Asked) -> Answer {
        let range = match read(asked) {
            Ok(range) => range,
            Err(refusal) => return refusal,
        };
        match self.bars(&range).await {
            Ok(answer) => answer,
            Err(why) => answers::no_history(&why),
        }
    }

    async fn bars(&self, range: &Range) -> Result<Answer, String> {
        let symbol = Symbol::read(&range.symbol, clock::year()).map_err(|error| error.to_string())?;
        let timeframe: Timeframe =
            Timeframe::parse(&range.timeframe).ok_or_else(|| format!("Unsupported timeframe: {}", range.timeframe))?;
        if range.start >= range.end {
            return Err("start must be before end".into());
        }
        let key = SeriesKey { symbol, timeframe };
        self.load(&key, range).await?;
        // an end is a bar that is still wanted
        let (start, end) = (Some(range.start), Some(range.end.saturating_add(1)));
        match self.market_data.query(key, start, end, Window::All, View::default()).await {
            Ok((header, rows)) => Ok(history::answer(self.market_data.clone(), &header, rows).await),
            Err(MarketDataError::SeriesNotFound { .. }) => Ok(history::none()),
            Err(error) => Err(in_line(&error)),
        }
    }

    /// What is missing; nothing is asked for where all is known.
    async fn load(&self, key: &SeriesKey, range: &Range) -> Result<(), String> {
        let usual = Basis { session: Session::AllHours, what: WhatToShow::usual(&key.symbol) };
        // a series has one kind of hours and prices: that which is stored is what can be had
        let basis = self.market_data.range(key).map_or(usual, |state| state.basis);
        let end = range.end.min(clock::now());
        if range.start >= end {
            return Ok(());
        }
        let request = LoadRequest {
            key: key.clone(),
            mode: Mode::Full,
            start: Some(range.start),
            end: Some(end),
            basis,
            on_split: OnSplit::default(),
            verify: false,
        };
        let asked =
            Requested { id: format!("ib-service-{}", Ulid::generate()), by: Some("the IB service's clients".into()) };
        let started = self.market_data.load(request, asked, None).await.map_err(|error| in_line(&error))?;
        let id = started.operation.id.clone();
        let mut changes = self.registry.watch(&id).await.map_err(|error| in_line(&error))?;
        let ended = tokio::time::timeout(WAIT, changes.wait_for(|operation| operation.state.is_final())).await;
        let ended = match ended {
            Ok(Ok(operation)) => operation.clone(),
            Ok(Err(_)) => return Err("the daemon is stopping".into()),
            Err(_) => return Err(format!("operation {id} is still loading; ask again")),
        };
        match (ended.state, &ended.failure) {
            (State::Completed, _) => Ok(()),
            (_, Some(failure)) => Err(failure.messages.join(": ")),
            (state, None) => Err(format!("the load was {}", state.name())),
        }
    }
}
