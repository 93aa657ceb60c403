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

#[derive(Debug, Default)]
struct State {
    /// Requests in work.
    busy: u64,
    /// Since the last one was answered; nothing was asked yet without.
    idle_since: Option<Instant>,
    counted: bool,
    /// It carried a control request: it is no one's connection.
    control: bool,
    left: bool,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    state: Mutex<State>,
    changed: Notify,
    cut: Notify,
    reset: AtomicBool,
}

/// While it lives, its connection has something to do.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
        state.idle_since = Some(Instant::now());
        drop(state);
        self.0.changed.notify_one();
    }
}

impl Connection {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn busy(self: &Arc<Self>) -> Busy {
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
                tally.total += 1;
                tally.open += 1;
                tally.most_at_once = tally.most_at_once.max(tally.open);
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
            (true, _) => tally.open = tally.open.saturating_sub(1),
            (false, false) => tally.total += 1,
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
                () = tokio::time::sleep_until(since + self.shared.config.keep_alive) => return,
                () = self.changed.notified() => {}
            }
        }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
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
        () = connection.idle_out() => serving.as_mut().graceful_shutdown(),
    }
    drop(serving.await);
}
