//! Who is connected, and how much of the daemon each may hold. A crowd must not lock anybody out: when all seats are taken, the
//! connection that has been silent longest makes room; first of all one that has never made a call. One with an open call never does, so
//! nobody may have so many of those that the daemon's own user and root find no seat to stop it from.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use super::{driver::Bell, peer::Peer};

/// All connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bounds: Bounds,
    /// The daemon's.
    own: u32,
    calls_of_peer: usize,
    begun: Instant,
    table: Mutex<Table>,
}

/// Seats.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    most: usize,
    /// Of one who neither runs the daemon nor is root.
    of_peer: usize,
    /// Of all those together; the rest is for the two.
    of_others: usize,
}

impl Bounds {
    fn of(most: usize) -> Self {
        Self { most, of_peer: most - most / 4, of_others: most - most / 8 }
    }
}

#[derive(Debug, Default)]
struct Table {
    came: u64,
    seats: HashMap<u64, Arc<Seat>>,
    /// Each ends with its calls, those too that still come.
    finishing: bool,
    /// Everybody who is connected, or has a call open still.
    peers: HashMap<Peer, Held>,
}

/// What one peer holds.
#[derive(Debug, Default)]
struct Held {
    seats: usize,
    calls: Arc<AtomicUsize>,
}

/// What one connection holds.
#[derive(Debug)]
pub(super) struct Seat {
    peer: Peer,
    is_other: bool,
    all: Connections,
    /// Open calls of this connection, and of all of its peer's.
    calls: AtomicUsize,
    of_peer: Arc<AtomicUsize>,
    called: AtomicBool,
    /// Milliseconds, of the end of its last call, or of its coming.
    last: AtomicU64,
    begun: Instant,
    bell: Arc<Bell>,
    calls_of_peer: usize,
}

impl Connections {
    /// `most`: connections at once; `calls_of_peer`: open calls of one peer, over all of its connections.
    pub fn new(most: usize, calls_of_peer: usize) -> Self {
        let (begun, table, own) = (Instant::now(), Mutex::default(), nix::unistd::getuid().as_raw());
        Self(Arc::new(Inner { bounds: Bounds::of(most), own, calls_of_peer, begun, table }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for one that came; none when each that could make room has a call open.
    pub(super) fn admit(&self, peer: Peer) -> Option<Ticket> {
        let is_other = !matches!(peer, Peer::User(uid) if uid == self.0.own || uid == 0);
        let mut table = self.table();
        if !table.has_room(&peer, is_other, self.0.bounds) {
            return None;
        }
        let held = table.peers.entry(peer.clone()).or_default();
        held.seats += 1;
        let of_peer = held.calls.clone();
        let seat = Arc::new(Seat {
            peer,
            is_other,
            all: self.clone(),
            calls: AtomicUsize::new(0),
            of_peer,
            called: AtomicBool::new(false),
            last: AtomicU64::new(millis(self.0.begun)),
            begun: self.0.begun,
            bell: Arc::default(),
            calls_of_peer: self.0.calls_of_peer,
        });
        if table.finishing {
            seat.bell.finish();
        }
        table.came += 1;
        let id = table.came;
        table.seats.insert(id, seat.clone());
        Some(Ticket { id, seat, connections: self.clone() })
    }

    /// Tells all to end with their calls.
    pub(super) fn finish(&self) {
        let mut table = self.table();
        table.finishing = true;
        table.seats.values().for_each(|seat| seat.bell.finish());
    }

    /// Closes some that are silent; how many.
    pub(super) fn make_room(&self, wanted: usize) -> usize {
        self.table().make_room(wanted, |_| true)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.table().seats.len()
    }
}

impl Table {
    /// Whether there is a seat for one more of that peer, after others have made room if they must.
    fn has_room(&mut self, peer: &Peer, is_other: bool, bounds: Bounds) -> bool {
        if is_other {
            let own = |seat: &Seat| seat.peer == *peer;
            let count = |table: &Self, is: &dyn Fn(&Seat) -> bool| table.seats.values().filter(|seat| is(seat)).count();
            if count(self, &own) >= bounds.of_peer && self.make_room(1, own) == 0 {
                return false;
            }
            let other = |seat: &Seat| seat.is_other;
            if count(self, &other) >= bounds.of_others && self.make_room(1, other) == 0 {
                return false;
            }
        }
        self.seats.len() < bounds.most || self.make_room(1, |_| true) > 0
    }

    fn make_room(&mut self, wanted: usize, may_go: impl Fn(&Seat) -> bool) -> usize {
        let silent =
            self.seats.iter().filter(|(_, seat)| seat.calls.load(Ordering::Relaxed) == 0 && may_go(seat.as_ref()));
        let age = |seat: &Seat| (seat.has_called(), seat.last.load(Ordering::Relaxed));
        let mut silent: Vec<_> = silent.map(|(id, seat)| (age(seat), *id)).collect();
        silent.sort_unstable();
        silent.truncate(wanted);
        for (_, id) in &silent {
            if let Some(seat) = self.seats.remove(id) {
                seat.bell.close();
            }
        }
        silent.len()
    }

    /// A peer that holds nothing any more; a call may end after its connection.
    fn forget(&mut self, peer: &Peer) {
        if self.peers.get(peer).is_some_and(|held| held.seats == 0 && held.calls.load(Ordering::Relaxed) == 0) {
            self.peers.remove(peer);
        }
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
        if let Some(held) = table.peers.get_mut(&self.seat.peer) {
            held.seats = held.seats.saturating_sub(1);
        }
        table.forget(&self.seat.peer);
    }
}

impl Seat {
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Who drives it hears what it has to do.
    pub(super) fn bell(&self) -> &Arc<Bell> {
        &self.bell
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
        if self.0.of_peer.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.all.table().forget(&self.0.peer);
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(ticket: &Ticket) -> bool {
        ticket.seat().bell().is_closing()
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

    #[test]
    fn nobody_takes_all_seats_from_the_daemons_own_user_and_root() {
        let connections = Connections::new(16, 100);
        let own = Peer::User(connections.0.own);
        let stranger = |number: u32| Peer::Certificate(number.to_string().into());
        let at_work = |peer: &Peer| {
            let ticket = connections.admit(peer.clone())?;
            let call = ticket.seat().call()?;
            Some((call, ticket))
        };
        let one: Vec<_> = std::iter::from_fn(|| at_work(&stranger(1))).collect();
        let others: Vec<_> = (2..9).map_while(|number| at_work(&stranger(number))).collect();
        assert_eq!((one.len(), others.len()), (12, 2));
        let silent = connections.admit(own.clone()).unwrap();
        assert!(connections.admit(stranger(9)).is_none(), "another's silence is no room for strangers");
        assert!(!closed(&silent) && at_work(&own).is_some());
    }

    #[test]
    fn a_peer_is_forgotten_with_its_last_seat_and_call_whichever_ends_last() {
        let connections = Connections::new(9, 2);
        let [a, b] = [(); 2].map(|()| connections.admit(Peer::User(1)).unwrap());
        let calls = (a.seat().call().unwrap(), b.seat().call().unwrap());
        drop((a, b));
        let c = connections.admit(Peer::User(1)).unwrap();
        assert!(c.seat().call().is_none(), "two are open still");
        drop(c);
        assert_eq!(connections.table().peers.len(), 1);
        drop(calls);
        assert!(connections.table().peers.is_empty());
    }
}
