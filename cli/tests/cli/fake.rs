//! A daemon with a script: every call is answered with what the test put there, and remembered.

mod handlers;
mod training;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use ktrdr_proto::v1::{
    self, BarColumns, CancelOperationRequest, ImportRequest, ListOperationsRequest, LoadRequest, Operation,
    QueryHeader, QueryRequest, RetryOperationRequest, SeriesSummary, daemon_server::DaemonServer,
    gateway_server::GatewayServer, host_services_server::HostServicesServer, import_request::Part as ImportPart,
    market_data_server::MarketDataServer, operations_server::OperationsServer, training_server::TrainingServer,
};
use tempfile::TempDir;
use tokio::{net::UnixListener, runtime::Runtime, sync::Notify};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Status, transport::Server};

use crate::run::wait_until;

/// What the daemon answers.
#[expect(clippy::struct_excessive_bools, reason = "each is a knob of its own")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// Another contract number than ours.
    pub(crate) contract: Option<u32>,
    /// Every call fails with this.
    pub(crate) refuse: Option<Status>,
    /// No call is ever answered.
    pub(crate) silent: bool,
    pub(crate) header: QueryHeader,
    pub(crate) chunks: Vec<BarColumns>,
    /// After the chunks.
    pub(crate) query_end: Option<Status>,
    pub(crate) series: Vec<SeriesSummary>,
    /// `Load` is answered only after this time.
    pub(crate) slow: Duration,
    pub(crate) joined: bool,
    /// What `Watch` tells, one after the other; the last one is also the answer of every other call.
    pub(crate) operation: Vec<Operation>,
    /// `Watch` goes on after the last state, until it is cancelled.
    pub(crate) lasting: bool,
    /// `Cancel` is never answered, and cancels nothing.
    pub(crate) uncancellable: bool,
    /// What an operation is after `Cancel`.
    pub(crate) cancelled: Option<Operation>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) gateway: Vec<v1::GatewayStatus>,
    pub(crate) pid: u32,
    pub(crate) planned: Vec<v1::PlannedLoad>,
    pub(crate) validated: v1::ValidateResponse,
    pub(crate) training_plan: v1::TrainingPlan,
    pub(crate) models: Vec<v1::Model>,
    pub(crate) services: Vec<v1::HostService>,
    pub(crate) calendar: v1::GetCalendarResponse,
    pub(crate) checked: Vec<v1::CheckResponse>,
    /// What `Subscribe` tells.
    pub(crate) live: Vec<v1::subscribe_response::Event>,
    /// After that; without it the stream stays open.
    pub(crate) live_end: Option<Status>,
}

/// What the daemon was asked.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) calls: Vec<&'static str>,
    pub(crate) request_ids: Vec<String>,
    pub(crate) queries: Vec<QueryRequest>,
    pub(crate) loads: Vec<LoadRequest>,
    pub(crate) many_loads: Vec<v1::LoadManyRequest>,
    pub(crate) imported: Vec<ImportRequest>,
    pub(crate) import_broke_off: bool,
    pub(crate) cancels: Vec<CancelOperationRequest>,
    pub(crate) retries: Vec<RetryOperationRequest>,
    pub(crate) lists: Vec<ListOperationsRequest>,
    pub(crate) validations: Vec<v1::ValidateRequest>,
    pub(crate) trainings: Vec<v1::StartTrainingRequest>,
    pub(crate) subscriptions: Vec<v1::SubscribeRequest>,
}

/// A running daemon; dropped, it is gone.
pub(crate) struct Fake {
    runtime: Option<Runtime>,
    folder: TempDir,
    socket: PathBuf,
    state: Arc<State>,
}

struct State {
    script: Script,
    seen: Mutex<Seen>,
    cancelled: Notify,
    stop: Notify,
}

#[derive(Clone)]
struct Handlers(Arc<State>);

impl Fake {
    pub(crate) fn start(script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket with 100% of a name.sock");
        Self::start_at(script, folder, socket)
    }

    pub(crate) fn start_at(script: Script, folder: TempDir, socket: PathBuf) -> Self {
        let state = Arc::new(State { script, seen: Mutex::default(), cancelled: Notify::new(), stop: Notify::new() });
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(async { UnixListener::bind(&socket).unwrap() });
        runtime.spawn(serve(listener, state.clone(), socket.clone()));
        Self { runtime: Some(runtime), folder, socket, state }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.state.seen.lock().unwrap()
    }

    /// Waits until the daemon has seen what `wanted` looks for.
    pub(crate) fn wait(&self, wanted: impl Fn(&Seen) -> bool) {
        wait_until(|| wanted(&self.seen()), || format!("not seen in time: {:?}", self.seen()));
    }

    /// The daemon dies without a word.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn serve(listener: UnixListener, state: Arc<State>, socket: PathBuf) {
    let handlers = Handlers(state.clone());
    let served = Server::builder()
        .add_service(MarketDataServer::new(handlers.clone()))
        .add_service(OperationsServer::new(handlers.clone()))
        .add_service(GatewayServer::new(handlers.clone()))
        .add_service(TrainingServer::new(handlers.clone()))
        .add_service(HostServicesServer::new(handlers.clone()))
        .add_service(DaemonServer::new(handlers))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), state.stop.notified());
    served.await.unwrap();
    std::fs::remove_file(socket).ok();
}

/// The bytes of every file of an import, with its announcement.
pub(crate) fn files(parts: &[ImportRequest]) -> Vec<(v1::ImportFile, Vec<u8>)> {
    let mut files: Vec<(v1::ImportFile, Vec<u8>)> = Vec::new();
    for part in parts {
        match part.part.clone().unwrap() {
            ImportPart::Start(_) => assert!(files.is_empty(), "the start comes first"),
            ImportPart::File(file) => files.push((file, Vec::new())),
            ImportPart::Data(bytes) => {
                assert!(bytes.len() <= 1 << 20, "a piece is at most 1 MiB");
                files.last_mut().unwrap().1.extend(bytes);
            }
        }
    }
    files
}
