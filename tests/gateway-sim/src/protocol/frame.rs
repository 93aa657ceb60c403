//! Frames: a big-endian length, then a body. A body of protobuf starts with a big-endian message id, 200 added.

/// What a client accepts; nothing longer is sent either.
pub(crate) const MAX_BODY: usize = 0x00ff_ffff;
pub(crate) const ID_BYTES: usize = 4;
const PROTOBUF_OFFSET: u32 = 200;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of {0} bytes")]
    Length(u32),
    #[error("a text message, id {0}")]
    Text(u32),
}

/// One message of protobuf.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: u32,
    pub(crate) payload: Vec<u8>,
}

/// The length of the body that follows, if it can be one.
pub(crate) fn body_length(prefix: [u8; 4], shortest: usize) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes(prefix);
    let usable = usize::try_from(length).ok().filter(|length| (shortest..=MAX_BODY).contains(length));
    usable.ok_or(FrameError::Length(length))
}

/// Takes a body of protobuf apart.
pub(crate) fn parse(body: &[u8]) -> Result<Frame, FrameError> {
    let Some((id, payload)) = body.split_first_chunk() else {
        return Err(FrameError::Length(0));
    };
    let id = u32::from_be_bytes(*id);
    let plain = id.checked_sub(PROTOBUF_OFFSET).ok_or(FrameError::Text(id))?;
    Ok(Frame { id: plain, payload: payload.to_vec() })
}

pub(crate) fn protobuf_id(id: u32) -> [u8; ID_BYTES] {
    (id + PROTOBUF_OFFSET).to_be_bytes()
}

/// A whole frame of the parts of its body; `None` if they are too long for one.
pub(crate) fn whole(parts: &[&[u8]]) -> Option<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_BODY)?;
    let mut frame = Vec::with_capacity(length + ID_BYTES);
    frame.extend(prefix.to_be_bytes());
    for part in parts {
        frame.extend_from_slice(part);
    }
    Some(frame)
}

/// Frames that no client should be able to use.
pub(crate) mod broken {
    use super::{ID_BYTES, protobuf_id, whole};

    /// A message of protobuf with an id that nobody knows.
    pub(crate) fn unknown(id: u32) -> Vec<u8> {
        whole(&[&protobuf_id(id), b"\x08\x01"]).unwrap_or_default()
    }

    /// A good frame of protobuf with bytes behind that are none: a field of a type that does not exist.
    pub(crate) fn unreadable(good: &[u8]) -> Vec<u8> {
        good.get(ID_BYTES..).and_then(|body| whole(&[body, &[0xff, 0xff, 0xff]])).unwrap_or_default()
    }

    /// "I shut down", as its id alone.
    pub(crate) fn shutdown() -> Vec<u8> {
        whole(&[&(-2i32).to_be_bytes()]).unwrap_or_default()
    }

    /// A notice as text behind a binary id, as versions between the dialects have it.
    pub(crate) fn text_notice() -> Vec<u8> {
        let fields = b"-1\x002106\0HMDS data farm connection is OK:ushmds\0\x000\0";
        whole(&[&4u32.to_be_bytes(), fields]).unwrap_or_default()
    }

    /// An open order, of which only the number is told.
    pub(crate) fn open_order(number: u8) -> Vec<u8> {
        whole(&[&protobuf_id(5), &[0x08, number]]).unwrap_or_default()
    }
}
