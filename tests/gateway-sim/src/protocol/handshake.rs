//! The plain-text start: the client's range of versions, the server's choice and clock.

/// What a client sends first.
pub(crate) const PREFIX: &[u8; 4] = b"API\0";
/// Longest list of versions and options worth reading.
pub(crate) const MAX_VERSIONS: usize = 1024;
/// From this version on every message is protobuf; below it this server speaks nothing yet.
pub(crate) const FIRST_SPOKEN: i32 = 213;

/// The highest version of `v213..226`, which options may follow after a blank.
pub(crate) fn highest_version(text: &str) -> Option<i32> {
    let range = text.split(' ').next()?.strip_prefix('v')?;
    let highest = range.rsplit_once("..").map_or(range, |(_, highest)| highest);
    highest.trim_end_matches('\0').parse().ok()
}

/// The answer: a version and a clock, both ended by NUL, behind their length.
pub(crate) fn acknowledgement(version: i32, clock: &str) -> Vec<u8> {
    let body = format!("{version}\0{clock}\0");
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_ranges() {
        assert_eq!(highest_version("v213..226"), Some(226));
        assert_eq!(highest_version("v157..178 +PACEAPI"), Some(178));
        assert_eq!(highest_version("v187"), Some(187));
        assert_eq!(highest_version("GET / HTTP/1.1"), None);
    }

    #[test]
    fn captured_acknowledgement() {
        let frame = acknowledgement(226, "20261123 12:39:19 UTC");
        assert_eq!(frame[..8], [0, 0, 0, 0x1a, 0x32, 0x32, 0x36, 0]);
        assert_eq!(&frame[8..], b"20261123 12:39:19 UTC\0");
    }
}
