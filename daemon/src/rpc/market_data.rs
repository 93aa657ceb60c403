//! `ktrdr.v1.MarketData`: decode, one call, encode.

use futures_util::{StreamExt, stream::BoxStream};
use ktrdr_proto::v1::{self as pb, market_data_server};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{
    convert, convert_calendar, convert_check, convert_contract, convert_live, convert_load, convert_operation,
    peer::Peer, status,
};
use crate::{
    clock,
    market_data::{self, Calendar, FileSpec, Header, LiveRequest, MarketData, MarketDataError, Rows, Upload},
};

/// The service.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) market_data: MarketData,
    pub(super) stop: CancellationToken,
}

#[tonic::async_trait]
impl market_data_server::MarketData for Handler {
    async fn load(&self, request: Request<pb::LoadRequest>) -> Result<Response<pb::LoadResponse>, Status> {
        let peer = Peer::of(&request);
        let request = request.into_inner();
        let load = convert_load::one(&request)?;
        let asked = peer.asks(request.request_id);
        let started = self.market_data.load(load, asked, None).await.map_err(|e| status::of(&e))?;
        let operation = Some(convert_operation::operation(&started.operation));
        Ok(Response::new(pb::LoadResponse { operation, joined: started.joined, same_request: started.same_request }))
    }

    async fn load_many(&self, request: Request<pb::LoadManyRequest>) -> Result<Response<pb::LoadManyResponse>, Status> {
        let peer = Peer::of(&request);
        let request = request.into_inner();
        let loads = convert_load::many(&request)?;
        let asked = peer.asks(request.request_id);
        let started = self.market_data.load_many(loads, asked, None).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::LoadManyResponse { operation: Some(convert_operation::operation(&started.operation)) }))
    }

    async fn plan_load(&self, request: Request<pb::PlanLoadRequest>) -> Result<Response<pb::PlanLoadResponse>, Status> {
        let loads = market_data::once_each(convert_load::many(&request.into_inner().load.unwrap_or_default())?);
        let (mut series, ranges) = (Vec::new(), convert_load::ranges_of_each(loads.len()));
        for load in loads {
            let planned = self.market_data.plan(&load).await;
            series.push(convert_load::planned(&load.key, planned.as_ref(), ranges));
        }
        Ok(Response::new(pb::PlanLoadResponse { series }))
    }

    type QueryStream = BoxStream<'static, Result<pb::QueryResponse, Status>>;

    async fn query(&self, request: Request<pb::QueryRequest>) -> Result<Response<Self::QueryStream>, Status> {
        let (header, rows) = self.rows(request.into_inner()).await?;
        let rows =
            ReceiverStream::new(rows).map(|rows| rows.map(|chunk| convert::bars(&chunk)).map_err(|e| status::of(&e)));
        let parts = futures_util::stream::iter([Ok(convert::header(&header))]).chain(rows);
        Ok(Response::new(super::cut_short_by(self.stop.clone(), parts).boxed()))
    }

    type ExportStream = BoxStream<'static, Result<pb::ExportResponse, Status>>;

    async fn export(&self, request: Request<pb::ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        let request = request.into_inner();
        let format = convert::export_format(request.format)?;
        let (header, rows) = self.rows(request.query.unwrap_or_default()).await?;
        let pieces = ReceiverStream::new(market_data::file(format, &header, rows).map_err(|e| status::of(&e))?);
        let pieces = pieces.map(|piece| piece.map(convert::piece).map_err(|e| status::of(&e)));
        let parts = futures_util::stream::iter([Ok(convert::export_header(&header))]).chain(pieces);
        Ok(Response::new(super::cut_short_by(self.stop.clone(), parts).boxed()))
    }

    async fn get_range(&self, request: Request<pb::GetRangeRequest>) -> Result<Response<pb::GetRangeResponse>, Status> {
        let key = convert::series_key(request.into_inner().series.as_ref())?;
        let state = self.market_data.range(&key).map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::GetRangeResponse { series: Some(convert::summary(&key, &state)) }))
    }

    async fn list_series(
        &self,
        _request: Request<pb::ListSeriesRequest>,
    ) -> Result<Response<pb::ListSeriesResponse>, Status> {
        let series = self.market_data.list();
        let series = series.iter().map(|(key, state)| convert::summary(key, state)).collect();
        Ok(Response::new(pb::ListSeriesResponse { series }))
    }

    async fn import(
        &self,
        request: Request<Streaming<pb::ImportRequest>>,
    ) -> Result<Response<pb::ImportResponse>, Status> {
        let peer = Peer::of(&request);
        let (upload, request_id) = receive(request.into_inner(), self.market_data.upload()).await?;
        let started = self.market_data.import(upload, peer.asks(request_id)).await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::ImportResponse { operation: Some(convert_operation::operation(&started.operation)) }))
    }

    async fn validate(&self, request: Request<pb::ValidateRequest>) -> Result<Response<pb::ValidateResponse>, Status> {
        let request = request.into_inner();
        let symbol = convert::symbol(&request.symbol)?;
        let (what, session) =
            (convert::optional_what(request.what_to_show)?, convert::optional_session(request.session)?);
        let known = self.market_data.validate(symbol, what, session, request.refresh).await;
        Ok(Response::new(convert_contract::validated(&known.map_err(|e| status::of(&e))?)))
    }

    type SubscribeStream = BoxStream<'static, Result<pb::SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        let key = convert::series_key(request.series.as_ref())?;
        let basis = convert_load::basis(request.session, request.what_to_show, &key)?;
        let header = convert_live::header(&key, basis, request.keep);
        let live = LiveRequest { key, basis, keep: request.keep, history: request.history };
        let watch = self.market_data.watch(live).map_err(|e| status::of(&e))?;
        let events = futures_util::stream::unfold(watch, |mut watch| async move {
            let event = watch.next().await?;
            Some((event.map(convert_live::event).map_err(|e| status::of(&*e)), watch))
        });
        let parts = futures_util::stream::iter([Ok(header)]).chain(events);
        Ok(Response::new(super::cut_short_by(self.stop.clone(), parts).boxed()))
    }

    async fn get_calendar(
        &self,
        request: Request<pb::GetCalendarRequest>,
    ) -> Result<Response<pb::GetCalendarResponse>, Status> {
        let request = request.into_inner();
        let (first, last) = convert_calendar::dates(&request)?;
        let calendar = Calendar::of_name_or_symbol(&request.name, clock::year()).map_err(|e| status::of(&e))?;
        Ok(Response::new(convert_calendar::days(calendar, first, last)))
    }

    async fn list_calendars(
        &self,
        _request: Request<pb::ListCalendarsRequest>,
    ) -> Result<Response<pb::ListCalendarsResponse>, Status> {
        Ok(Response::new(convert_calendar::all()))
    }

    type CheckStream = BoxStream<'static, Result<pb::CheckResponse, Status>>;

    async fn check(&self, request: Request<pb::CheckRequest>) -> Result<Response<Self::CheckStream>, Status> {
        let mut keys = convert_check::keys(&request.into_inner())?;
        if keys.is_empty() {
            keys = self.market_data.list().into_iter().map(|(key, _)| key).collect();
        }
        let market_data = self.market_data.clone();
        let checked =
            futures_util::stream::iter(keys).then(move |key| {
                let market_data = market_data.clone();
                async move {
                    market_data.check(key).await.map(|one| convert_check::checked(&one)).map_err(|e| status::of(&e))
                }
            });
        Ok(Response::new(super::cut_short_by(self.stop.clone(), checked).boxed()))
    }
}

impl Handler {
    async fn rows(&self, request: pb::QueryRequest) -> Result<(Header, Rows), Status> {
        let key = convert::series_key(request.series.as_ref())?;
        let view = convert::view(&request)?;
        let (start, end) = convert::bounds(request.range);
        let query = self.market_data.query(key, start, end, convert::window(request.window), view).await;
        query.map_err(|e| status::of(&e))
    }
}

/// Parses the files while they arrive. Parsing is off the runtime's threads; a client that hangs up leaves nothing.
async fn receive(mut parts: Streaming<pb::ImportRequest>, mut upload: Upload) -> Result<(Upload, String), Status> {
    use pb::import_request::Part;
    let mut request_id = None;
    while let Some(message) = parts.message().await? {
        match (message.part, &request_id) {
            (Some(Part::Start(start)), None) => request_id = Some(start.request_id),
            (Some(Part::File(file)), Some(_)) => {
                // ends the file before it, which sorts its bars
                let spec = file_spec(file)?;
                upload = off_the_runtime(move || upload.file(spec).map(|()| upload)).await?;
            }
            (Some(Part::Data(bytes)), Some(_)) => {
                upload = off_the_runtime(move || upload.data(&bytes).map(|()| upload)).await?;
            }
            _ => {
                return Err(status::invalid("an import is one start, then files, each followed by its data"));
            }
        }
    }
    let request_id = request_id.ok_or_else(|| status::invalid("the import has no start"))?;
    Ok((off_the_runtime(move || upload.finish()).await?, request_id))
}

async fn off_the_runtime(
    work: impl FnOnce() -> Result<Upload, MarketDataError> + Send + 'static,
) -> Result<Upload, Status> {
    tokio::task::spawn_blocking(work).await.map_err(super::defect)?.map_err(|e| status::of(&e))
}

fn file_spec(file: pb::ImportFile) -> Result<FileSpec, Status> {
    Ok(FileSpec {
        symbol: file.symbol.as_deref().map(convert::symbol).transpose()?,
        timeframe: convert::optional_timeframe(file.timeframe)?,
        session: convert::optional_session(file.session)?,
        what: convert::optional_what(file.what_to_show)?,
        time_zone: file.time_zone,
        label: file.label,
    })
}
