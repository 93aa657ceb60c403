//! Bars as they were told: a JSON text of objects by stamp, as a text inside of JSON. Written in pieces, each when the client has taken
//! the one before, and not where the daemon answers others: a dozen years of minutes are hundreds of MiB of it.

use std::{fmt::Write as _, io, ops::Range};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Number, Value};

use super::answers::{self, JSON};
use crate::{
    error::in_line,
    market_data::{Chunk, Header, MarketData, Rows},
    model::Bar,
    web::{Answer, Body},
};

/// Bars of a piece: some hundred KiB.
const PIECE: usize = 2_000;
/// Of a bar, with some room.
const BAR_BYTES: usize = 160;
/// An answer of so many bars has a length, as all of the old service's had.
const WHOLE_MAX: u64 = PIECE as u64;

/// What there is of the range; an error before the first piece is told.
pub(super) async fn answer(market_data: MarketData, header: &Header, rows: Rows) -> Answer {
    let tail = format!("}}\",\"error\":null,\"rows\":{},\"success\":true}}", header.rows_sent);
    let head = Bytes::from_static(b"{\"data\":\"{");
    let pieces = Pieces { market_data, rows, chunk: None, any: false };
    let pieces = stream::unfold(pieces, Pieces::next);
    let all = stream::iter([Ok(head)]).chain(pieces).chain(stream::iter([Ok(Bytes::from(tail))]));
    if header.rows_sent > WHOLE_MAX {
        return Answer { status: 200, kind: JSON, body: Body::Pieces(all.boxed()) };
    }
    let parts: Vec<io::Result<Bytes>> = all.collect().await;
    match parts.into_iter().collect::<io::Result<Vec<Bytes>>>() {
        Ok(parts) => Answer::whole(200, JSON, parts.concat()),
        Err(error) => answers::no_history(&error.to_string()),
    }
}

/// Nothing is stored.
pub(super) fn none() -> Answer {
    answers::document(200, &serde_json::json!({ "success": true, "data": "{}", "error": null, "rows": 0 }))
}

struct Pieces {
    market_data: MarketData,
    rows: Rows,
    /// What is being written, and what is left of it.
    chunk: Option<(Chunk, Range<usize>)>,
    /// Whether a bar was written.
    any: bool,
}

impl Pieces {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let (chunk, left) = match self.chunk.take() {
            Some(chunk) => chunk,
            None => match self.rows.recv().await? {
                Ok(chunk) => {
                    let rows = chunk.rows.clone();
                    (chunk, rows)
                }
                Err(error) => return Some((Err(io::Error::other(in_line(&error))), self)),
            },
        };
        let (first, own) = (!self.any, left.start..left.end.min(left.start.saturating_add(PIECE)));
        let rest = own.end..left.end;
        let writing = self.market_data.in_turn(move || {
            let text = written(own.map(|row| chunk.bars.at(row)), first);
            (text, chunk)
        });
        let Some((text, chunk)) = writing.await else {
            return Some((Err(io::Error::other("a defect")), self));
        };
        self.any |= !text.is_empty();
        self.chunk = (!rest.is_empty()).then_some((chunk, rest));
        Some((Ok(text.into()), self))
    }
}

/// Quoted for a text inside of JSON. Nothing else in it needs that.
fn written(bars: impl Iterator<Item = Bar>, mut first: bool) -> String {
    let mut text = String::with_capacity(PIECE * BAR_BYTES);
    let number = |value: f64| Number::from_f64(value).map_or(Value::Null, Value::Number);
    for bar in bars {
        let comma = if std::mem::take(&mut first) { "" } else { "," };
        let stamp = answers::instant(bar.start).strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let (open, high, low, close) = (number(bar.open), number(bar.high), number(bar.low), number(bar.close));
        let volume = bar.volume.map_or(Value::from(-1.0), number);
        // writing to a String cannot fail
        write!(
            text,
            "{comma}\\\"{stamp}\\\":{{\\\"open\\\":{open},\\\"high\\\":{high},\\\"low\\\":{low},\\\"close\\\":{close},\\\"volume\\\":{volume}}}"
        )
        .ok();
    }
    text
}
