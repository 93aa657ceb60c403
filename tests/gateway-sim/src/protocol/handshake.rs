//! The plain-text start: the client's range of versions, the server's choice and clock.

use super::dialect::FIRST_PROTOBUF;

/// What a client sends first.
pub(crate) const PREFIX: &[u8; 4] = b"API\0";
/// Longest list of versions and options worth reading.
pub(crate) const MAX_VERSIONS: usize = 1024;
/// The newest version of text that is agreed to unasked.
const NEWEST_TEXT: i32 = 178;

/// The versions a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) lowest: i32,
    pub(crate) highest: i32,
}

/// Of `v213..226`, which options may follow after a blank.
pub(crate) fn range(text: &str) -> Option<Range> {
    let range = text.split(' ').next()?.trim_end_matches('\0').strip_prefix('v')?;
    let (lowest, highest) = range.split_once("..").unwrap_or((range, range));
    let (lowest, highest) = (lowest.parse().ok()?, highest.parse().ok()?);
    (0 < lowest && lowest <= highest).then_some(Range { lowest, highest })
}

/// What the server answers: never above the client's highest. A server that could speak protobuf goes down to plain
/// text with an older client at once, past the versions that mix both; one that is older itself says so.
pub(crate) fn choose(client: Range, server: i32) -> i32 {
    match client.highest.min(server) {
        ..FIRST_PROTOBUF if server >= FIRST_PROTOBUF => client.highest.min(NEWEST_TEXT),
        common => common,
    }
}

/// The answer: a version and a clock, both ended by NUL, behind their length.
pub(crate) fn acknowledgement(version: i32, clock: &str) -> Vec<u8> {
    let body = format!("{version}\0{clock}\0");
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn captured_ranges() {
        let of = |lowest, highest| Some(Range { lowest, highest });
        assert_eq!(range("v213..226"), of(213, 226));
        assert_eq!(range("v157..178 +PACEAPI"), of(157, 178));
        assert_eq!(range("v187"), of(187, 187));
        for refused in ["GET / HTTP/1.1", "v226..213", "v..", "v-5..3", "", "v0"] {
            assert_eq!(range(refused), None, "{refused}");
        }
    }

    #[test]
    fn choices() {
        for (lowest, highest, server, version) in [
            (213, 226, 226, 226),
            (213, 226, 220, 220),
            (100, 226, 226, 226),
            (157, 178, 226, 178),
            (100, 210, 226, 178),
            (100, 170, 226, 170),
            (213, 226, 187, 187),
            (100, 226, 203, 203),
        ] {
            assert_eq!(choose(Range { lowest, highest }, server), version, "v{lowest}..{highest} at {server}");
        }
    }

    proptest! {
        #[test]
        fn nothing_above_either_side_and_no_mixture_unasked(lowest in 1i32..260, more in 0i32..260, server in 1i32..260) {
            let client = Range { lowest, highest: lowest + more };
            let version = choose(client, server);
            prop_assert!(version <= client.highest && version <= server);
            prop_assert!(!(201..=212).contains(&version) || server <= 212);
        }
    }

    #[test]
    fn captured_acknowledgement() {
        let frame = acknowledgement(226, "20261123 12:39:19 UTC");
        assert_eq!(frame[..8], [0, 0, 0, 0x1a, 0x32, 0x32, 0x36, 0]);
        assert_eq!(&frame[8..], b"20261123 12:39:19 UTC\0");
    }
}
