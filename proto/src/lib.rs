//! The contract between `ktrdr`, `ktrdrd` and everybody else who calls the daemon.
//!
//! Lives here: the messages and services of `ktrdr.v1` ([`v1`]), every error reason ([`reason`]), the spelling of
//! timeframes ([`spelling`]), how foreign text is made harmless ([`text`]) and the socket's address ([`address`]). Not here: behaviour of either side.

pub mod address;
pub mod codec;
pub mod columns;
pub mod reason;
pub mod served;
pub mod spelling;
pub mod text;

/// Generated from `ktrdr/v1/*.proto`.
#[expect(clippy::pedantic, clippy::allow_attributes, unused_qualifications, reason = "generated code")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/ktrdr.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/served/ktrdr.v1.rs"));

    pub use crate::columns::BarColumns;
}

/// Client and daemon must agree on this number. It grows when an old client could misread a new daemon, which the
/// frozen-contract test is there to prevent.
pub const CONTRACT: u32 = 1;

/// Build of this checkout, on every reply.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Reply metadata: the daemon's contract number, decimal.
pub const CONTRACT_KEY: &str = "ktrdr-contract";

/// Reply metadata: the daemon's build.
pub const BUILD_KEY: &str = "ktrdr-build";

/// Request and reply metadata: an id that ties a request to the daemon's log.
pub const REQUEST_ID_KEY: &str = "ktrdr-request-id";

/// The compiled descriptors of the contract, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
