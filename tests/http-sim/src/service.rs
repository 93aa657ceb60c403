//! What a simulated service has to bring.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::answer::Answer;
use crate::faults::FaultKind;
use crate::report::Tally;
use crate::route::{Found, Route};
use crate::server::Shared;

/// A request that was read to its end.
#[derive(Debug)]
pub struct Call<R> {
    pub found: Found<R>,
    pub query: String,
    /// Its content type says JSON.
    pub json: bool,
    pub body: Bytes,
}

/// A simulated service.
pub trait Service: Debug + Send + Sync + Sized + 'static {
    type Route: Route;
    type Report: Serialize;

    /// Of its program, for messages.
    const NAME: &'static str;

    /// Whether it has a route as it is set up.
    fn serves(&self, _route: Self::Route) -> bool {
        true
    }

    /// Executes a request that led to one of its routes; with the fault that strikes it, if that has to do with what is answered.
    fn execute(
        &self,
        route: Self::Route,
        call: &Call<Self::Route>,
        fault: Option<FaultKind>,
    ) -> impl Future<Output = Answer> + Send;

    /// Its own words where a fault answers instead of it.
    fn instead(&self, kind: FaultKind, call: &Call<Self::Route>) -> Option<Answer>;

    /// A control request of its own; `None` when there is no such one.
    fn control(shared: &Shared<Self>, method: &str, path: &str, body: &[u8]) -> Option<Result<(), String>>;

    /// It has ended and begun again.
    fn restarted(&self) {}

    /// How long a delay takes in real time.
    fn real(&self, delay: Duration) -> Duration {
        delay
    }

    fn report(&self, tally: &Tally) -> Self::Report;
}
