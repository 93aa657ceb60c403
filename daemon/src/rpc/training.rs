//! `ktrdr.v1.Training`: decode, one call, encode.

use std::time::Duration;

use ktrdr_proto::v1::{self as pb, training_server};
use tonic::{Request, Response, Status};

use super::{convert_operation, convert_training, operations, peer::Peer, status};
use crate::{operations::Registry, training::Training};

/// For each host, before a plan says that it does not answer.
const PLAN_TIME_MAX: Duration = Duration::from_secs(20);
/// The same, before a start is answered without what there would be to say of that host.
const NOTES_TIME_MAX: Duration = Duration::from_secs(2);

/// The service.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) training: Training,
    pub(super) registry: Registry,
}

#[tonic::async_trait]
impl training_server::Training for Handler {
    async fn start(
        &self,
        request: Request<pb::StartTrainingRequest>,
    ) -> Result<Response<pb::StartTrainingResponse>, Status> {
        let peer = Peer::of(&request);
        let request = request.into_inner();
        let (start, asked) = (convert_training::request(&request)?, peer.asks(request.request_id));
        let (started, plan) = if request.dry_run {
            (None, self.training.plan(&start).map_err(|e| status::of(&e))?)
        } else {
            let (started, plan) = self.training.start(start.clone(), asked).await.map_err(|e| status::of(&e))?;
            (Some(started), plan)
        };
        // an id must not wait for a host that hangs
        let limit = if request.dry_run { PLAN_TIME_MAX } else { NOTES_TIME_MAX };
        let hosts = self.training.planned_hosts(&start, limit).await;
        let series = self.training.stored_series(&plan);
        Ok(Response::new(pb::StartTrainingResponse {
            operation: started.as_ref().map(|started| convert_operation::operation(&started.operation)),
            joined: started.is_some_and(|started| started.joined),
            plan: Some(convert_training::plan(&plan, hosts, series)),
        }))
    }

    async fn get(&self, request: Request<pb::GetTrainingRequest>) -> Result<Response<pb::GetTrainingResponse>, Status> {
        let operation = self.training.get(&request.into_inner().id).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::GetTrainingResponse { operation: Some(convert_operation::operation(&operation)) }))
    }

    async fn list(
        &self,
        request: Request<pb::ListTrainingsRequest>,
    ) -> Result<Response<pb::ListTrainingsResponse>, Status> {
        let request = request.into_inner();
        let filter = convert_training::filter(request.active);
        let after = convert_operation::after(&request.page_token)?;
        let page = self.registry.list(&filter, after.as_ref(), operations::page_size(request.page_size)).await;
        let pb::ListOperationsResponse { operations, next_page_token, total } =
            convert_operation::listed(page.map_err(|e| status::of(&e))?);
        Ok(Response::new(pb::ListTrainingsResponse { operations, next_page_token, total }))
    }

    async fn stop(
        &self,
        request: Request<pb::StopTrainingRequest>,
    ) -> Result<Response<pb::StopTrainingResponse>, Status> {
        let request = request.into_inner();
        let note = operations::note(&request.note);
        let (operation, already_ended) = self.training.stop(&request.id, &note).await.map_err(|e| status::of(&e))?;
        let operation = Some(convert_operation::operation(&operation));
        Ok(Response::new(pb::StopTrainingResponse { operation, already_ended }))
    }

    async fn list_models(
        &self,
        request: Request<pb::ListModelsRequest>,
    ) -> Result<Response<pb::ListModelsResponse>, Status> {
        let strategy = request.into_inner().strategy;
        let (models, folder) = self.training.models().await.map_err(|e| status::of(&e))?;
        let wanted = models.into_iter().filter(|model| strategy.is_empty() || model.strategy == strategy);
        Ok(Response::new(pb::ListModelsResponse {
            models: wanted.map(|model| convert_training::model(model, false)).collect(),
            folder: folder.map(|folder| folder.display().to_string()).unwrap_or_default(),
        }))
    }

    async fn get_model(&self, request: Request<pb::GetModelRequest>) -> Result<Response<pb::GetModelResponse>, Status> {
        let model = self.training.model(&request.into_inner().id).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::GetModelResponse { model: Some(convert_training::model(model, true)) }))
    }
}
