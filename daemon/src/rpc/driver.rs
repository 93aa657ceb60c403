//! Drives one connection: its protocol, as often as that has something to do, and its end, when it is told to go or never calls.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::time::Sleep;

use super::connections::Ticket;
use crate::error::in_line;

/// From coming to the first call. gRPC clients connect when they call, and connect again when they call later.
const FIRST_CALL: Duration = Duration::from_secs(10);
/// Turns until others have theirs.
const TURNS: usize = 8;

/// Calls that are answered where they are read, until others have their turns: what somebody sends all at once is not worked on at once.
const CALLS: usize = 16;

/// A protocol on a connection, such as HTTP/2.
pub(super) trait Protocol: Unpin {
    /// Why a connection ended.
    type Error: std::error::Error;

    /// Does what there is to do. Ready when the connection has ended.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>>;

    /// Takes no more calls, and ends after those that it has.
    fn finish(&mut self);
}

/// How a connection is told to do something: by its own protocol that there is more to do, by others that it has to end.
///
/// A call that is answered at once is answered while the connection is looked at, which makes more to send. The runtime would hear
/// of that as of anything else: it would put the task at the end of its queue and wake another thread for it, at each call.
#[derive(Debug, Default)]
pub(super) struct Bell {
    order: AtomicU8,
    turn: AtomicU8,
    calls: AtomicUsize,
    task: AtomicWaker,
}

// orders, each stronger than the one before
const FINISH: u8 = 1;
const CLOSE: u8 = 2;
// turns
const RESTS: u8 = 0;
const TURNS_NOW: u8 = 1;
const RUNG: u8 = 2;

impl Bell {
    /// It ends when its calls have.
    pub(super) fn finish(&self) {
        self.tell(FINISH);
    }

    /// It ends now.
    pub(super) fn close(&self) {
        self.tell(CLOSE);
    }

    /// It has to end now.
    #[cfg(test)]
    pub(super) fn is_closing(&self) -> bool {
        self.order.load(Ordering::Acquire) == CLOSE
    }

    /// Whether one more call may be answered where it is read.
    pub(super) fn takes_call(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) < CALLS
    }

    fn tell(&self, order: u8) {
        self.order.fetch_max(order, Ordering::AcqRel);
        self.ring();
    }

    /// The turn that begins after this, or the next one, sees what was told before: each of both reads and writes in one step what
    /// the other wrote last.
    fn ring(&self) {
        if self.turn.swap(RUNG, Ordering::AcqRel) == RESTS {
            self.task.wake();
        }
    }

    fn begins_turn(&self) {
        self.turn.swap(TURNS_NOW, Ordering::AcqRel);
    }

    /// Whether nothing rang since the turn began; if so, the next ring wakes the task.
    fn rests(&self) -> bool {
        self.turn.compare_exchange(TURNS_NOW, RESTS, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// A connection at work. It is dropped when it has ended.
pub(super) struct Driver<P> {
    protocol: P,
    ticket: Ticket,
    waker: Waker,
    finishing: bool,
    /// Until it has called.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<P: Protocol> Driver<P> {
    pub(super) fn new(protocol: P, ticket: Ticket) -> Self {
        let waker = Waker::from(ticket.seat().bell().clone());
        let patience = Some(Box::pin(tokio::time::sleep(FIRST_CALL)));
        Self { protocol, ticket, waker, finishing: false, patience }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.ticket.seat().bell().order.load(Ordering::Acquire) {
            CLOSE => return Poll::Ready(()),
            FINISH if !self.finishing => {
                self.finishing = true;
                self.protocol.finish();
            }
            _ => {}
        }
        if self.ticket.seat().has_called() {
            self.patience = None;
        }
        if self.patience.as_mut().is_some_and(|patience| patience.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(());
        }
        self.protocol.poll_end(&mut Context::from_waker(&self.waker)).map(|end| {
            if let Err(error) = end {
                // they know
                tracing::debug!(peer = %self.ticket.seat().peer(), error = in_line(&error), "a connection ended");
            }
        })
    }
}

impl<P: Protocol> Future for Driver<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let bell = self.ticket.seat().bell().clone();
        bell.task.register(cx.waker());
        bell.calls.store(0, Ordering::Relaxed);
        for _ in 0..TURNS {
            bell.begins_turn();
            if self.turn(cx).is_ready() {
                return Poll::Ready(());
            }
            if bell.rests() {
                return Poll::Pending;
            }
        }
        // it has rung, so nobody else wakes it
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{
            OnceLock,
            atomic::{AtomicBool, AtomicU64},
        },
    };

    use super::{
        super::{connections::Connections, peer::Peer},
        *,
    };

    /// Counts its turns, rings in so many of them, and is told to finish so often.
    #[derive(Debug, Default)]
    struct Busy {
        turns: usize,
        rings: usize,
        finishes: usize,
    }

    impl Protocol for Busy {
        type Error = Infallible;

        fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.turns += 1;
            if self.turns <= self.rings {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }

        fn finish(&mut self) {
            self.finishes += 1;
        }
    }

    #[derive(Debug, Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Of one that has called.
    fn ticket() -> Ticket {
        let ticket = Connections::new(1, 1).admit(Peer::User(1)).unwrap();
        drop(ticket.seat().call());
        ticket
    }

    /// Polls once; how often the task was woken by then.
    fn polled(driver: &mut Driver<Busy>) -> (Poll<()>, u64) {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let polled = Pin::new(driver).poll(&mut Context::from_waker(&waker));
        (polled, woken.0.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_rings_while_it_is_looked_at_is_looked_at_again_without_the_runtime() {
        let mut driver = Driver::new(Busy { rings: 3, ..Busy::default() }, ticket());
        assert_eq!((polled(&mut driver), driver.protocol.turns), ((Poll::Pending, 0), 4));
    }

    #[tokio::test]
    async fn one_that_always_has_more_to_do_lets_others_have_their_turns() {
        let mut driver = Driver::new(Busy { rings: usize::MAX, ..Busy::default() }, ticket());
        assert_eq!((polled(&mut driver), driver.protocol.turns), ((Poll::Pending, 1), TURNS));
    }

    #[tokio::test]
    async fn it_is_told_once_to_finish_and_ends_when_it_is_told_to_close() {
        let mut driver = Driver::new(Busy::default(), ticket());
        driver.ticket.seat().bell().finish();
        for _ in 0..2 {
            assert_eq!(polled(&mut driver).0, Poll::Pending);
        }
        assert_eq!(driver.protocol.finishes, 1);
        driver.ticket.seat().bell().close();
        driver.ticket.seat().bell().finish();
        assert_eq!((polled(&mut driver).0, driver.protocol.turns), (Poll::Ready(()), 2));
    }

    /// Takes numbers from another thread, one after the other.
    #[derive(Debug, Default)]
    struct Post {
        sent: AtomicU64,
        seen: AtomicU64,
        reader: OnceLock<Waker>,
        is_over: AtomicBool,
    }

    #[derive(Debug)]
    struct Reader(Arc<Post>);

    const LETTERS: u64 = 2_000;

    impl Protocol for Reader {
        type Error = Infallible;

        fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0.reader.get_or_init(|| cx.waker().clone());
            let sent = self.0.sent.load(Ordering::Acquire);
            self.0.seen.store(sent, Ordering::Release);
            if sent == LETTERS { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn finish(&mut self) {}
    }

    /// A ring that got lost would leave both waiting for each other.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_ring_is_lost_whenever_it_comes() {
        let post = Arc::new(Post::default());
        let driving = tokio::spawn(Driver::new(Reader(post.clone()), ticket()));
        let sent = post.clone();
        let sender = std::thread::spawn(move || {
            let is_over = || sent.is_over.load(Ordering::Relaxed);
            for letter in 1..=LETTERS {
                sent.sent.store(letter, Ordering::Release);
                if let Some(reader) = sent.reader.get() {
                    reader.wake_by_ref();
                }
                while sent.seen.load(Ordering::Acquire) < letter && !is_over() {
                    std::thread::yield_now();
                }
            }
        });
        let ended = tokio::time::timeout(Duration::from_mins(2), driving).await;
        post.is_over.store(true, Ordering::Relaxed);
        sender.join().unwrap();
        assert!(matches!(ended, Ok(Ok(()))), "a ring was lost after {} letters", post.seen.load(Ordering::Relaxed));
    }

    /// The order is there before anybody drives.
    #[tokio::test]
    async fn who_comes_while_all_finish_is_told_so_at_once() {
        let connections = Connections::new(2, 1);
        connections.finish();
        let ticket = connections.admit(Peer::User(1)).unwrap();
        let mut driver = Driver::new(Busy::default(), ticket);
        assert_eq!(polled(&mut driver).0, Poll::Pending);
        assert_eq!(driver.protocol.finishes, 1);
    }

    #[tokio::test]
    async fn so_many_calls_are_answered_in_a_poll_and_no_more() {
        let mut driver = Driver::new(Busy::default(), ticket());
        for _ in 0..2 {
            assert_eq!(polled(&mut driver).0, Poll::Pending);
            let taken = (0..100).filter(|_| driver.ticket.seat().bell().takes_call()).count();
            assert_eq!(taken, CALLS);
        }
    }
}
