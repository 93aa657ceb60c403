//! Who is at the other end of a connection. Nothing is decided about them here.

use std::{fmt, sync::Arc};

use super::connections::Seat;
use crate::operations::Requested;

/// As the kernel, or a handshake, vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    /// A user of this machine, over the Unix socket.
    User(u32),
    /// Whoever holds the key of a certificate: SHA-256 of its DER form, lower-case hex.
    Certificate(Arc<str>),
    /// The kernel did not say.
    Unknown,
}

impl Peer {
    /// Whose call it is.
    pub(super) fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get::<Arc<Seat>>().map_or(Self::Unknown, |seat| seat.peer().clone())
    }

    /// Asks for an operation.
    pub(super) fn asks(&self, id: String) -> Requested {
        Requested { id, by: Some(self.to_string().into()) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(uid) => write!(f, "user {uid}"),
            Self::Certificate(hash) => write!(f, "certificate {}", hash.get(..16).unwrap_or(hash)),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}
