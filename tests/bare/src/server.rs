//! The bare server: an echo, answers of any size, and a stream of typed columns that it holds in memory.

use std::{
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::net::UnixListener;
use tokio_stream::{Stream, wrappers::UnixListenerStream};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    CHUNK_ROWS, CONNECTION_WINDOW, STREAM_WINDOW,
    wire::{
        BarsRequest, Columns, Message, PageRequest,
        bare_server::{Bare, BareServer},
    },
};

const ROWS_MAX: u64 = 10_000_000;
const PAGE_MAX: u64 = 1 << 20;
const MINUTE: i64 = 60_000_000_000;

/// Answers until it is killed.
pub async fn serve(socket: &Path) -> Result<()> {
    let incoming = UnixListenerStream::new(UnixListener::bind(socket)?);
    let router = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_service(BareServer::new(Handler::default()));
    Ok(router.serve_with_incoming(incoming).await?)
}

#[derive(Default)]
struct Handler {
    /// Made once: what is timed is the wire.
    held: Mutex<Option<Arc<Columns>>>,
}

#[tonic::async_trait]
impl Bare for Handler {
    async fn echo(&self, request: Request<Message>) -> Result<Response<Message>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn page(&self, request: Request<PageRequest>) -> Result<Response<Message>, Status> {
        let bytes = request.into_inner().bytes.min(PAGE_MAX);
        Ok(Response::new(Message { body: vec![7; usize::try_from(bytes).unwrap_or_default()] }))
    }

    type BarsStream = Pin<Box<dyn Stream<Item = Result<Columns, Status>> + Send>>;

    async fn bars(&self, request: Request<BarsRequest>) -> Result<Response<Self::BarsStream>, Status> {
        let rows = request.into_inner().rows;
        if rows == 0 || rows > ROWS_MAX {
            return Err(Status::invalid_argument("one row to ten million"));
        }
        let columns = self.columns(rows);
        let all = columns.start_ns.len();
        let chunks = (0..all).step_by(CHUNK_ROWS).map(move |from| {
            let rows = from..all.min(from + CHUNK_ROWS);
            Ok(Columns {
                start_ns: columns.start_ns[rows.clone()].to_vec(),
                open: columns.open[rows.clone()].to_vec(),
                high: columns.high[rows.clone()].to_vec(),
                low: columns.low[rows.clone()].to_vec(),
                close: columns.close[rows.clone()].to_vec(),
                volume: columns.volume[rows].to_vec(),
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }
}

impl Handler {
    fn columns(&self, rows: u64) -> Arc<Columns> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(columns) if columns.start_ns.len() as u64 == rows => columns.clone(),
            _ => held.insert(Arc::new(made(rows))).clone(),
        }
    }
}

fn made(rows: u64) -> Columns {
    let price =
        |above: f64| (0..rows).map(move |row| 100.0 + f64::from(u32::try_from(row % 977).unwrap_or(0)) / 100.0 + above);
    Columns {
        start_ns: (0..rows)
            .scan(1_600_000_000_000_000_000, |at, _| Some(std::mem::replace(at, *at + MINUTE)))
            .collect(),
        open: price(0.0).collect(),
        high: price(0.5).collect(),
        low: price(-0.5).collect(),
        close: price(0.1).collect(),
        volume: price(900.0).collect(),
    }
}
