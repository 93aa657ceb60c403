//! The way to the daemon: one channel, opened by the first call, and what holds for every call of it.
//!
//! - Every answer and every error is checked for the daemon's contract number, which travels as metadata.
//! - Every wait has an end by our own clock. None is sent along: leaving resets the call, and that ends the handler.
//! - Every call carries one request id, which the daemon logs.
//!
//! Not here: what is asked (`commands`), what an error means (`failure`).

use std::{collections::HashMap, error::Error, future::Future, path::Path, sync::Arc, time::Duration};

use ktrdr_proto::{
    BUILD, BUILD_KEY, CONTRACT, CONTRACT_KEY, REQUEST_ID_KEY,
    address::{self, AddressError},
    reason,
    v1::{
        daemon_client::DaemonClient, gateway_client::GatewayClient, host_services_client::HostServicesClient,
        housekeeping_client::HousekeepingClient, market_data_client::MarketDataClient,
        operations_client::OperationsClient, training_client::TrainingClient,
    },
};
use tonic::{
    Code, Request, Response, Status, Streaming,
    metadata::{AsciiMetadataValue, MetadataMap},
    transport,
};
use ulid::Ulid;

use crate::{
    failure::Failure,
    wire::{Start, Wire},
};

/// Chunks are 256 KiB; the rest is for lists of operations.
const MESSAGE_BYTES_MAX: usize = 8 << 20;

/// Cheap to clone; all clones share the connection.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    wire: Wire,
    socket: Arc<str>,
    request_id: Arc<str>,
    limit: Duration,
}

impl Client {
    /// Resolves the address; nothing is opened yet. `limit` bounds each wait for an answer.
    pub(crate) fn new(socket: Option<&Path>, limit: Duration, start: Start) -> Result<Self, Failure> {
        let path = address::for_client(socket).map_err(|error| no_address(&error))?;
        let Some(socket) = path.to_str() else {
            let text = format!("the socket path is not UTF-8: {}", path.display());
            return Err(Failure::new(&reason::DAEMON_UNREACHABLE, text));
        };
        Ok(Self {
            wire: Wire::new(&path, start),
            socket: socket.into(),
            request_id: Ulid::generate().to_string().into(),
            limit,
        })
    }

    /// The path of the socket.
    pub(crate) fn socket(&self) -> &str {
        &self.socket
    }

    /// Made once a request: sent again with the same request, it finds the same operation.
    pub(crate) fn request_id(&self) -> String {
        self.request_id.to_string()
    }

    /// The same connection for another request of this process.
    pub(crate) fn anew(&self) -> Self {
        Self { request_id: Ulid::generate().to_string().into(), ..self.clone() }
    }

    /// The same connection with another limit.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        Self { limit, ..self.clone() }
    }

    /// The longest wait for one answer.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn market_data(&self) -> MarketDataClient<Wire> {
        MarketDataClient::new(self.wire.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn housekeeping(&self) -> HousekeepingClient<Wire> {
        HousekeepingClient::new(self.wire.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn operations(&self) -> OperationsClient<Wire> {
        OperationsClient::new(self.wire.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn training(&self) -> TrainingClient<Wire> {
        TrainingClient::new(self.wire.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn host_services(&self) -> HostServicesClient<Wire> {
        HostServicesClient::new(self.wire.clone())
    }

    pub(crate) fn gateway(&self) -> GatewayClient<Wire> {
        GatewayClient::new(self.wire.clone())
    }

    pub(crate) fn daemon(&self) -> DaemonClient<Wire> {
        DaemonClient::new(self.wire.clone())
    }

    /// Wraps a message with the metadata of every call.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Ok(id) = AsciiMetadataValue::try_from(&*self.request_id) {
            request.metadata_mut().insert(REQUEST_ID_KEY, id);
        }
        request
    }

    /// Awaits an answer, for as long as one may take, from a daemon of our contract.
    pub(crate) async fn answer<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        let answer = self.timed(call).await?;
        self.checked(answer)
    }

    /// Like [`answer`](Self::answer), without a limit: for calls that last as long as the work they wait for.
    pub(crate) async fn answer_at_last<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        self.checked(call.await)
    }

    /// Like [`answer`](Self::answer), from a daemon of any contract: for the two calls that are frozen for ever.
    pub(crate) async fn answer_of_any<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        let answer = self.timed(call).await?;
        answer.map(Response::into_inner).map_err(|status| self.meaning(&status))
    }

    /// Awaits the next message of a stream, for as long as one may take.
    pub(crate) async fn message<T>(&self, stream: &mut Streaming<T>) -> Result<Option<T>, Failure> {
        self.timed(stream.message()).await?.map_err(|status| self.failure(&status))
    }

    /// What a status means: an error with a reason, or a daemon that is not there.
    pub(crate) fn failure(&self, status: &Status) -> Failure {
        if let Err(failure) = verify(status.metadata()) {
            return failure.of_request(&self.request_id);
        }
        self.meaning(status)
    }

    fn meaning(&self, status: &Status) -> Failure {
        if let Some(failure) = self.wire.not_started() {
            return failure.of_request(&self.request_id);
        }
        let failure = match (status.code(), status.source()) {
            // A status with a source was made on our side of the wire.
            (Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled, Some(source))
                if status.details().is_empty() =>
            {
                unreachable(&self.socket).because(causes(source))
            }
            (Code::Unavailable, None) if status.details().is_empty() => {
                unreachable(&self.socket).because([status.message().to_owned()])
            }
            (Code::Unimplemented, _) if status.details().is_empty() => older(status.metadata()),
            _ => Failure::from_status(status),
        };
        failure.of_request(&self.request_id)
    }

    async fn timed<T>(&self, future: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout(self.limit, future).await.map_err(|_| self.timed_out())
    }

    /// The failure of a wait that took longer than it may.
    pub(crate) fn timed_out(&self) -> Failure {
        let text = format!("no answer within {} s from ktrdrd at {}", self.limit.as_secs_f64(), self.socket);
        Failure::new(&reason::TIMED_OUT, text).of_request(&self.request_id)
    }

    fn checked<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, Failure> {
        let response = answer.map_err(|status| self.failure(&status))?;
        verify(response.metadata()).map_err(|failure| failure.of_request(&self.request_id))?;
        Ok(response.into_inner())
    }
}

/// Refuses a daemon of another contract. One that does not say is taken as it is: an error may come from below it.
fn verify(metadata: &MetadataMap) -> Result<(), Failure> {
    match text(metadata, CONTRACT_KEY).and_then(|number| number.parse().ok()) {
        Some(theirs) if theirs != CONTRACT => Err(mismatch(theirs, text(metadata, BUILD_KEY))),
        _ => Ok(()),
    }
}

fn mismatch(theirs: u32, build: Option<&str>) -> Failure {
    let build = build.unwrap_or("unknown");
    let update = if theirs > CONTRACT {
        format!("update ktrdr (this is build {BUILD}, the daemon is {build})")
    } else {
        UPDATE_DAEMON.to_owned()
    };
    let text = format!("ktrdrd (build {build}) speaks contract {theirs}, ktrdr (build {BUILD}) speaks {CONTRACT}");
    Failure::of(&reason::CONTRACT_MISMATCH, &HashMap::from([("update".to_owned(), update)]), vec![text])
}

const UPDATE_DAEMON: &str = "update ktrdrd, then: ktrdr daemon restart";

/// The contract may gain calls without a new number; a daemon that lacks one is too old for this command.
fn older(metadata: &MetadataMap) -> Failure {
    let build = text(metadata, BUILD_KEY).unwrap_or("unknown");
    let text = format!("ktrdrd (build {build}) does not know this call yet, ktrdr is build {BUILD}");
    let metadata = HashMap::from([("update".to_owned(), UPDATE_DAEMON.to_owned())]);
    Failure::of(&reason::CONTRACT_MISMATCH, &metadata, vec![text])
}

fn text<'a>(metadata: &'a MetadataMap, key: &str) -> Option<&'a str> {
    metadata.get(key).and_then(|value| value.to_str().ok())
}

fn unreachable(socket: &str) -> Failure {
    let failure = Failure::new(&reason::DAEMON_UNREACHABLE, format!("no answer from ktrdrd at {socket}"));
    if socket == address::SYSTEM_SOCKET {
        // it is started by systemd, and open to a group
        return failure
            .hint("systemctl start ktrdrd.socket; who may not look into it joins its group: adduser NAME ktrdr");
    }
    failure
}

/// What lies below tonic's own word for it, which says no more than that something does.
fn causes(source: &(dyn Error + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = Some(source);
    while let Some(error) = next {
        next = error.source();
        if next.is_none() || !error.is::<transport::Error>() {
            causes.push(error.to_string());
        }
    }
    causes
}

fn no_address(error: &AddressError) -> Failure {
    let reason = match error {
        AddressError::TooLong(_) => &reason::SOCKET_PATH_TOO_LONG,
        AddressError::FolderNotOurs(_) | AddressError::Io(..) => &reason::DAEMON_UNREACHABLE,
    };
    let causes = error.source().map(ToString::to_string);
    Failure::new(reason, error.to_string()).because(causes)
}
