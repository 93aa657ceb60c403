//! One connection: when it is idle, and how it ends.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::exchange;
use super::shared::Shared;
use super::wire::Wire;
use crate::service::Service;

#[derive(Debug, Default)]
struct State {
    /// Requests in work.
    busy: u64,
    /// Since the last one was answered; nothing was asked yet without.
    idle_since: Option<Instant>,
    counted: bool,
    /// It carried a control request: restarts leave it alone, and it is no one's connection.
    control: bool,
    left: bool,
}

#[derive(Debug)]
pub(super) struct Connection<S> {
    pub(super) shared: Arc<Shared<S>>,
    state: Mutex<State>,
    changed: Notify,
    cut: Notify,
    reset: AtomicBool,
}

/// While it lives, its connection has something to do.
#[derive(Debug)]
pub(super) struct Busy<S: Service>(Arc<Connection<S>>);

impl<S: Service> Drop for Busy<S> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
        state.idle_since = Some(Instant::now());
        drop(state);
        self.0.changed.notify_one();
    }
}

impl<S: Service> Connection<S> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn busy(self: &Arc<Self>) -> Busy<S> {
        self.state().busy += 1;
        self.changed.notify_one();
        Busy(Arc::clone(self))
    }

    pub(super) fn mark_control(&self) {
        self.state().control = true;
    }

    /// It carried a request of a client.
    pub(super) fn mark_used(&self) {
        let first = !std::mem::replace(&mut self.state().counted, true);
        if first {
            self.shared.count(|tally| {
                tally.connections.total += 1;
                tally.connections_now += 1;
                tally.connections.most_at_once = tally.connections.most_at_once.max(tally.connections_now);
            });
        }
    }

    /// Counts it out, once.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.left, true) {
            return;
        }
        let (counted, control) = (state.counted, state.control);
        drop(state);
        self.shared.count(|tally| match (counted, control) {
            (true, _) => tally.connections_now = tally.connections_now.saturating_sub(1),
            (false, false) => tally.connections.total += 1,
            (false, true) => {}
        });
    }

    pub(super) fn ends_with_reset(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }

    /// Ends it, by a reset or in good order, whatever is still to be sent.
    pub(super) fn end(&self, reset: bool) {
        self.reset.store(reset, Ordering::SeqCst);
        self.cut.notify_one();
    }

    /// Comes back when it was idle for too long.
    async fn idle_out(&self) {
        loop {
            let since = Some(self.state()).filter(|state| state.busy == 0).and_then(|state| state.idle_since);
            let Some(since) = since else {
                self.changed.notified().await;
                continue;
            };
            tokio::select! {
                () = tokio::time::sleep_until(since + self.shared.keep_alive) => return,
                () = self.changed.notified() => {}
            }
        }
    }

    /// Comes back when the service restarts.
    async fn restarted(&self) {
        let mut lives = self.shared.lives();
        while lives.changed().await.is_ok() {
            if !self.state().control {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<S: Service>(stream: TcpStream, shared: Arc<Shared<S>>) {
    // Small answers must not wait for each other.
    drop(stream.set_nodelay(true));
    let connection = Arc::new(Connection {
        shared,
        state: Mutex::default(),
        changed: Notify::new(),
        cut: Notify::new(),
        reset: AtomicBool::new(false),
    });
    let asked = Arc::clone(&connection);
    let service = service_fn(move |request| exchange::answer(Arc::clone(&asked), request));
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&connection)));
    let mut serving = pin!(http1::Builder::new().serve_connection(wire, service));
    tokio::select! {
        // How it ended is the client's business.
        _ = serving.as_mut() => return,
        () = connection.cut.notified() => return,
        () = connection.restarted() => return,
        () = connection.idle_out() => serving.as_mut().graceful_shutdown(),
    }
    drop(serving.await);
}
