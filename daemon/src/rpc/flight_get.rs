//! `DoGet` of Arrow Flight: what is asked for by far the most, and the only one that moves gigabytes. So its messages are not made by
//! `arrow-flight`, which copies each value four times more, but written once, to where they are sent from.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use arrow_flight::{FlightData, Ticket, flight_service_server::FlightServiceServer};
use bytes::{BufMut, Bytes};
use futures_util::{
    StreamExt,
    future::{BoxFuture, Either},
    stream::{self, BoxStream},
};
use http::{Request, Response};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
    server::{Grpc, NamedService, ServerStreamingService},
};
use tonic_prost::{ProstCodec, ProstDecoder};
use tower::Service;

use super::{convert_flight as wire, flight::Handler, status};
use crate::{
    market_data::{Chunk, View},
    store::ArrowBatch,
};

/// Fields of `FlightData`.
const DATA_HEADER: u32 = 2;
const DATA_BODY: u32 = 1000;

const PATH: &str = "/arrow.flight.protocol.FlightService/DoGet";

/// The service: this call, and the others.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    handler: Handler,
    others: FlightServiceServer<Handler>,
}

impl Flight {
    pub(super) fn new(handler: Handler) -> Self {
        Self { others: FlightServiceServer::new(handler.clone()), handler }
    }
}

impl NamedService for Flight {
    const NAME: &'static str = <FlightServiceServer<Handler> as NamedService>::NAME;
}

type Answer = BoxFuture<'static, Result<Response<Body>, Infallible>>;

impl Service<Request<Body>> for Flight {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Answer, <FlightServiceServer<Handler> as Service<Request<Body>>>::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Either::Right(self.others.call(request));
        }
        let get = Get(self.handler.clone());
        Either::Left(Box::pin(async move { Ok(Grpc::new(Messages).server_streaming(get, request).await) }))
    }
}

/// A message of a table.
#[derive(Debug)]
enum Message {
    Schema(Bytes),
    Rows(Chunk),
}

struct Get(Handler);

impl ServerStreamingService<Ticket> for Get {
    type Response = Message;
    type ResponseStream = BoxStream<'static, Result<Message, Status>>;
    type Future = BoxFuture<'static, Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<Ticket>) -> Self::Future {
        let Handler { market_data, stop, .. } = self.0.clone();
        Box::pin(async move {
            let wire::Wanted { key, start, end, window } = wire::ticket(&request.into_inner())?;
            let view = View { long_chunks: true, ..View::default() };
            let query = market_data.query(key, start, end, window, view).await;
            let (header, rows) = query.map_err(|e| status::of(&e))?;
            let schema = Message::Schema(wire::schema_header(&header.key, header.basis));
            let rows = ReceiverStream::new(rows).map(|rows| rows.map(Message::Rows).map_err(|e| status::of(&e)));
            let messages = stream::iter([Ok(schema)]).chain(rows);
            Ok(tonic::Response::new(super::cut_short_by(stop, messages).boxed()))
        })
    }
}

/// How they are written, and a ticket is read.
#[derive(Debug)]
struct Messages;

impl Codec for Messages {
    type Encode = Message;
    type Decode = Ticket;
    type Encoder = Self;
    type Decoder = ProstDecoder<Ticket>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> ProstDecoder<Ticket> {
        ProstCodec::<FlightData, Ticket>::default().decoder()
    }
}

impl Encoder for Messages {
    type Item = Message;
    type Error = Status;

    fn encode(&mut self, message: Message, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match message {
            Message::Schema(header) => field(DATA_HEADER, &header, to),
            Message::Rows(chunk) => {
                let batch = ArrowBatch::new(&chunk.bars, chunk.rows.clone());
                let header = batch.header();
                to.reserve(rows_len(&batch, &header));
                write_rows(&batch, &header, to);
            }
        }
        Ok(())
    }
}

fn rows_len(batch: &ArrowBatch<'_>, header: &[u8]) -> usize {
    let field = |tag: u32, bytes: usize| key_len(tag) + encoded_len_varint(bytes as u64) + bytes;
    field(DATA_HEADER, header.len()) + field(DATA_BODY, batch.body_len())
}

fn write_rows(batch: &ArrowBatch<'_>, header: &[u8], to: &mut impl BufMut) {
    field(DATA_HEADER, header, to);
    begin_field(DATA_BODY, batch.body_len(), to);
    batch.write_body(to);
}

fn field(tag: u32, bytes: &[u8], to: &mut impl BufMut) {
    begin_field(tag, bytes.len(), to);
    to.put_slice(bytes);
}

fn begin_field(tag: u32, bytes: usize, to: &mut impl BufMut) {
    encode_key(tag, WireType::LengthDelimited, to);
    encode_varint(bytes as u64, to);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bar, Bars};
    use prost::Message as _;

    #[test]
    fn a_message_is_the_one_that_any_protobuf_would_make() {
        let bar = |start| Bar { start, open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: (start > 3).then_some(9.0) };
        let bars: Bars = (0..10).map(bar).collect();
        let batch = ArrowBatch::new(&bars, 2..9);
        let (header, mut written, mut body) = (batch.header(), Vec::new(), Vec::new());
        write_rows(&batch, &header, &mut written);
        batch.write_body(&mut body);
        assert_eq!(written.len(), rows_len(&batch, &header));
        let wanted = FlightData { data_header: header.into(), data_body: body.into(), ..FlightData::default() };
        assert_eq!(written, wanted.encode_to_vec());
    }
}
