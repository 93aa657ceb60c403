//! The gateway's protocol as bytes: framing, handshake, messages, dates. No sockets, no market.

pub(crate) mod dates;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod messages;
