//! The k-trdr training services, all generations: their routes on the base of all host services.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};

use super::{
    Capabilities,
    answers::{self, StartAnswer, StopAnswer},
    backend::{Backend, NoList},
    bodies,
    capabilities::{self, OpenApi, Poll, Root, StartBody, StopBy},
    plan::Plan,
    report::Report,
    wire::{Cancelled, OneOperation, OperationsList, Session, SessionsList},
};
use crate::host_service::{Call, HostError, HostService, Repeat, Reply, Route, Trouble};

// time and repeats: the services' own figures under load (their event loop trains, too)
const ROOT: Route = Route::get("/", 5, 2).cheap();
const OPENAPI: Route = Route::get("/openapi.json", 5, 2).cheap();
const SESSIONS: Route = Route::get("/training/sessions", 10, 3).long(16);
const STATUS: Route = Route::get("/training/status/{}", 20, 1).long(16);
const OPERATION: Route = Route::get("/api/v1/operations/{}", 10, 3).long(16);
const OPERATIONS: Route = Route::get("/api/v1/operations", 10, 3).long(16);
const RESULT: Route = Route::get("/training/result/{}", 10, 3).long(16);
const START: Route = Route::post("/training/start", 30);
/// The service waits for the end itself, 30 s at most.
const STOP: Route = Route::post("/training/stop", 45).repeat(Repeat::Always, 1).urgent();
const CANCEL: Route = Route::delete("/api/v1/operations/{}/cancel", 10, 2).urgent();
const FORGET: Route = Route::delete("/training/sessions/{}", 20, 2);

/// A host of the old system.
#[derive(Debug)]
pub(super) struct Client {
    service: HostService,
    told: Mutex<Option<Told>>,
}

/// What a host said of itself.
#[derive(Debug, Clone)]
struct Told {
    capabilities: Capabilities,
    about: String,
    /// Nobody doubts it; of a host that has gone away meanwhile, it is what was true last.
    current: bool,
}

impl Client {
    pub(super) fn new(service: HostService) -> Self {
        Self { service, told: Mutex::default() }
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Capabilities> {
        self.told().as_ref().filter(|told| told.current).map(|told| told.capabilities)
    }

    /// Also of a host that has gone away meanwhile.
    fn last(&self) -> Option<Capabilities> {
        self.told().as_ref().map(|told| told.capabilities)
    }

    async fn ask(&self) -> Result<Capabilities, HostError> {
        let root: Root = self.service.read(&Call::of(&ROOT)).await.inspect_err(|error| self.strange(error))?;
        let call = Call::of(&OPENAPI);
        let reply = self.service.call(&call).await?;
        let openapi = reply.read::<OpenApi>().map_err(|trouble| self.service.unusable(&call, &reply, trouble));
        let openapi = openapi.inspect_err(|error| self.strange(error))?;
        match capabilities::tell(&root, &openapi) {
            Ok(capabilities) => {
                self.service.set_version(Some(capabilities.generation.to_owned()));
                *self.told() = Some(Told { capabilities, about: root.about(), current: true });
                self.service.set_compatible();
                Ok(capabilities)
            }
            Err(why) => {
                self.service.set_incompatible(&why);
                Err(self.service.unusable(&call, &reply, Trouble::Shape { why, start: String::new() }))
            }
        }
    }

    /// Something answers there, and it is no such service.
    fn strange(&self, error: &HostError) {
        if matches!(
            error.trouble,
            Trouble::NotJson { .. } | Trouble::Shape { .. } | Trouble::Refused { status: 400..=499, .. }
        ) {
            self.service.set_incompatible(&crate::error::in_line(&error.trouble));
        }
    }

    async fn status(&self, id: &str) -> Result<Option<Report>, HostError> {
        let call = Call::of(&STATUS).id(id);
        let reply = self.service.call(&call).await?;
        let session: Option<Session> = self.found(&call, &reply)?;
        self.spoken_of(id, session.map(|session| Report::of_session(&session)), &call, &reply)
    }

    async fn operation(&self, id: &str) -> Result<Option<Report>, HostError> {
        let call = Call::of(&OPERATION).id(id);
        let reply = self.service.call(&call).await?;
        let operation: Option<OneOperation> = self.found(&call, &reply)?;
        self.spoken_of(id, operation.map(|one| Report::of_operation(&one.data)), &call, &reply)
    }

    /// An answer that does not name what was asked about is an answer to nothing: read leniently, any document would pass
    /// for a session.
    fn spoken_of(
        &self,
        id: &str,
        report: Option<Report>,
        call: &Call<'_>,
        reply: &Reply,
    ) -> Result<Option<Report>, HostError> {
        match report {
            Some(report) if report.id != id => {
                let why = format!("it speaks of {:?}", report.id);
                Err(self.service.unusable(call, reply, Trouble::Shape { why, start: reply.start() }))
            }
            report => Ok(report),
        }
    }

    /// The first generation says 500 for what it does not know, the later ones 404.
    fn found<T: serde::de::DeserializeOwned>(&self, call: &Call<'_>, reply: &Reply) -> Result<Option<T>, HostError> {
        let gone = reply.status == 404 || (reply.status == 500 && reply.says("not found"));
        if gone {
            return Ok(None);
        }
        reply.read().map(Some).map_err(|trouble| self.service.unusable(call, reply, trouble))
    }

    async fn sessions(&self) -> Result<Vec<Report>, NoList> {
        let capabilities = self.capabilities().await.map_err(NoList::Away)?;
        let call = match capabilities.poll {
            Poll::Sessions => Call::of(&SESSIONS),
            Poll::Operations => Call::of(&OPERATIONS).query("operation_type", "training").query("limit", "1000"),
        };
        let reply = self.service.call(&call).await.map_err(NoList::Away)?;
        if reply.status == 404 {
            // another version has come up behind the same address
            self.forget_capabilities();
        }
        let unusable = |trouble| NoList::Refused(self.service.unusable(&call, &reply, trouble));
        match capabilities.poll {
            Poll::Sessions => {
                let list: SessionsList = reply.read().map_err(unusable)?;
                Ok(list.sessions.iter().map(Report::of_session).collect())
            }
            Poll::Operations => {
                let list: OperationsList = reply.read().map_err(unusable)?;
                Ok(list.data.iter().map(Report::of_operation).collect())
            }
        }
    }

    /// What is refused because it is written for another version is certainly not started: it is asked again what it is.
    async fn send_start(&self, id: &str, plan: &Plan) -> StartAnswer {
        let first = match self.capabilities().await {
            Ok(capabilities) => capabilities,
            Err(error) => return StartAnswer::NotSent(error),
        };
        let outcome = self.post_start(first, id, plan).await;
        let refused = outcome.as_ref().is_ok_and(|(_, reply)| matches!(reply.status, 404 | 405 | 422));
        let outcome = if refused {
            self.forget_capabilities();
            match self.capabilities().await {
                Ok(now) if now != first => self.post_start(now, id, plan).await,
                _ => outcome,
            }
        } else {
            outcome
        };
        match outcome {
            Ok((call, reply)) => {
                answers::of_start(id, Ok(reply.clone()), |trouble| self.service.unusable(&call, &reply, trouble))
            }
            Err(error) => answers::of_start(id, Err(error.clone()), |_| error),
        }
    }

    async fn post_start<'a>(
        &self,
        capabilities: Capabilities,
        id: &'a str,
        plan: &'a Plan,
    ) -> Result<(Call<'static>, Reply), HostError> {
        let call = match capabilities.start {
            StartBody::Maps => Call::of(&START).json(&bodies::maps(id, plan)),
            StartBody::Yaml => Call::of(&START).json(&bodies::yaml(id, plan)),
        };
        let reply = self.service.call(&call).await?;
        Ok((call, reply))
    }

    /// With the result, where the host hands one out.
    async fn end(&self, id: &str) -> Result<Option<Report>, HostError> {
        let capabilities = self.capabilities().await?;
        let mut report = if capabilities.operations { self.operation(id).await? } else { self.status(id).await? };
        if let (true, Some(report)) = (capabilities.result, report.as_mut()) {
            // 400: not completed; 500: completed, and nothing was kept
            let reply = self.service.call(&Call::of(&RESULT).id(id)).await?;
            if let Some(result) = reply.read::<Value>().ok().filter(Value::is_object) {
                report.summary = Some(result);
            }
        }
        Ok(report)
    }

    async fn send_stop(&self, id: &str) -> Result<StopAnswer, HostError> {
        // of a host that does not answer now, what it was is what it is
        let capabilities = match self.last() {
            Some(last) => last,
            None => self.capabilities().await?,
        };
        if capabilities.stop == StopBy::Post {
            let call = Call::of(&STOP).json(&json!({"session_id": id, "save_checkpoint": true}));
            return Ok(answers::of_stop(&self.service.call(&call).await?));
        }
        let call = Call::of(&CANCEL).id(id).query("reason", "stopped through ktrdr");
        let reply = self.service.call(&call).await?;
        // 200 also for an id that it has never heard of
        let refused = reply.is_success() && !reply.read::<Cancelled>().is_ok_and(|answer| answer.data.success);
        Ok(if refused { StopAnswer::Over } else { answers::of_stop(&reply) })
    }
}

impl Backend for Client {
    fn capabilities(&self) -> BoxFuture<'_, Result<Capabilities, HostError>> {
        match self.current() {
            Some(current) => std::future::ready(Ok(current)).boxed(),
            None => self.ask().boxed(),
        }
    }

    fn known_capabilities(&self) -> Option<Capabilities> {
        self.last()
    }

    fn forget_capabilities(&self) {
        self.service.set_version(None);
        if let Some(told) = self.told().as_mut() {
            told.current = false;
        }
    }

    fn about(&self) -> String {
        self.told().as_ref().filter(|told| told.current).map(|told| told.about.clone()).unwrap_or_default()
    }

    fn start<'a>(&'a self, id: &'a str, plan: &'a Plan) -> BoxFuture<'a, StartAnswer> {
        self.send_start(id, plan).boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Report>, NoList>> {
        self.sessions().boxed()
    }

    fn look<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Report>, HostError>> {
        async move {
            if self.capabilities().await?.operations {
                return self.operation(id).await;
            }
            self.status(id).await
        }
        .boxed()
    }

    fn looks_are_cheap(&self) -> bool {
        self.current().is_some_and(|current| current.operations)
    }

    fn finish<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Report>, HostError>> {
        self.end(id).boxed()
    }

    fn stop<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<StopAnswer, HostError>> {
        self.send_stop(id).boxed()
    }

    fn forget<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), HostError>> {
        async move {
            if !self.capabilities().await?.forget {
                return Ok(());
            }
            let call = Call::of(&FORGET).id(id);
            let reply = self.service.call(&call).await?;
            let gone = reply.is_success() || reply.status == 404 || reply.says("not found");
            if gone { Ok(()) } else { Err(self.service.unusable(&call, &reply, reply.refusal())) }
        }
        .boxed()
    }
}
