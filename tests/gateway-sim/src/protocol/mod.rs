//! The gateway's protocol as bytes: framing, handshake, messages, dates. No sockets, no market.
//!
//! `request` and `reply` say what is spoken about; `dialect` turns both from and into frames, by protobuf or as text.

pub(crate) mod dates;
pub(crate) mod dialect;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod messages;
mod protobuf;
pub(crate) mod reply;
pub(crate) mod request;
mod text;
