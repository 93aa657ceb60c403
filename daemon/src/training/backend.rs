//! What a kind of training service has to offer; `docs/TRAINING.md` tells how to write another one.
//!
//! One for each configured host. All calls may be given up at any moment, and none waits for another. A backend only
//! brings evidence; what a session's state is, is decided in `follow.rs`.

use futures_util::future::BoxFuture;

use super::{Capabilities, answers::StartAnswer, answers::StopAnswer, plan::Plan, report::Report};
use crate::host_service::HostError;

/// Why a list could not be had.
#[derive(Debug)]
pub(super) enum NoList {
    /// The host did not answer.
    Away(HostError),
    /// It answered with an error: one malformed session of anybody's is enough.
    Refused(HostError),
}

/// A training service.
pub(super) trait Backend: Send + Sync + std::fmt::Debug {
    /// What it can do; asked once, and again after [`forget_capabilities`](Self::forget_capabilities).
    fn capabilities(&self) -> BoxFuture<'_, Result<Capabilities, HostError>>;

    /// What was told the last time.
    fn known_capabilities(&self) -> Option<Capabilities>;

    /// It went away: another version may come back.
    fn forget_capabilities(&self);

    /// What it says about itself, such as its GPU.
    fn about(&self) -> String;

    /// Sends a start, once.
    fn start<'a>(&'a self, id: &'a str, plan: &'a Plan) -> BoxFuture<'a, StartAnswer>;

    /// All sessions in one call.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Report>, NoList>>;

    /// One session with its curves; `None` when it is not known there. May be expensive.
    fn look<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Report>, HostError>>;

    /// One look costs the host nothing.
    fn looks_are_cheap(&self) -> bool;

    /// The end with everything that the host has of it; once.
    fn finish<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Report>, HostError>>;

    /// Asks it to stop a session.
    fn stop<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<StopAnswer, HostError>>;

    /// Takes an ended session out.
    fn forget<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
}
