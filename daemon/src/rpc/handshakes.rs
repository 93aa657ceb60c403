//! Handshakes under way: so many at once, each for so long. Who connects and says nothing must not keep the others out, so beyond the
//! bound one of whoever has most of them is ended: the oldest.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{peer::Peer, tls};

/// From connecting to being known.
const PATIENCE: Duration = Duration::from_secs(10);
/// At once.
const MOST: usize = 64;

type Shaken = Option<(TlsStream<TcpStream>, Peer)>;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    tasks: JoinSet<Shaken>,
    /// Oldest first.
    open: VecDeque<(IpAddr, AbortHandle)>,
}

impl Handshakes {
    pub(super) fn begin(&mut self, acceptor: TlsAcceptor, stream: TcpStream, from: IpAddr) {
        self.open.retain(|(_, task)| !task.is_finished());
        if self.open.len() >= MOST
            && let Some((_, task)) = one_too_many(&self.open).and_then(|at| self.open.remove(at))
        {
            task.abort();
        }
        let task = self.tasks.spawn(shake(acceptor, stream, from));
        self.open.push_back((from, task));
    }

    /// The next that has ended well; none when nothing is under way.
    pub(super) async fn next(&mut self) -> Option<(TlsStream<TcpStream>, Peer)> {
        loop {
            // one that was ended is an error
            if let Ok(Some(shaken)) = self.tasks.join_next().await? {
                return Some(shaken);
            }
        }
    }
}

/// The oldest of the address that has most.
fn one_too_many<T>(open: &VecDeque<(IpAddr, T)>) -> Option<usize> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for (from, _) in open {
        *counts.entry(network(*from)).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    open.iter().position(|(from, _)| counts.get(&network(*from)) == Some(&most))
}

/// Whoever has one address of IPv6 has a /64 of them.
fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

async fn shake(acceptor: TlsAcceptor, stream: TcpStream, from: IpAddr) -> Shaken {
    let failed = |error: &dyn std::fmt::Display| tracing::info!(%from, %error, "a handshake failed");
    match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let peer = tls::peer(stream.get_ref().1);
            stream.get_ref().0.set_nodelay(true).inspect_err(|error| failed(error)).ok()?;
            Some((stream, peer))
        }
        Ok(Err(error)) => {
            failed(&error);
            None
        }
        Err(_) => {
            failed(&"nothing came in time");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_most_makes_room_with_the_oldest() {
        let of = |hosts: &[u8]| hosts.iter().map(|host| (IpAddr::from([10, 0, 0, *host]), ())).collect();
        for (hosts, expected) in [
            (&[][..], None),
            (&[7], Some(0)),
            (&[1, 2, 3], Some(0)),
            (&[1, 2, 3, 2], Some(1)),
            (&[3, 1, 1, 3, 3], Some(0)),
        ] {
            assert_eq!(one_too_many(&of(hosts)), expected, "{hosts:?}");
        }
    }
}
