//! Frames: a big-endian length, a big-endian message id (200 added for protobuf), the message.

use prost::Message;

/// What a client accepts; nothing longer is sent either.
pub(crate) const MAX_BODY: usize = 0x00ff_ffff;
const ID_BYTES: usize = 4;
const PROTOBUF_OFFSET: u32 = 200;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of {0} bytes")]
    Length(u32),
    #[error("a text message, id {0}")]
    Text(u32),
}

/// One message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: u32,
    pub(crate) payload: Vec<u8>,
}

/// The length of the body that follows, if it can be one.
pub(crate) fn body_length(prefix: [u8; 4]) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes(prefix);
    let usable = usize::try_from(length).ok().filter(|length| (ID_BYTES..=MAX_BODY).contains(length));
    usable.ok_or(FrameError::Length(length))
}

/// Takes a body apart.
pub(crate) fn parse(body: &[u8]) -> Result<Frame, FrameError> {
    let Some((id, payload)) = body.split_first_chunk() else {
        return Err(FrameError::Length(0));
    };
    let id = u32::from_be_bytes(*id);
    let plain = id.checked_sub(PROTOBUF_OFFSET).ok_or(FrameError::Text(id))?;
    Ok(Frame { id: plain, payload: payload.to_vec() })
}

/// Appends a whole frame, or nothing when the message is too long for one.
pub(crate) fn append(frames: &mut Vec<u8>, id: u32, message: &impl Message) -> bool {
    let length = ID_BYTES + message.encoded_len();
    let Some(prefix) = u32::try_from(length).ok().filter(|_| length <= MAX_BODY) else {
        return false;
    };
    frames.reserve(length + ID_BYTES);
    frames.extend(prefix.to_be_bytes());
    frames.extend((id + PROTOBUF_OFFSET).to_be_bytes());
    frames.extend(message.encode_to_vec());
    true
}

/// One whole frame; empty when the message is too long for one.
pub(crate) fn encode(id: u32, message: &impl Message) -> Vec<u8> {
    let mut frame = Vec::new();
    append(&mut frame, id, message);
    frame
}
