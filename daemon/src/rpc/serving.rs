//! Serving connections: HTTP/2 on each, from its coming until it closes or has to go. What a call is, is not known here.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_util::{Stream, StreamExt};
use hyper::{
    body::{Body, Incoming},
    rt::Executor,
    server::conn::http2,
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    accept::Ping,
    connection::{Connection, Wire},
    connections::Connections,
    driver::{Bell, Driver, Protocol},
    envelope::Envelope,
};

/// Flow-control windows: large enough that a stream of bars never waits for an update of them.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
/// Calls of one connection at once; a client that opens more waits for its own.
const CALLS_MAX: u32 = 256;
/// Of the metadata of a call. Bodies have gRPC's usual bound of 4 MiB a message.
const HEADERS_MAX: u32 = 16 * 1024;

/// Calls of one connection that break the protocol, or come beyond [`CALLS_MAX`], until it is closed.
const REFUSED_MAX: usize = 1024;

/// Serves those who come until no more do, or `end` fires; then until all have closed, which they are told to.
pub(super) async fn serve(
    coming: impl Stream<Item = Connection>,
    envelope: Arc<Envelope>,
    (connections, ping): (Connections, Option<Ping>),
    end: CancellationToken,
) {
    let open = TaskTracker::new();
    // who listens goes first: nobody shall come to those who leave
    {
        let mut coming = pin!(coming);
        while let Some(Some(Connection { wire, ticket })) = end.run_until_cancelled(coming.next()).await {
            let (envelope, seat) = (envelope.clone(), ticket.seat().clone());
            let http = protocol(ping, AtOnce(seat.bell().clone()));
            let service = service_fn(move |request| {
                let reply = envelope.clone().answer(seat.clone(), request);
                async move { Ok::<_, Infallible>(reply.await) }
            });
            open.spawn(Driver::new(http.serve_connection(TokioIo::new(wire), service), ticket));
        }
    }
    connections.finish();
    open.close();
    open.wait().await;
}

/// Who is on this machine cannot fall asleep without us, and costs no ping.
fn protocol(ping: Option<Ping>, calls: AtOnce) -> http2::Builder<AtOnce> {
    let mut http = http2::Builder::new(calls);
    http.timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(CALLS_MAX)
        .max_header_list_size(HEADERS_MAX)
        .max_local_error_reset_streams(REFUSED_MAX)
        // no client of gRPC reads it
        .auto_date_header(false);
    if let Some(ping) = ping {
        http.keep_alive_interval(ping.every).keep_alive_timeout(ping.patience);
    }
    http
}

/// Calls are worked on where they are read, for as long as they need not wait: most never do, and a task of their own would cost them
/// more than the answer.
#[derive(Debug, Clone, Default)]
struct AtOnce(Arc<Bell>);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for AtOnce {
    fn execute(&self, call: F) {
        let mut call = Box::pin(call);
        if !self.0.takes_call() {
            drop(tokio::spawn(call));
            return;
        }
        // a defect ends this call, not the others of its connection
        let waits = std::panic::catch_unwind(AssertUnwindSafe(move || {
            call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending().then_some(call)
        }));
        if let Ok(Some(call)) = waits {
            drop(tokio::spawn(call));
        }
    }
}

impl<S, B> Protocol for http2::Connection<TokioIo<Wire>, S, AtOnce>
where
    S: HttpService<
            Incoming,
            ResBody = B,
            Error: Into<Box<dyn std::error::Error + Send + Sync>>,
            Future: Send + 'static,
        > + Unpin,
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>, Data: Send> + Send + 'static,
{
    type Error = hyper::Error;

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        Pin::new(self).poll(cx)
    }

    fn finish(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_call_that_need_not_wait_is_over_before_the_next_is_read() {
        let (tell, mut told) = oneshot::channel();
        AtOnce::default().execute(async { tell.send(7).unwrap() });
        assert_eq!(told.try_recv(), Ok(7));
    }

    /// On a runtime of one thread, which is here until the first wait.
    #[tokio::test]
    async fn one_beyond_the_bound_has_a_task_of_its_own() {
        let at_once = AtOnce::default();
        while at_once.0.takes_call() {}
        let (tell, mut told) = oneshot::channel();
        at_once.execute(async { tell.send(7).unwrap() });
        assert_eq!(told.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        assert_eq!(told.await, Ok(7));
    }

    #[tokio::test]
    async fn one_that_waits_goes_on_by_itself() {
        let ((tell, told), (tell_back, told_back)) = (oneshot::channel(), oneshot::channel());
        AtOnce::default().execute(async move { tell_back.send(told.await.unwrap() + 1).unwrap() });
        tell.send(7).unwrap();
        assert_eq!(told_back.await, Ok(8));
    }

    #[tokio::test]
    async fn a_defect_is_the_end_of_its_call_alone() {
        let (tell, told) = oneshot::channel::<u32>();
        AtOnce::default().execute(async move {
            let _held = tell;
            panic!("a defect");
        });
        assert!(told.await.is_err(), "what the call held is let go");
    }
}
