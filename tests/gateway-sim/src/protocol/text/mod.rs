//! The older dialect: a decimal message id and fields, each ended by NUL. Layouts move with the version.

mod fields;
mod read;
#[cfg(test)]
mod tests;
mod write;

use super::frame;
use super::reply::Reply;
use super::request::{Inbound, Kind};
use fields::{Fields, Line};

pub(super) fn decode(version: i32, body: &[u8]) -> Inbound {
    let Some(mut fields) = Fields::of(body) else {
        return Inbound::Garbled(None);
    };
    let Ok(id) = fields.number::<u32>() else {
        return Inbound::Garbled(None);
    };
    let Some(kind) = Kind::of_id(id) else {
        return Inbound::Unknown(id);
    };
    read::request(version, kind, &mut fields)
        .map_or(Inbound::Garbled(Some(kind)), |request| Inbound::Request(Box::new(request)))
}

/// The whole frame, empty for what a version leaves unsaid; `None` if it is too long to be a frame.
pub(super) fn encode(version: i32, reply: &Reply) -> Option<Vec<u8>> {
    let mut line = Line::new(reply.wire_id());
    if !write::reply(version, reply, &mut line) {
        return Some(Vec::new());
    }
    frame::whole(&[line.bytes()])
}
