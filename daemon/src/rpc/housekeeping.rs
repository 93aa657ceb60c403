//! `ktrdr.v1.Housekeeping`.

use futures_util::{StreamExt, stream, stream::BoxStream};
use ktrdr_proto::v1::{self as pb, housekeeping_server::Housekeeping};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{convert, convert_housekeeping as wire, convert_operation, peer::Peer, status};
use crate::market_data::{MarketData, VerifiedFile};

#[derive(Debug)]
pub(super) struct Handler {
    pub(super) market_data: MarketData,
    pub(super) stop: CancellationToken,
}

#[tonic::async_trait]
impl Housekeeping for Handler {
    async fn get_info(&self, request: Request<pb::GetInfoRequest>) -> Result<Response<pb::GetInfoResponse>, Status> {
        let request = request.into_inner();
        let symbol = convert::symbol(&request.symbol)?;
        let timeframe = convert::optional_timeframe(request.timeframe)?;
        let info = self.market_data.info(symbol, timeframe).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(wire::info(&info)))
    }

    type VerifyStream = BoxStream<'static, Result<pb::VerifyResponse, Status>>;

    async fn verify(&self, request: Request<pb::VerifyRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        let keys = request.into_inner().series;
        let keys = keys.iter().map(|key| convert::series_key(Some(key))).collect::<Result<Vec<_>, _>>()?;
        let all = || self.market_data.list().into_iter().map(|(key, _)| key).collect();
        let keys = if keys.is_empty() { all() } else { keys };
        let market_data = self.market_data.clone();
        let files = stream::iter(keys).then(move |key| {
            let market_data = market_data.clone();
            async move { market_data.verify(key).await }
        });
        let one = |file: VerifiedFile| Ok(wire::verified(file));
        let answers = files.flat_map(move |files| match files {
            Ok(files) => stream::iter(files.into_iter().map(one).collect::<Vec<_>>()),
            Err(error) => stream::iter(vec![Err(status::of(&error))]),
        });
        Ok(Response::new(super::cut_short_by(self.stop.clone(), answers).boxed()))
    }

    async fn repair(&self, request: Request<pb::RepairRequest>) -> Result<Response<pb::RepairResponse>, Status> {
        let peer = Peer::of(&request);
        let request = request.into_inner();
        let key = convert::series_key(request.series.as_ref())?;
        if request.dry_run {
            let plan = self.market_data.repair_plan(key).await.map_err(|e| status::of(&e))?;
            return Ok(Response::new(wire::plan(&plan, None)));
        }
        let asked = peer.asks(request.request_id);
        let (plan, started) = self.market_data.repair(key, asked).await.map_err(|e| status::of(&e))?;
        let operation = started.map(|started| convert_operation::operation(&started.operation));
        Ok(Response::new(wire::plan(&plan, operation)))
    }

    async fn restore(&self, request: Request<pb::RestoreRequest>) -> Result<Response<pb::RestoreResponse>, Status> {
        let request = request.into_inner();
        let key = convert::series_key(request.series.as_ref())?;
        let operation = Some(request.operation).filter(|operation| !operation.is_empty());
        let restored = self.market_data.restore(key, operation, request.dry_run).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(wire::restored(restored)))
    }

    async fn delete(&self, request: Request<pb::DeleteRequest>) -> Result<Response<pb::DeleteResponse>, Status> {
        let request = request.into_inner();
        let key = convert::series_key(request.series.as_ref())?;
        let (start, end) = convert::bounds(request.range);
        let deleted = self.market_data.delete(key, start, end, request.dry_run).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::DeleteResponse {
            bars: deleted.bars,
            bars_left: deleted.left,
            operation: deleted.operation.unwrap_or_default(),
        }))
    }

    async fn compact(&self, request: Request<pb::CompactRequest>) -> Result<Response<pb::CompactResponse>, Status> {
        let request = request.into_inner();
        let compacted = self.market_data.compact(request.older_than_days, request.dry_run).await;
        let (files, size_bytes) = compacted.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::CompactResponse { files, size_bytes }))
    }
}
