//! Who is connected, and how much of the daemon each may hold. A crowd must not lock anybody out: when all seats are taken, the
//! connection that has been silent longest makes room; first of all one that has never made a call.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio_util::sync::CancellationToken;

use super::peer::Peer;

/// All connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    calls_of_peer: usize,
    begun: Instant,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    came: u64,
    seats: HashMap<u64, Arc<Seat>>,
    /// Open calls of everybody who is connected.
    peers: HashMap<Peer, Arc<AtomicUsize>>,
}

/// What one connection holds.
#[derive(Debug)]
pub(super) struct Seat {
    peer: Peer,
    /// Open calls of this connection, and of all of its peer's.
    calls: AtomicUsize,
    of_peer: Arc<AtomicUsize>,
    called: AtomicBool,
    /// Milliseconds, of the end of its last call, or of its coming.
    last: AtomicU64,
    begun: Instant,
    close: CancellationToken,
    calls_of_peer: usize,
}

impl Connections {
    /// `most`: connections at once; `calls_of_peer`: open calls of one peer, over all of its connections.
    pub fn new(most: usize, calls_of_peer: usize) -> Self {
        let (begun, table) = (Instant::now(), Mutex::default());
        Self(Arc::new(Inner { most, calls_of_peer, begun, table }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for one that came; none when each of the others has a call open.
    pub(super) fn admit(&self, peer: Peer) -> Option<Ticket> {
        let mut table = self.table();
        if table.seats.len() >= self.0.most && table.make_room(1) == 0 {
            return None;
        }
        let of_peer = table.peers.entry(peer.clone()).or_default().clone();
        let seat = Arc::new(Seat {
            peer,
            calls: AtomicUsize::new(0),
            of_peer,
            called: AtomicBool::new(false),
            last: AtomicU64::new(millis(self.0.begun)),
            begun: self.0.begun,
            close: CancellationToken::new(),
            calls_of_peer: self.0.calls_of_peer,
        });
        table.came += 1;
        let id = table.came;
        table.seats.insert(id, seat.clone());
        Some(Ticket { id, seat, connections: self.clone() })
    }

    /// Closes some that are silent; how many.
    pub(super) fn make_room(&self, wanted: usize) -> usize {
        self.table().make_room(wanted)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.table().seats.len()
    }
}

impl Table {
    fn make_room(&mut self, wanted: usize) -> usize {
        let silent = self.seats.iter().filter(|(_, seat)| seat.calls.load(Ordering::Relaxed) == 0);
        let age = |seat: &Seat| (seat.has_called(), seat.last.load(Ordering::Relaxed));
        let mut silent: Vec<_> = silent.map(|(id, seat)| (age(seat), *id)).collect();
        silent.sort_unstable();
        silent.truncate(wanted);
        for (_, id) in &silent {
            if let Some(seat) = self.seats.remove(id) {
                seat.close.cancel();
            }
        }
        silent.len()
    }
}

/// The right to be connected, for as long as it lives.
#[derive(Debug)]
pub(super) struct Ticket {
    id: u64,
    seat: Arc<Seat>,
    connections: Connections,
}

impl Ticket {
    pub(super) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.connections.table();
        table.seats.remove(&self.id);
        // the table's own and the seat's: nobody else of that peer is here
        if Arc::strong_count(&self.seat.of_peer) <= 2 {
            table.peers.remove(&self.seat.peer);
        }
    }
}

impl Seat {
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Fires when it has to go.
    pub(super) fn closing(&self) -> CancellationToken {
        self.close.clone()
    }

    /// It has made a call.
    pub(super) fn has_called(&self) -> bool {
        self.called.load(Ordering::Relaxed)
    }

    /// A call begins; none when its peer has too many open.
    pub(super) fn call(self: &Arc<Self>) -> Option<OpenCall> {
        self.called.store(true, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        let open = self.of_peer.fetch_add(1, Ordering::Relaxed);
        let call = OpenCall(self.clone());
        (open < self.calls_of_peer).then_some(call)
    }
}

/// A call that is open until this is dropped.
#[derive(Debug)]
pub(super) struct OpenCall(Arc<Seat>);

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.last.store(millis(self.0.begun), Ordering::Relaxed);
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
        self.0.of_peer.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(ticket: &Ticket) -> bool {
        ticket.seat().closing().is_cancelled()
    }

    #[test]
    fn the_longest_silent_makes_room_and_one_with_an_open_call_never_does() {
        let connections = Connections::new(3, 10);
        let admit = || connections.admit(Peer::User(1)).unwrap();
        let (first, second, third) = (admit(), admit(), admit());
        for (ticket, last) in [(&first, 30), (&second, 10), (&third, 20)] {
            ticket.seat().last.store(last, Ordering::Relaxed);
        }
        let call = second.seat().call().unwrap();
        let fourth = admit();
        assert_eq!([&first, &second, &third, &fourth].map(closed), [false, false, true, false]);
        assert_eq!(connections.count(), 3);
        let calls = (first.seat().call().unwrap(), fourth.seat().call().unwrap());
        assert!(connections.admit(Peer::User(2)).is_none(), "nobody is silent");
        drop(call);
        let fifth = connections.admit(Peer::User(2));
        assert!(fifth.is_some() && closed(&second));
        drop((calls, first, second, third, fourth, fifth));
        assert_eq!(connections.count(), 0);
        assert!(connections.table().peers.is_empty());
    }

    #[test]
    fn one_that_has_never_called_makes_room_before_one_that_has() {
        let connections = Connections::new(2, 10);
        let admit = || connections.admit(Peer::User(1)).unwrap();
        let (works, mute) = (admit(), admit());
        drop(works.seat().call());
        works.seat().last.store(1, Ordering::Relaxed);
        mute.seat().last.store(2, Ordering::Relaxed);
        let next = admit();
        assert_eq!([&works, &mute, &next].map(closed), [false, true, false]);
    }

    #[test]
    fn one_peer_has_so_many_calls_over_all_its_connections_and_others_have_theirs() {
        let connections = Connections::new(9, 2);
        let [a, b] = [(); 2].map(|()| connections.admit(Peer::User(1)).unwrap());
        let other = connections.admit(Peer::User(2)).unwrap();
        assert!(!a.seat().has_called());
        let (one, _two) = (a.seat().call().unwrap(), b.seat().call().unwrap());
        assert!(a.seat().has_called());
        assert!(b.seat().call().is_none());
        assert!(other.seat().call().is_some());
        drop(one);
        assert!(b.seat().call().is_some(), "one ended; the refused one was not counted");
    }
}
