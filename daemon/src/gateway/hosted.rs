//! The IB host service of the old system as a source: its routes on the base of all host services.
//!
//! It says 200 to everything and tells little: "not found" may mean that its gateway is away, after minutes. So a slow
//! refusal is no fact, and no negative answer is remembered. It asks IB for all hours, and for one kind of price.

use std::{sync::Arc, time::Instant};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::json;

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayError, LiveAsk, LiveStream, SecurityKind,
    command::{End, Reply},
    hosted_wire::{self, Head, History, Root, Validation},
    source::Source,
};
use crate::{
    clock,
    host_service::{Call, HostError, HostService, Repeat, Route, Trouble},
    model::{Instrument, Nanos, Session, Symbol, WhatToShow},
};

// a gateway that is away shows after 33 s for bars, after four minutes for the others
const ROOT: Route = Route::get("/", 5, 1).cheap();
const HEALTH: Route = Route::get("/health", 5, 0).cheap();
const HISTORICAL: Route = Route::post("/data/historical", 60).repeat(Repeat::NotAfterTimeOut, 1).long(64);
const VALIDATE: Route = Route::post("/data/validate", 45).repeat(Repeat::NotSent, 0);
const HEAD: Route = Route::get("/data/head-timestamp", 45, 0);

/// What it is called.
const NAME: &str = "IB Connector Host Service";

/// A service that answered.
#[derive(Debug)]
pub(super) struct Hosted {
    asked: Arc<Asked>,
}

impl Hosted {
    /// Asks what it is.
    pub(super) async fn open(service: HostService) -> Result<Self, GatewayError> {
        let call = Call::of(&ROOT);
        let reply = service.call(&call).await.map_err(|error| away(&service, error))?;
        let told = reply.read::<Root>();
        if told.as_ref().is_ok_and(|root| root.service == NAME) {
            service.set_version(Some("IB".into()));
            service.set_compatible();
            return Ok(Self { asked: Arc::new(Asked { service }) });
        }
        let why = told.map_or_else(|trouble| trouble.to_string(), |root| format!("it is {:?}", root.service));
        service.set_incompatible(&why);
        let error = service.unusable(&call, &reply, Trouble::Shape { why, start: String::new() });
        Err(away(&service, error))
    }

    pub(super) fn source(&self) -> Arc<dyn Source> {
        self.asked.clone()
    }
}

#[derive(Debug)]
struct Asked {
    service: HostService,
}

fn away(service: &HostService, source: HostError) -> GatewayError {
    GatewayError::HostAway { address: service.address().to_string(), retry_after: std::time::Duration::ZERO, source }
}

impl Asked {
    /// How a call failed, in the session's words.
    fn failed(&self, error: HostError, what: &'static str, route: &Route) -> GatewayError {
        match &error.trouble {
            Trouble::TimedOut { .. } => {
                let said = Some("its gateway may be away".to_owned());
                GatewayError::TimedOut { what, after: route.timeout, said }
            }
            Trouble::NotJson { .. } | Trouble::Shape { .. } | Trouble::TooLong { .. } => {
                GatewayError::Protocol(crate::error::in_line(&error))
            }
            _ => away(&self.service, error),
        }
    }

    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call<'_>,
        what: &'static str,
    ) -> Result<T, GatewayError> {
        self.service.read(call).await.map_err(|error| self.failed(error, what, call.route()))
    }

    async fn history(&self, ask: &BarsAsk) -> Result<BarsAnswer, GatewayError> {
        offered(ask)?;
        let call = Call::of(&HISTORICAL).json(&json!({
            "symbol": name_there(&ask.contract),
            "timeframe": ask.timeframe.to_string(),
            "start": clock::text(ask.from),
            "end": clock::text(ask.end),
            // without it, the service looks the symbol up first, and waits half a second
            "instrument_type": type_there(ask.contract.kind),
        }));
        let what = "a request for bars";
        let reply = self.service.call(&call).await.map_err(|error| self.failed(error, what, call.route()))?;
        let unusable = |trouble| self.service.unusable(&call, &reply, trouble);
        let history: History = reply.read().map_err(|trouble| self.failed(unusable(trouble), what, call.route()))?;
        match history.data {
            Some(data) if history.success => {
                let bars = hosted_wire::bars(&data, history.rows, ask.basis.what).map_err(GatewayError::Protocol)?;
                Ok(bars.map_or(BarsAnswer::NoData, |(bars, spoiled)| BarsAnswer::Bars { bars, spoiled }))
            }
            _ => {
                let text = history.error.unwrap_or_else(|| "it gave no reason".into());
                // "Timeout while creating connection" is its gateway; what else it says stands as it is
                let lower = text.to_lowercase();
                if !["connect", "timeout", "not found"].iter().any(|word| lower.contains(word)) {
                    return Err(GatewayError::Protocol(format!("the host service refused: {text}")));
                }
                Err(away(&self.service, unusable(Trouble::Refused { status: 200, detail: text, retry_after: None })))
            }
        }
    }

    async fn validate(&self, symbol: &Symbol) -> Result<Contract, GatewayError> {
        let kind = SecurityKind::of(symbol);
        let Some(name) = asked_as(symbol) else {
            return Err(GatewayError::NotOffered { what: format!("{symbol}: it has stocks and currency pairs only") });
        };
        let call = Call::of(&VALIDATE).json(&json!({"symbol": name, "timeframes": null}));
        let told: Validation = self.read(&call, "a request for contract details").await?;
        match told.contract_info {
            Some(info) if told.success && told.is_valid => {
                hosted_wire::contract(info, kind).map_err(GatewayError::Protocol)
            }
            _ => Err(GatewayError::ContractNotFound { symbol: symbol.to_string() }),
        }
    }

    async fn earliest(&self, contract: &Contract) -> Result<Option<Nanos>, GatewayError> {
        let call = Call::of(&HEAD).query("symbol", &name_there(contract)).query("timeframe", "1d");
        let told: Head = self.read(&call, "a request for the earliest bar").await?;
        // no answer is no proof: what the service does not know, and a gateway that is away, look the same
        let unknown = || GatewayError::Protocol("the host service does not know the earliest bar".into());
        told.timestamp.and_then(|text| hosted_wire::instant(&text)).map(Some).ok_or_else(unknown)
    }

    async fn now(&self) -> Result<ClockAnswer, GatewayError> {
        let asked = Instant::now();
        self.service.succeed(&Call::of(&HEALTH)).await.map_err(|error| away(&self.service, error))?;
        // its clock is that of its machine, and is not ours to judge
        Ok(ClockAnswer { time: clock::now(), latency: asked.elapsed() })
    }
}

impl Source for Asked {
    fn bars<'a>(&'a self, ask: &'a BarsAsk) -> BoxFuture<'a, Result<BarsAnswer, GatewayError>> {
        self.history(ask).boxed()
    }

    fn contract<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Contract, GatewayError>> {
        self.validate(symbol).boxed()
    }

    fn head<'a>(
        &'a self,
        contract: &'a Contract,
        _what: WhatToShow,
        _session: Session,
    ) -> BoxFuture<'a, Result<Option<Nanos>, GatewayError>> {
        self.earliest(contract).boxed()
    }

    fn clock(&self) -> BoxFuture<'_, Result<ClockAnswer, GatewayError>> {
        self.now().boxed()
    }

    fn live(&self, _ask: LiveAsk, reply: Reply<LiveStream>) -> BoxFuture<'_, End> {
        async move {
            let error = GatewayError::NotOffered { what: "live bars".into() };
            drop(reply.send(Err(error)));
            End::Answered
        }
        .boxed()
    }
}

/// It asks IB for all hours, stocks by trades and pairs by midpoints, and nothing says otherwise.
fn offered(ask: &BarsAsk) -> Result<(), GatewayError> {
    let what = if ask.contract.kind == SecurityKind::Forex { WhatToShow::Midpoint } else { WhatToShow::Trades };
    let refused = |what: String| Err(GatewayError::NotOffered { what });
    match (ask.basis.session, ask.basis.what) {
        (Session::RegularHours, _) => refused("regular hours only".into()),
        (_, asked) if asked != what => refused(format!("{} prices", asked.name())),
        _ => Ok(()),
    }
}

/// How the service spells a symbol; `None` for kinds that it does not have.
fn asked_as(symbol: &Symbol) -> Option<String> {
    match symbol.instrument() {
        Instrument::Stock { name, .. } => Some(name.to_owned()),
        Instrument::Pair { base, quote } => Some(format!("{base}{quote}")),
        Instrument::Future { .. } | Instrument::Continuous { .. } | Instrument::Index { .. } => None,
    }
}

fn name_there(contract: &Contract) -> String {
    match contract.kind {
        SecurityKind::Forex => contract.local_symbol.replace('.', ""),
        _ => contract.local_symbol.clone(),
    }
}

fn type_there(kind: SecurityKind) -> &'static str {
    match kind {
        SecurityKind::Forex => "CASH",
        SecurityKind::Future | SecurityKind::ContinuousFuture => "FUT",
        SecurityKind::Stock | SecurityKind::Index => "STK",
    }
}
