//! Trainings and host services of the scripted daemon.

use ktrdr_proto::v1;
use tonic::{Request, Response, Status};

use super::Handlers;

#[tonic::async_trait]
impl v1::training_server::Training for Handlers {
    async fn start(
        &self,
        request: Request<v1::StartTrainingRequest>,
    ) -> Result<Response<v1::StartTrainingResponse>, Status> {
        self.enter("training_start", &request).await?;
        let request = request.into_inner();
        let operation = self.0.script.operation.first().cloned().filter(|_| !request.dry_run);
        self.note(|seen| seen.trainings.push(request));
        let plan = Some(self.0.script.training_plan.clone());
        self.reply(v1::StartTrainingResponse { operation, joined: self.0.script.joined, plan })
    }

    async fn get(&self, request: Request<v1::GetTrainingRequest>) -> Result<Response<v1::GetTrainingResponse>, Status> {
        self.enter("training_get", &request).await?;
        self.reply(v1::GetTrainingResponse { operation: self.last_operation() })
    }

    async fn list(
        &self,
        request: Request<v1::ListTrainingsRequest>,
    ) -> Result<Response<v1::ListTrainingsResponse>, Status> {
        self.enter("training_list", &request).await?;
        self.reply(v1::ListTrainingsResponse { operations: self.0.script.operations.clone(), ..Default::default() })
    }

    async fn stop(
        &self,
        request: Request<v1::StopTrainingRequest>,
    ) -> Result<Response<v1::StopTrainingResponse>, Status> {
        self.enter("training_stop", &request).await?;
        self.reply(v1::StopTrainingResponse { operation: self.last_operation(), already_ended: false })
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        self.enter("list_models", &request).await?;
        self.reply(v1::ListModelsResponse { models: self.0.script.models.clone(), folder: "/srv/models".to_owned() })
    }

    async fn get_model(&self, request: Request<v1::GetModelRequest>) -> Result<Response<v1::GetModelResponse>, Status> {
        self.enter("get_model", &request).await?;
        let id = request.into_inner().id;
        let model = self.0.script.models.iter().find(|model| model.id.starts_with(&id)).cloned();
        self.reply(v1::GetModelResponse { model })
    }
}

#[tonic::async_trait]
impl v1::host_services_server::HostServices for Handlers {
    async fn list(
        &self,
        request: Request<v1::ListHostServicesRequest>,
    ) -> Result<Response<v1::ListHostServicesResponse>, Status> {
        self.enter("list_services", &request).await?;
        self.reply(v1::ListHostServicesResponse { services: self.0.script.services.clone() })
    }

    async fn check(
        &self,
        request: Request<v1::CheckHostServicesRequest>,
    ) -> Result<Response<v1::CheckHostServicesResponse>, Status> {
        self.enter("check_services", &request).await?;
        self.reply(v1::CheckHostServicesResponse { services: self.0.script.services.clone() })
    }
}
