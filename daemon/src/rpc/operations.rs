//! `ktrdr.v1.Operations`: decode, one call, encode.

use futures_util::{StreamExt, stream::BoxStream};
use ktrdr_proto::{
    served::ListOperationsResponse,
    v1::{self as pb, operations_server},
};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{convert_operation, listed::Listed, peer::Peer, status};
use crate::operations::Registry;

/// Operations on a page, unless the client says; and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 1_000;
/// Longest note kept with a cancel.
const NOTE_MAX: usize = 200;

/// The service.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) registry: Registry,
    pub(super) listed: Listed,
    pub(super) stop: CancellationToken,
}

/// Of a list; 0 where the client does not say.
pub(super) fn page_size(asked: u32) -> usize {
    usize::try_from(asked).ok().filter(|size| *size > 0).unwrap_or(PAGE).min(PAGE_MAX)
}

/// Why somebody cancels, for the record.
pub(super) fn note(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NOTE_MAX).collect()
}

#[tonic::async_trait]
impl operations_server::Operations for Handler {
    async fn get(
        &self,
        request: Request<pb::GetOperationRequest>,
    ) -> Result<Response<pb::GetOperationResponse>, Status> {
        let operation = self.registry.get(&request.into_inner().id).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::GetOperationResponse { operation: Some(convert_operation::operation(&operation)) }))
    }

    async fn list(
        &self,
        request: Request<pb::ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let (request, changes) = (request.into_inner(), self.registry.changes());
        if let Some(answer) = self.listed.find(&request, changes) {
            return Ok(Response::new(answer));
        }
        let filter = convert_operation::filter(&request)?;
        let after = convert_operation::after(&request.page_token)?;
        let page = self.registry.list(&filter, after.as_ref(), page_size(request.page_size)).await;
        let page = page.map_err(|e| status::of(&e))?;
        let answer = ListOperationsResponse::from(convert_operation::listed(page));
        self.listed.keep(request, changes, &answer);
        Ok(Response::new(answer))
    }

    type WatchStream = BoxStream<'static, Result<pb::WatchOperationResponse, Status>>;

    async fn watch(&self, request: Request<pb::WatchOperationRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let changes = self.registry.watch(&request.into_inner().id).await.map_err(|e| status::of(&e))?;
        // the final state is the last; trainings outlive the daemon, and a stream of one is cut short with it
        let changes = super::ends_with(WatchStream::new(changes), |operation| operation.state.is_final());
        let messages =
            changes.map(|one| Ok(pb::WatchOperationResponse { operation: Some(convert_operation::operation(&one)) }));
        Ok(Response::new(super::cut_short_by(self.stop.clone(), messages).boxed()))
    }

    async fn cancel(
        &self,
        request: Request<pb::CancelOperationRequest>,
    ) -> Result<Response<pb::CancelOperationResponse>, Status> {
        let request = request.into_inner();
        let note = note(&request.note);
        let (operation, already_ended) = self.registry.cancel(&request.id, &note).await.map_err(|e| status::of(&e))?;
        let operation = Some(convert_operation::operation(&operation));
        Ok(Response::new(pb::CancelOperationResponse { operation, already_ended }))
    }

    async fn retry(
        &self,
        request: Request<pb::RetryOperationRequest>,
    ) -> Result<Response<pb::RetryOperationResponse>, Status> {
        let peer = Peer::of(&request);
        let request = request.into_inner();
        let started =
            self.registry.retry(&request.id, peer.asks(request.request_id)).await.map_err(|e| status::of(&e))?;
        let operation = Some(convert_operation::operation(&started.operation));
        Ok(Response::new(pb::RetryOperationResponse { operation }))
    }
}
