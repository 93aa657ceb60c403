//! HTTP/2 by hand (RFC 9113, RFC 7541): what no library would send.

/// What a client says first, followed by settings.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames.
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// The setting that says how much may come on a stream before more is asked for.
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;

/// The 24-bit length may lie: it is that of `length`, not of the payload.
pub(super) fn lying_frame(length: u32, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    lying_frame(u32::try_from(payload.len()).unwrap_or(u32::MAX), kind, flags, stream, payload)
}

/// Preface and settings.
pub(super) fn hello(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in settings {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    [PREFACE, &frame(SETTINGS, 0, 0, &payload)].concat()
}

/// One header field: a literal that is not to be remembered.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        length(&mut bytes, text.len());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A length in seven bits, or in as many bytes as it takes.
fn length(bytes: &mut Vec<u8>, length: usize) {
    let low = |value: usize| u8::try_from(value & 0x7f).unwrap_or(0);
    if length < 127 {
        bytes.push(low(length));
        return;
    }
    bytes.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        bytes.push(low(rest) | 0x80);
        rest >>= 7;
    }
    bytes.push(low(rest));
}

/// The fields of a call.
pub(super) fn call(path: &str) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "ktrdrd"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// A gRPC message as it stands in `DATA`; its length may lie.
pub(super) fn lying_message(length: u32, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(length.to_be_bytes());
    bytes.extend(message);
    bytes
}

pub(super) fn message(message: &[u8]) -> Vec<u8> {
    lying_message(u32::try_from(message.len()).unwrap_or(u32::MAX), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_standard() {
        let of = |number| {
            let mut bytes = Vec::new();
            length(&mut bytes, number);
            bytes
        };
        // RFC 7541, C.1.2, with seven bits instead of five
        assert_eq!((of(10), of(127), of(1_337)), (vec![10], vec![127, 0], vec![127, 0xba, 0x09]));
        assert_eq!(frame(PING, 0, 0, &[7; 8])[..9], [0, 0, 8, 6, 0, 0, 0, 0, 0]);
    }
}
