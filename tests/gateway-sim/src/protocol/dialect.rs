//! The ways in which client and server spell their messages, and which of them a version speaks.

use super::reply::Reply;
use super::request::Inbound;
use super::{frame, protobuf, text};

/// From this version on every message is protobuf.
pub(crate) const FIRST_PROTOBUF: i32 = 213;
/// Up to this version every message is text, id included.
const LAST_TEXT: i32 = 200;
/// The oldest version of text that is spoken here.
const FIRST_TEXT: i32 = 157;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Protobuf,
    Text { version: i32 },
}

impl Dialect {
    /// `None` between the two, where some messages are text and some are not, and before the first.
    pub(crate) fn of_version(version: i32) -> Option<Self> {
        match version {
            FIRST_PROTOBUF.. => Some(Self::Protobuf),
            FIRST_TEXT..=LAST_TEXT => Some(Self::Text { version }),
            _ => None,
        }
    }

    /// The length of the body that follows, if it can be one.
    pub(crate) fn body_length(self, prefix: [u8; 4]) -> Result<usize, frame::FrameError> {
        let shortest = match self {
            Self::Protobuf => frame::ID_BYTES,
            // A digit and its end.
            Self::Text { .. } => 2,
        };
        frame::body_length(prefix, shortest)
    }

    pub(crate) fn decode(self, body: &[u8]) -> Inbound {
        match self {
            Self::Protobuf => protobuf::decode(body),
            Self::Text { version } => text::decode(version, body),
        }
    }

    /// The whole frame, empty for what a version leaves unsaid; `None` if it is too long to be a frame.
    pub(crate) fn encode(self, reply: &Reply) -> Option<Vec<u8>> {
        match self {
            Self::Protobuf => protobuf::encode(reply),
            Self::Text { version } => text::encode(version, reply),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::handshake;

    /// What a client sends: versions on the first line, then one frame, in the dialect that was agreed on.
    #[test]
    fn foreign_bytes() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "frame").memory(64, 1 << 20).check(|bytes| {
            let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
            let versions = String::from_utf8_lossy(parts.next().unwrap_or_default());
            let range = handshake::range(&versions).ok_or("no range of versions")?;
            let version = handshake::choose(range, 226);
            let dialect = Dialect::of_version(version).ok_or("a version that nobody speaks")?;
            let rest = parts.next().unwrap_or_default();
            let (prefix, body) = rest.split_first_chunk().ok_or("no length")?;
            let length = dialect.body_length(*prefix).map_err(|error| error.to_string())?;
            assert!(length <= frame::MAX_BODY);
            let body = body.get(..length).unwrap_or(body);
            match dialect.decode(body) {
                Inbound::Request(request) => {
                    assert_eq!(Some(request.kind()), dialect.decode(body).kind());
                    Ok(format!("{:?} {}", request.kind(), request.contract().is_some()))
                }
                Inbound::Garbled(kind) => Err(format!("garbled {kind:?}")),
                Inbound::Unknown(id) => Err(format!("unknown {id}")),
            }
        });
    }
}
