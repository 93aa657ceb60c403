//! The stream of `MarketData.Export`: a file that the daemon makes and that only arrives here.

use std::io::Write;

use ktrdr_proto::v1::{ExportFormat, ExportRequest, ExportResponse, QueryHeader, QueryRequest, export_response::Part};
use tonic::Streaming;

use super::query::{self, WriteError};
use crate::{client::Client, failure::Failure};

/// Formats that are not text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Binary {
    Parquet,
    Arrow,
}

/// A file under way: the header has come, the bytes follow.
pub(super) struct Arriving {
    pub(super) header: QueryHeader,
    client: Client,
    stream: Streaming<ExportResponse>,
}

/// Asks for a file of bars.
pub(super) async fn start(client: Client, query: QueryRequest, format: Binary) -> Result<Arriving, Failure> {
    let format = match format {
        Binary::Parquet => ExportFormat::Parquet,
        Binary::Arrow => ExportFormat::Arrow,
    };
    let request = client.request(ExportRequest { query: Some(query), format: format.into() });
    let mut stream = client.answer(client.market_data().export(request)).await?;
    match client.message(&mut stream).await?.and_then(|answer| answer.part) {
        Some(Part::Header(header)) => Ok(Arriving { header, client, stream }),
        _ => Err(query::garbled("the answer does not begin with its header")),
    }
}

impl Arriving {
    /// All that comes.
    pub(super) async fn write(&mut self, out: &mut impl Write) -> Result<(), WriteError> {
        while let Some(answer) = self.client.message(&mut self.stream).await? {
            if let Some(Part::Data(data)) = answer.part {
                out.write_all(&data)?;
            }
        }
        Ok(())
    }
}
