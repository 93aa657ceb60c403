//! A stream of bars, taken as fast as it comes, each value looked at once.

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};
use ktrdr_proto::v1::{
    self as pb, QueryHeader, QueryRequest, SeriesId, Timeframe, market_data_client::MarketDataClient,
    query_response::Part,
};
use tokio::time::Instant;
use tonic::{Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;

use crate::{
    connect,
    wire::{BarsRequest, Columns, bare_client::BareClient},
};

/// Who sends, and how its columns are received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The bare server, typed columns.
    Bare,
    /// `ktrdrd`, typed columns, as clients of other languages have them.
    Typed,
    /// `ktrdrd`, as our own client has them: `ktrdr_proto::columns`.
    Kept,
}

/// What is wanted, so many times.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Who sends.
    pub from: From,
    /// Of `ktrdrd`: one-minute bars of this symbol, all of them.
    pub symbol: String,
    /// How many bars come.
    pub rows: u64,
    /// How often.
    pub times: usize,
}

/// How long each stream took, over one connection. The first one, which makes or reads what is sent, is not counted.
pub async fn run(socket: &Path, wanted: &Wanted) -> Result<Vec<Duration>> {
    let channel = connect(socket).await?;
    let mut took = Vec::new();
    for time in 0..=wanted.times {
        let begun = Instant::now();
        let seen = match wanted.from {
            From::Bare => bare(channel.clone(), wanted.rows).await?,
            From::Typed => typed(channel.clone(), wanted).await?,
            From::Kept => kept(channel.clone(), wanted).await?,
        };
        ensure!(seen.rows == wanted.rows, "{} bars instead of {}", seen.rows, wanted.rows);
        if time > 0 {
            took.push(begun.elapsed());
        }
        std::hint::black_box(seen.sum);
    }
    Ok(took)
}

/// Rows, and a sum of all that was in them: a client that does not look at a value has not received it.
#[derive(Default)]
struct Seen {
    rows: u64,
    sum: u64,
}

impl Seen {
    fn columns(&mut self, starts: impl ExactSizeIterator<Item = i64>, figures: [&[f64]; 5]) {
        self.rows += starts.len() as u64;
        self.sum = starts.fold(self.sum, |sum, start| sum.wrapping_add(start.cast_unsigned()));
        for column in figures {
            self.figures(column.iter().copied());
        }
    }

    fn figures(&mut self, column: impl Iterator<Item = f64>) {
        self.sum = column.fold(self.sum, |sum, figure| sum.wrapping_add(figure.to_bits()));
    }
}

async fn bare(channel: Channel, rows: u64) -> Result<Seen> {
    let mut chunks = BareClient::new(channel).bars(BarsRequest { rows }).await?.into_inner();
    let mut seen = Seen::default();
    while let Some(chunk) = chunks.message().await? {
        let Columns { start_ns, open, high, low, close, volume } = &chunk;
        seen.columns(start_ns.iter().copied(), [open, high, low, close, volume]);
    }
    Ok(seen)
}

fn query(wanted: &Wanted) -> QueryRequest {
    let series = Some(SeriesId { symbol: wanted.symbol.clone(), timeframe: Timeframe::Minutes1.into() });
    QueryRequest { series, ..QueryRequest::default() }
}

async fn kept(channel: Channel, wanted: &Wanted) -> Result<Seen> {
    let mut parts = MarketDataClient::new(channel).query(query(wanted)).await?.into_inner();
    let mut seen = Seen::default();
    while let Some(pb::QueryResponse { part }) = parts.message().await? {
        let Some(Part::Bars(columns)) = part else { continue };
        ensure!(columns.is_even(), "columns of different length");
        seen.columns(columns.start_ns(), [&[]; 5]);
        seen.figures(columns.open());
        seen.figures(columns.high());
        seen.figures(columns.low());
        seen.figures(columns.close());
        seen.figures(columns.volume());
    }
    Ok(seen)
}

/// `QueryResponse` as the contract spells it.
#[derive(Clone, PartialEq, prost::Message)]
struct TypedResponse {
    #[prost(oneof = "TypedPart", tags = "1, 2")]
    part: Option<TypedPart>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum TypedPart {
    #[prost(message, tag = "1")]
    Header(QueryHeader),
    #[prost(message, tag = "2")]
    Bars(Columns),
}

async fn typed(channel: Channel, wanted: &Wanted) -> Result<Seen> {
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let codec = ProstCodec::<QueryRequest, TypedResponse>::default();
    let path = PathAndQuery::from_static("/ktrdr.v1.MarketData/Query");
    let mut parts = client.server_streaming(Request::new(query(wanted)), path, codec).await?.into_inner();
    let mut seen = Seen::default();
    while let Some(TypedResponse { part }) = parts.message().await? {
        let Some(TypedPart::Bars(columns)) = part else { continue };
        let Columns { start_ns, open, high, low, close, volume } = &columns;
        seen.columns(start_ns.iter().copied(), [open, high, low, close, volume]);
    }
    Ok(seen)
}
