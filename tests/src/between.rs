//! Stands between the daemon and a service, and spoils what comes back. What the daemon says goes through as it is.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use ktrdr_foreign::mutation::Mutator;

/// How what comes back is cut into pieces, each of which may be spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    /// Frames of the gateway: a big-endian length, then so many bytes.
    Frames,
    /// As they come: for a service that answers one request after the other, an answer, mostly.
    AsTheyCome,
}

/// Frames of a gateway that make a session; spoilt seldom, because nothing else is heard of whom is not let in.
const GREETING: usize = 4;
/// Longer pieces go through as they are.
const SPOILT_MAX: usize = 1 << 16;

/// At work until it is dropped.
#[derive(Debug)]
pub struct Between {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: u16,
    pieces: Pieces,
    /// One piece in so many is spoilt; 0: none.
    one_in: AtomicU64,
    connections: AtomicU64,
    spoilt: AtomicU64,
    over: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    /// Pieces that came, of which others are made.
    seen: Mutex<Vec<Vec<u8>>>,
}

impl Between {
    /// In front of `upstream`, on a port of its own. Spoils one piece in `one_in`, drawn from the seed.
    pub fn start(upstream: u16, pieces: Pieces, one_in: u64, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream,
            pieces,
            one_in: AtomicU64::new(one_in),
            connections: AtomicU64::new(0),
            spoilt: AtomicU64::new(0),
            over: AtomicBool::new(false),
            open: Mutex::default(),
            seen: Mutex::default(),
        });
        let own = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if own.over.load(Ordering::SeqCst) {
                    break;
                }
                let number = own.connections.fetch_add(1, Ordering::SeqCst);
                // a service that is away is none of ours
                own.join(client, Rng::with_seed(seed ^ number.rotate_left(32))).unwrap_or_default();
            }
        });
        Ok(Self { port, shared })
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Pieces that were spoilt so far.
    pub fn spoilt(&self) -> u64 {
        self.shared.spoilt.load(Ordering::SeqCst)
    }

    /// From now on everything goes through as it is.
    pub fn be_honest(&self) {
        self.shared.one_in.store(0, Ordering::SeqCst);
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // the listener is waiting for somebody
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        for stream in lock(&self.shared.open).drain(..) {
            stream.shutdown(Shutdown::Both).unwrap_or_default();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Two threads, one each way; an end of one side is an end of the other.
    fn join(self: &Arc<Self>, client: TcpStream, rng: Rng) -> Result<()> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.upstream)).context("nobody is there")?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            lock(&self.open).push(stream.try_clone()?);
        }
        let (mut asking, mut asked) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            drop(std::io::copy(&mut asking, &mut asked));
            end(&asking, &asked);
        });
        let own = self.clone();
        thread::spawn(move || {
            let mut answers = Answers { shared: own, rng, count: 0 };
            let (mut answering, mut answered) = (server, client);
            while let Ok(Some(piece)) = answers.next(&mut answering) {
                if answered.write_all(&piece).is_err() {
                    break;
                }
            }
            end(&answering, &answered);
        });
        Ok(())
    }
}

/// The other side may have done it before.
fn end(one: &TcpStream, other: &TcpStream) {
    for stream in [one, other] {
        stream.shutdown(Shutdown::Both).unwrap_or_default();
    }
}

struct Answers {
    shared: Arc<Shared>,
    rng: Rng,
    count: usize,
}

impl Answers {
    /// The next piece, spoilt or not; `None` at the end.
    fn next(&mut self, server: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::new();
        match self.shared.pieces {
            Pieces::Frames => {
                let mut length = [0; 4];
                server.read_exact(&mut length)?;
                let bytes = usize::try_from(u32::from_be_bytes(length)).unwrap_or(0);
                piece.resize(bytes, 0);
                server.read_exact(&mut piece)?;
            }
            Pieces::AsTheyCome => {
                piece.resize(SPOILT_MAX, 0);
                let read = server.read(&mut piece)?;
                piece.truncate(read);
                if read == 0 {
                    return Ok(None);
                }
            }
        }
        self.count += 1;
        let one_in = self.shared.one_in.load(Ordering::SeqCst);
        let greeting = self.shared.pieces == Pieces::Frames && self.count <= GREETING;
        let spoil = one_in > 0 && self.rng.u64(..one_in) == 0 && (!greeting || self.rng.u8(..8) == 0);
        let own_length = piece.len();
        if spoil && own_length <= SPOILT_MAX {
            self.spoil(&mut piece);
            self.shared.spoilt.fetch_add(1, Ordering::SeqCst);
        }
        if self.shared.pieces == Pieces::Frames {
            // mostly what is inside is wrong, not how long it is
            let told = if spoil && self.rng.u8(..8) == 0 { own_length } else { piece.len() };
            let length = u32::try_from(told).unwrap_or(u32::MAX).to_be_bytes();
            piece.splice(..0, length);
        }
        Ok(Some(piece))
    }

    fn spoil(&mut self, piece: &mut Vec<u8>) {
        let mut seen = lock(&self.shared.seen);
        if seen.len() < 500 {
            seen.push(piece.clone());
        }
        let mutator = Mutator { others: &seen, words: &[], longest: SPOILT_MAX };
        if self.shared.pieces == Pieces::Frames && self.rng.bool() && piece.len() > 4 {
            // the message stays what it is
            let mut inner = piece.split_off(4);
            mutator.mutate(&mut self.rng, &mut inner);
            piece.extend(inner);
        } else {
            mutator.mutate(&mut self.rng, piece);
        }
    }
}
