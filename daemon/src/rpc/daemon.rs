//! `ktrdr.v1.Daemon`: decode, one call, encode.

use ktrdr_proto::v1::{self as pb, daemon_server};
use tonic::{Request, Response, Status};

use super::{Ending, status};
use crate::{
    bucket::{Mirror, MirrorFacts},
    facts::{Facts, resident_bytes},
    market_data::MarketData,
    operations::Registry,
    telemetry::LogLevel,
};

/// The service.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) facts: Facts,
    pub(super) market_data: MarketData,
    pub(super) mirror: Option<Mirror>,
    pub(super) registry: Registry,
    pub(super) log_level: LogLevel,
    /// Begins the orderly stop, or a restart.
    pub(super) ending: Ending,
}

#[tonic::async_trait]
impl daemon_server::Daemon for Handler {
    async fn get_status(
        &self,
        _request: Request<pb::GetDaemonStatusRequest>,
    ) -> Result<Response<pb::GetDaemonStatusResponse>, Status> {
        let cache = self.market_data.cache_facts();
        Ok(Response::new(pb::GetDaemonStatusResponse {
            version: ktrdr_proto::BUILD.into(),
            contract: ktrdr_proto::CONTRACT,
            pid: std::process::id(),
            started_at_ns: self.facts.started_at,
            socket: self.facts.socket.display().to_string(),
            data_dir: self.facts.data_dir.display().to_string(),
            config_files: self.facts.config_files.iter().map(|file| file.display().to_string()).collect(),
            series: self.market_data.count() as u64,
            operations_running: self.registry.running() as u64,
            memory_bytes: resident_bytes(),
            log_level: self.log_level.get(),
            cache_bytes: cache.bytes,
            cache_budget_bytes: cache.budget,
            cache_hits: cache.hits,
            cache_misses: cache.misses,
            bucket: self.mirror.as_ref().map(|mirror| bucket(mirror.facts())),
            unit: self.facts.unit.as_ref().map(|unit| unit.name.clone()).unwrap_or_default(),
            unit_of_user: self.facts.unit.as_ref().is_some_and(|unit| unit.of_user),
        }))
    }

    async fn shutdown(&self, request: Request<pb::ShutdownRequest>) -> Result<Response<pb::ShutdownResponse>, Status> {
        let restart = request.into_inner().restart;
        tracing::info!(restart, "shutdown asked for");
        if restart {
            self.ending.restart();
        } else {
            self.ending.stop();
        }
        Ok(Response::new(pb::ShutdownResponse { pid: std::process::id() }))
    }

    async fn set_log_level(
        &self,
        request: Request<pb::SetLogLevelRequest>,
    ) -> Result<Response<pb::SetLogLevelResponse>, Status> {
        let previous = self.log_level.set(&request.into_inner().level).map_err(status::invalid)?;
        Ok(Response::new(pb::SetLogLevelResponse { previous }))
    }
}

fn bucket(facts: MirrorFacts) -> pb::BucketStatus {
    let MirrorFacts { address, behind, fetched, last_error } = facts;
    pb::BucketStatus {
        address,
        files_behind: behind as u64,
        files_fetched: fetched,
        last_error: last_error.unwrap_or_default(),
    }
}
