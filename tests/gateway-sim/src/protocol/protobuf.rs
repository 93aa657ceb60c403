//! The dialect of versions from 213 on: every message is protobuf.

use super::frame;
use super::reply::Reply;
use super::request::{Inbound, Kind, Request};

pub(super) fn decode(body: &[u8]) -> Inbound {
    let Ok(frame) = frame::parse(body) else {
        return Inbound::Garbled(None);
    };
    let Some(kind) = Kind::of_id(frame.id) else {
        return Inbound::Unknown(frame.id);
    };
    Request::of_protobuf(kind, &frame.payload)
        .map_or(Inbound::Garbled(Some(kind)), |request| Inbound::Request(Box::new(request)))
}

/// The whole frame; `None` if it is too long to be one.
pub(super) fn encode(reply: &Reply) -> Option<Vec<u8>> {
    frame::whole(&[&frame::protobuf_id(reply.wire_id()), &reply.to_protobuf()])
}
