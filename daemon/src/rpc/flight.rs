//! Arrow Flight on the same server: stored bars out, tables in. Same limits, same rights; a handler decodes, makes one call, encodes.

use std::panic::AssertUnwindSafe;

use arrow_array::RecordBatch;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, Result as ActionResult, SchemaResult, Ticket, decode::FlightRecordBatchStream,
    error::FlightError, flight_service_server::FlightService,
};
use futures_util::{FutureExt, Stream, StreamExt, stream, stream::BoxStream};
use ktrdr_proto::REQUEST_ID_KEY;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use ulid::Ulid;

use super::{convert_flight as wire, peer::Peer, status};
use crate::{
    market_data::{FileSpec, MarketData, Upload},
    operations::Registry,
};

/// The service.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) market_data: MarketData,
    pub(super) registry: Registry,
    pub(super) stop: CancellationToken,
}

type Many<T> = BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl FlightService for Handler {
    type HandshakeStream = Many<HandshakeResponse>;
    type ListFlightsStream = Many<FlightInfo>;
    type DoGetStream = Many<FlightData>;
    type DoPutStream = Many<PutResult>;
    type DoExchangeStream = Many<FlightData>;
    type DoActionStream = Many<ActionResult>;
    type ListActionsStream = Many<ActionType>;

    /// The criteria: the beginning of a symbol; empty for all series.
    async fn list_flights(&self, request: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        let wanted = String::from_utf8_lossy(&request.into_inner().expression).to_ascii_uppercase();
        let series = self.market_data.list().into_iter().filter(|(key, _)| key.symbol.as_str().starts_with(&wanted));
        let flights: Vec<_> = series.map(|(key, state)| wire::info(&wire::Wanted::all_of(key), &state)).collect();
        Ok(Response::new(stream::iter(flights).boxed()))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        let wanted = wire::described(&request.into_inner())?;
        let state = self.market_data.range(&wanted.key).map_err(|e| status::of(&e))?;
        wire::info(&wanted, &state).map(Response::new)
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let wanted = wire::described(&request.into_inner())?;
        let state = self.market_data.range(&wanted.key).map_err(|e| status::of(&e))?;
        wire::schema(&wanted.key, state.basis).map(Response::new)
    }

    /// It does not come here: `flight_get` has it.
    async fn do_get(&self, _: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        Err(super::defect("DoGet has a way of its own"))
    }

    /// A table of bars for the series that its descriptor names, imported like a file; answered when it is stored.
    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        let peer = Peer::of(&request);
        let id = request.metadata().get(REQUEST_ID_KEY).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let asked = peer.asks(id.unwrap_or_else(|| Ulid::generate().to_string()));
        let mut parts = request.into_inner();
        let first = parts.message().await?.ok_or_else(|| status::invalid("nothing was put"))?;
        let descriptor = first.flight_descriptor.clone().unwrap_or_default();
        let key = wire::described(&descriptor)?.key;
        let upload = receive(self.market_data.upload(), file_spec(&key), first, parts).await?;
        let started = self.market_data.import(upload, asked).await.map_err(|e| status::of(&e))?;
        let mut changes = self.registry.watch(&started.operation.id).await.map_err(|e| status::of(&e))?;
        let ended = changes.wait_for(|operation| operation.state.is_final()).await.map_err(super::defect)?.clone();
        let result = wire::put(&ended)?;
        Ok(Response::new(stream::iter([Ok(result)]).boxed()))
    }

    async fn list_actions(&self, _: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn do_action(&self, _: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        Err(status::invalid("there are no actions: ktrdr.v1 has calls of its own"))
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        Err(status::invalid("nobody has to introduce themselves: the socket says who calls"))
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        Err(status::invalid("what is stored is there at once: use GetFlightInfo"))
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(status::invalid("there is no exchange: use DoGet and DoPut"))
    }
}

fn file_spec(key: &crate::model::SeriesKey) -> FileSpec {
    FileSpec {
        label: format!("Flight table of {key}"),
        symbol: Some(key.symbol.clone()),
        timeframe: Some(key.timeframe),
        time_zone: None,
        session: None,
        what: None,
    }
}

fn batches(parts: impl Stream<Item = Result<FlightData, Status>> + Send + 'static) -> FlightRecordBatchStream {
    let parts = parts.map(|part| part.and_then(wire::without_dictionary));
    FlightRecordBatchStream::new_from_flight_data(
        parts.map(|part| part.map_err(|error| FlightError::Tonic(Box::new(error)))),
    )
}

/// The crate panics over some tables that nobody could have meant, which is the mistake of who sent them.
fn contradicting<T>() -> Result<T, Status> {
    Err(status::invalid("the table cannot be read: its parts contradict each other"))
}

/// The next batch; `None` at the end.
async fn next(batches: &mut FlightRecordBatchStream) -> Result<Option<RecordBatch>, Status> {
    AssertUnwindSafe(read_next(batches)).catch_unwind().await.unwrap_or_else(|_| contradicting())
}

async fn read_next(batches: &mut FlightRecordBatchStream) -> Result<Option<RecordBatch>, Status> {
    let Some(batch) = batches.next().await else { return Ok(None) };
    batch.map(Some).map_err(|error| match error {
        FlightError::Tonic(status) => *status,
        other => status::invalid(format!("the table cannot be read: {other}")),
    })
}

/// Its rows, piece by piece. Blocks.
fn written(batch: &RecordBatch, head: bool, take: impl FnMut(&str) -> Result<(), Status>) -> Result<(), Status> {
    let writing = AssertUnwindSafe(|| wire::pieces(batch, head, take));
    std::panic::catch_unwind(writing).unwrap_or_else(|_| contradicting())
}

/// Takes the batches as rows of a file, so that one set of rules decides what may be stored.
async fn receive(
    mut upload: Upload,
    spec: FileSpec,
    first: FlightData,
    rest: Streaming<FlightData>,
) -> Result<Upload, Status> {
    let mut batches = batches(stream::iter([Ok(first)]).chain(rest));
    upload.file(spec).map_err(|e| status::of(&e))?;
    let mut head = true;
    while let Some(batch) = next(&mut batches).await? {
        let grown = tokio::task::spawn_blocking(move || {
            let take = |text: &str| upload.data(text.as_bytes()).map_err(|e| status::of(&e));
            written(&batch, head, take).map(|()| upload)
        });
        upload = grown.await.map_err(super::defect)??;
        head = false;
    }
    let finished = tokio::task::spawn_blocking(move || upload.finish()).await;
    finished.map_err(super::defect)?.map_err(|e| status::of(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    /// Parts of a table, each with its length before it; a ticket, a descriptor. A byte may be a part, which has fields of its own.
    #[test]
    fn foreign_bytes() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "flight").memory(512, 4 << 20).check(|bytes| {
            let told = |status: Status| {
                assert!(status.code() != tonic::Code::Internal, "{status:?}");
                status.message().to_owned()
            };
            let ticket = wire::ticket(&Ticket { ticket: bytes::Bytes::copy_from_slice(bytes) }).map_err(told);
            if let Ok(descriptor) = FlightDescriptor::decode(bytes) {
                wire::described(&descriptor)
                    .map_err(told)
                    .err()
                    .iter()
                    .for_each(|told| ktrdr_foreign::fit_to_print(told));
            }
            if ticket.is_ok() {
                return Ok("ticket".into());
            }
            let (mut rest, mut parts) = (bytes, Vec::new());
            while !rest.is_empty() {
                parts.push(Ok(FlightData::decode_length_delimited(&mut rest).map_err(|error| error.to_string())?));
            }
            let mut tables = batches(stream::iter(parts));
            let mut head = true;
            let mut rows = 0;
            while let Some(batch) = next(&mut tables).now_or_never().expect("everything has come").map_err(told)? {
                let take = |text: &str| {
                    assert!(rows > 0 || text.starts_with("timestamp,open"), "{text}");
                    rows += text.lines().count();
                    Ok(())
                };
                written(&batch, head, take).map_err(told)?;
                head = false;
            }
            Ok(format!("{} rows", rows.min(3)))
        });
    }
}
