//! The stream of `MarketData.Query`, for the commands that read bars.

use std::io::Write;

use ktrdr_proto::{
    reason,
    v1::{
        BarColumns, QueryHeader, QueryRequest, QueryResponse, SeriesId, TimeRange, query_request, query_response::Part,
    },
};
use tonic::Streaming;

use super::view::View;
use crate::{
    client::Client,
    failure::{Failure, Stop},
    flags::{Dates, Series},
    output::{
        bar::{self, Bar},
        bars::Writer,
    },
    time::Stamps,
};

impl From<Series> for SeriesId {
    fn from(series: Series) -> Self {
        Self { symbol: series.symbol, timeframe: series.timeframe.into() }
    }
}

impl Dates {
    /// The range on the wire; absent when no date was given.
    pub(super) fn range(self) -> Option<TimeRange> {
        let Self { start, end } = self;
        (start.is_some() || end.is_some()).then_some(TimeRange { start_ns: start, end_ns: end })
    }
}

/// Bars under way: the header has come, the chunks follow.
pub(super) struct Bars {
    pub(super) header: QueryHeader,
    client: Client,
    stream: Streaming<QueryResponse>,
}

/// Asks for stored bars.
pub(super) async fn start(
    client: Client,
    series: Series,
    dates: Dates,
    window: Option<query_request::Window>,
    view: View,
) -> Result<Bars, Failure> {
    let request = request(series, dates, window, view);
    let mut stream = client.answer(client.market_data().query(client.request(request))).await?;
    match client.message(&mut stream).await?.and_then(|answer| answer.part) {
        Some(Part::Header(header)) => Ok(Bars { header, client, stream }),
        _ => Err(garbled("the answer does not begin with its header")),
    }
}

/// Which bars, on the wire.
pub(super) fn request(
    series: Series,
    dates: Dates,
    window: Option<query_request::Window>,
    View { resample, hours, with_time_zone }: View,
) -> QueryRequest {
    let (series, range) = (Some(series.into()), dates.range());
    QueryRequest { series, range, resample, hours, with_time_zone, window }
}

impl Bars {
    /// All of them, for those who need them together.
    pub(super) async fn all(mut self) -> Result<Vec<Bar>, Failure> {
        let mut bars = Vec::new();
        while let Some(columns) = self.next().await? {
            bars.extend(even(&columns)?);
        }
        self.are(bars.len() as u64)?;
        Ok(bars)
    }

    fn are(&self, rows: u64) -> Result<(), Failure> {
        if rows == self.header.rows_sent {
            return Ok(());
        }
        Err(garbled(&format!("{rows} of {} rows arrived", self.header.rows_sent)))
    }

    /// Writes everything: what is before the rows, the rows as they come, what is after them. The number of rows.
    pub(super) async fn write(
        mut self,
        out: &mut impl Write,
        mut writer: Writer,
        mut stamps: Stamps,
    ) -> Result<u64, WriteError> {
        let mut rows = 0;
        writer.begin(out, &self.header, &mut stamps)?;
        while let Some(columns) = self.next().await? {
            rows += columns.len() as u64;
            writer.chunk(out, &mut stamps, even(&columns)?)?;
        }
        self.are(rows)?;
        writer.end(out)?;
        Ok(rows)
    }

    async fn next(&mut self) -> Result<Option<BarColumns>, Failure> {
        match self.client.message(&mut self.stream).await? {
            None => Ok(None),
            Some(QueryResponse { part: Some(Part::Bars(columns)) }) => Ok(Some(columns)),
            Some(_) => Err(garbled("something that is not bars came among them")),
        }
    }
}

fn even(columns: &BarColumns) -> Result<impl Iterator<Item = Bar>, Failure> {
    bar::of(columns).ok_or_else(|| garbled("columns of different length came"))
}

pub(super) fn garbled(text: &str) -> Failure {
    Failure::new(&reason::INTERNAL, format!("the daemon's answer cannot be used: {text}"))
}

/// Bars could not be had, or could not be written.
#[derive(Debug)]
pub(super) enum WriteError {
    Bars(Failure),
    Output(std::io::Error),
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Bars(failure)
    }
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// For stdout, whose reader may leave.
impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Bars(failure) => failure.into(),
            WriteError::Output(error) => error.into(),
        }
    }
}
