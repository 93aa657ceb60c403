//! The services of the scripted daemon.

use std::pin::Pin;

use ktrdr_proto::{
    BUILD_KEY, CONTRACT, CONTRACT_KEY, REQUEST_ID_KEY,
    served::ListOperationsResponse,
    v1::{
        self, CancelOperationRequest, GetGatewayStatusResponse, ImportRequest, ListOperationsRequest, LoadRequest,
        Operation, QueryRequest, QueryResponse, RetryOperationRequest, query_response::Part,
    },
};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::{Handlers, Script, Seen};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Handlers {
    /// Notes the call; then the script decides whether it is answered.
    pub(super) async fn enter<T>(&self, call: &'static str, request: &Request<T>) -> Result<(), Status> {
        {
            let mut seen = self.0.seen.lock().unwrap();
            seen.calls.push(call);
            let id = request.metadata().get(REQUEST_ID_KEY).unwrap();
            seen.request_ids.push(id.to_str().unwrap().to_owned());
        }
        if self.0.script.silent {
            std::future::pending::<()>().await;
        }
        match self.0.script.refuse.clone() {
            Some(mut status) => {
                self.mark(status.metadata_mut());
                Err(status)
            }
            None => Ok(()),
        }
    }

    pub(super) fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.0.seen.lock().unwrap());
    }

    fn mark(&self, metadata: &mut tonic::metadata::MetadataMap) {
        metadata.insert(CONTRACT_KEY, self.0.script.contract.unwrap_or(CONTRACT).into());
        metadata.insert(BUILD_KEY, "9.9.9".parse().unwrap());
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last line of every handler")]
    pub(super) fn reply<T>(&self, message: T) -> Result<Response<T>, Status> {
        let mut response = Response::new(message);
        self.mark(response.metadata_mut());
        Ok(response)
    }

    pub(super) fn last_operation(&self) -> Option<Operation> {
        self.0.script.operation.last().cloned()
    }
}

fn answers<T: Send + 'static>(items: Vec<Result<T, Status>>, lasting: bool) -> Answers<T> {
    let head = tokio_stream::iter(items);
    if lasting { Box::pin(head.chain(tokio_stream::pending())) } else { Box::pin(head) }
}

#[tonic::async_trait]
impl v1::market_data_server::MarketData for Handlers {
    type QueryStream = Answers<QueryResponse>;

    async fn load(&self, request: Request<LoadRequest>) -> Result<Response<v1::LoadResponse>, Status> {
        self.enter("load", &request).await?;
        self.note(|seen| seen.loads.push(request.into_inner()));
        tokio::time::sleep(self.0.script.slow).await;
        let operation = self.0.script.operation.first().cloned();
        self.reply(v1::LoadResponse { operation, joined: self.0.script.joined, same_request: true })
    }

    async fn load_many(&self, request: Request<v1::LoadManyRequest>) -> Result<Response<v1::LoadManyResponse>, Status> {
        self.enter("load_many", &request).await?;
        self.note(|seen| seen.many_loads.push(request.into_inner()));
        self.reply(v1::LoadManyResponse { operation: self.0.script.operation.first().cloned() })
    }

    async fn plan_load(&self, request: Request<v1::PlanLoadRequest>) -> Result<Response<v1::PlanLoadResponse>, Status> {
        self.enter("plan_load", &request).await?;
        self.note(|seen| seen.many_loads.extend(request.into_inner().load));
        self.reply(v1::PlanLoadResponse { series: self.0.script.planned.clone() })
    }

    async fn query(&self, request: Request<QueryRequest>) -> Result<Response<Self::QueryStream>, Status> {
        self.enter("query", &request).await?;
        self.note(|seen| seen.queries.push(request.into_inner()));
        let Script { header, chunks, query_end, .. } = self.0.script.clone();
        let part = |part| Ok(QueryResponse { part: Some(part) });
        let mut parts = vec![part(Part::Header(header))];
        parts.extend(chunks.into_iter().map(|chunk| part(Part::Bars(chunk))));
        parts.extend(query_end.map(Err));
        let stream = answers(parts, false);
        self.reply(stream)
    }

    type ExportStream = Answers<v1::ExportResponse>;

    async fn export(&self, request: Request<v1::ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        use v1::export_response::Part;
        self.enter("export", &request).await?;
        let part = |part| Ok(v1::ExportResponse { part: Some(part) });
        let pieces = [Part::Header(self.0.script.header.clone()), Part::Data(b"PAR1".to_vec())];
        let stream =
            answers(pieces.map(part).into_iter().chain(self.0.script.query_end.clone().map(Err)).collect(), false);
        self.reply(stream)
    }

    async fn get_range(&self, request: Request<v1::GetRangeRequest>) -> Result<Response<v1::GetRangeResponse>, Status> {
        self.enter("get_range", &request).await?;
        self.reply(v1::GetRangeResponse { series: self.0.script.series.first().cloned() })
    }

    async fn list_series(
        &self,
        request: Request<v1::ListSeriesRequest>,
    ) -> Result<Response<v1::ListSeriesResponse>, Status> {
        self.enter("list_series", &request).await?;
        self.reply(v1::ListSeriesResponse { series: self.0.script.series.clone() })
    }

    async fn validate(&self, request: Request<v1::ValidateRequest>) -> Result<Response<v1::ValidateResponse>, Status> {
        self.enter("validate", &request).await?;
        self.note(|seen| seen.validations.push(request.into_inner()));
        self.reply(self.0.script.validated.clone())
    }

    type SubscribeStream = Answers<v1::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        self.enter("subscribe", &request).await?;
        self.note(|seen| seen.subscriptions.push(request.into_inner()));
        let Script { live, live_end, .. } = self.0.script.clone();
        let event = |event| Ok(v1::SubscribeResponse { event: Some(event) });
        let lasting = live_end.is_none();
        let events = live.into_iter().map(event).chain(live_end.map(Err)).collect();
        let stream = answers(events, lasting);
        self.reply(stream)
    }

    type CheckStream = Answers<v1::CheckResponse>;

    async fn check(&self, request: Request<v1::CheckRequest>) -> Result<Response<Self::CheckStream>, Status> {
        self.enter("check", &request).await?;
        let stream = answers(self.0.script.checked.iter().cloned().map(Ok).collect(), false);
        self.reply(stream)
    }

    async fn get_calendar(
        &self,
        request: Request<v1::GetCalendarRequest>,
    ) -> Result<Response<v1::GetCalendarResponse>, Status> {
        self.enter("get_calendar", &request).await?;
        self.reply(self.0.script.calendar.clone())
    }

    async fn list_calendars(
        &self,
        request: Request<v1::ListCalendarsRequest>,
    ) -> Result<Response<v1::ListCalendarsResponse>, Status> {
        self.enter("list_calendars", &request).await?;
        self.reply(v1::ListCalendarsResponse {
            calendars: self.0.script.calendar.calendar.clone().into_iter().collect(),
        })
    }

    async fn import(&self, request: Request<Streaming<ImportRequest>>) -> Result<Response<v1::ImportResponse>, Status> {
        self.enter("import", &request).await?;
        let mut parts = request.into_inner();
        loop {
            match parts.message().await {
                Ok(Some(part)) => self.note(|seen| seen.imported.push(part)),
                Ok(None) => break,
                Err(status) => {
                    self.note(|seen| seen.import_broke_off = true);
                    return Err(status);
                }
            }
        }
        self.reply(v1::ImportResponse { operation: self.0.script.operation.first().cloned() })
    }
}

#[tonic::async_trait]
impl v1::operations_server::Operations for Handlers {
    type WatchStream = Answers<v1::WatchOperationResponse>;

    async fn get(
        &self,
        request: Request<v1::GetOperationRequest>,
    ) -> Result<Response<v1::GetOperationResponse>, Status> {
        self.enter("get", &request).await?;
        self.reply(v1::GetOperationResponse { operation: self.last_operation() })
    }

    async fn list(&self, request: Request<ListOperationsRequest>) -> Result<Response<ListOperationsResponse>, Status> {
        self.enter("list", &request).await?;
        let request = request.into_inner();
        let all = &self.0.script.operations;
        let start = request.page_token.parse().unwrap_or(0_usize);
        let end = all.len().min(start + request.page_size.min(1000) as usize);
        let next_page_token = if end < all.len() { end.to_string() } else { String::new() };
        self.note(|seen| seen.lists.push(request));
        let operations = all[start..end].to_vec();
        self.reply(v1::ListOperationsResponse { operations, next_page_token, total: all.len() as u64 }.into())
    }

    async fn watch(&self, request: Request<v1::WatchOperationRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.enter("watch", &request).await?;
        let event = |operation: Operation| Ok(v1::WatchOperationResponse { operation: Some(operation) });
        let states = self.0.script.operation.iter().cloned().map(event).collect();
        let stream = answers(states, self.0.script.lasting);
        self.reply(stream)
    }

    async fn cancel(
        &self,
        request: Request<CancelOperationRequest>,
    ) -> Result<Response<v1::CancelOperationResponse>, Status> {
        self.enter("cancel", &request).await?;
        self.note(|seen| seen.cancels.push(request.into_inner()));
        if self.0.script.uncancellable {
            std::future::pending::<()>().await;
        }
        self.0.cancelled.notify_waiters();
        match self.0.script.cancelled.clone() {
            Some(operation) => {
                self.reply(v1::CancelOperationResponse { operation: Some(operation), already_ended: false })
            }
            None => self.reply(v1::CancelOperationResponse { operation: self.last_operation(), already_ended: true }),
        }
    }

    async fn retry(
        &self,
        request: Request<RetryOperationRequest>,
    ) -> Result<Response<v1::RetryOperationResponse>, Status> {
        self.enter("retry", &request).await?;
        self.note(|seen| seen.retries.push(request.into_inner()));
        self.reply(v1::RetryOperationResponse { operation: self.0.script.operation.first().cloned() })
    }
}

#[tonic::async_trait]
impl v1::gateway_server::Gateway for Handlers {
    type WatchStream = Answers<v1::WatchGatewayResponse>;

    async fn get_status(
        &self,
        request: Request<v1::GetGatewayStatusRequest>,
    ) -> Result<Response<GetGatewayStatusResponse>, Status> {
        self.enter("gateway_status", &request).await?;
        self.reply(GetGatewayStatusResponse { status: self.0.script.gateway.first().cloned() })
    }

    async fn watch(&self, request: Request<v1::WatchGatewayRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.enter("gateway_watch", &request).await?;
        let event = |status| Ok(v1::WatchGatewayResponse { status: Some(status) });
        let stream = answers(self.0.script.gateway.iter().cloned().map(event).collect(), false);
        self.reply(stream)
    }

    async fn test(
        &self,
        request: Request<v1::TestGatewayRequest>,
    ) -> Result<Response<v1::TestGatewayResponse>, Status> {
        self.enter("gateway_test", &request).await?;
        self.reply(v1::TestGatewayResponse {
            gateway_time_ns: crate::samples::FRIDAY,
            latency_seconds: 0.0125,
            status: self.0.script.gateway.first().cloned(),
        })
    }

    async fn reconnect(
        &self,
        request: Request<v1::ReconnectGatewayRequest>,
    ) -> Result<Response<v1::ReconnectGatewayResponse>, Status> {
        self.enter("gateway_reconnect", &request).await?;
        self.reply(v1::ReconnectGatewayResponse { status: self.0.script.gateway.first().cloned() })
    }
}

#[tonic::async_trait]
impl v1::daemon_server::Daemon for Handlers {
    async fn get_status(
        &self,
        request: Request<v1::GetDaemonStatusRequest>,
    ) -> Result<Response<v1::GetDaemonStatusResponse>, Status> {
        self.enter("daemon_status", &request).await?;
        self.reply(v1::GetDaemonStatusResponse {
            version: "9.9.9".to_owned(),
            contract: self.0.script.contract.unwrap_or(CONTRACT),
            pid: self.0.script.pid,
            started_at_ns: crate::samples::FRIDAY,
            socket: "/run/ktrdr/ktrdrd.sock".to_owned(),
            data_dir: "/var/lib/ktrdr".to_owned(),
            config_files: vec!["/etc/ktrdr/config.toml".to_owned()],
            series: 3,
            operations_running: 1,
            memory_bytes: 12 << 20,
            log_level: "info".to_owned(),
            cache_bytes: 3 << 20,
            cache_budget_bytes: 64 << 20,
            cache_hits: 3,
            cache_misses: 1,
            unit: String::new(),
            unit_of_user: false,
            bucket: Some(v1::BucketStatus {
                address: "s3://bars/quant".to_owned(),
                files_behind: 2,
                files_fetched: 5,
                last_error: "the bucket does not answer".to_owned(),
            }),
        })
    }

    async fn shutdown(&self, request: Request<v1::ShutdownRequest>) -> Result<Response<v1::ShutdownResponse>, Status> {
        self.enter("shutdown", &request).await?;
        self.0.stop.notify_one();
        self.reply(v1::ShutdownResponse { pid: self.0.script.pid })
    }

    async fn set_log_level(
        &self,
        request: Request<v1::SetLogLevelRequest>,
    ) -> Result<Response<v1::SetLogLevelResponse>, Status> {
        self.enter("set_log_level", &request).await?;
        self.reply(v1::SetLogLevelResponse { previous: "info".to_owned() })
    }
}
