//! Exit codes of the CLI.

/// The request failed.
pub const FAILED: u8 = 1;
/// Wrong usage.
pub const USAGE: u8 = 2;
/// The daemon cannot be reached.
pub const UNREACHABLE: u8 = 3;
/// Client and daemon speak different contracts.
pub const CONTRACT: u8 = 4;
/// The gateway or a host service is unavailable.
pub const UNAVAILABLE: u8 = 5;
/// Timed out; the outcome is unknown.
pub const TIMED_OUT: u8 = 6;
/// What was asked for does not exist.
pub const NOT_FOUND: u8 = 7;
/// Interrupted by the user.
pub const INTERRUPTED: u8 = 130;
