//! The yardstick of `cargo perf`: a tonic server that does nothing, and a client that loads it and `ktrdrd` alike.
//!
//! Both ends are set as the real ones are (windows, worker threads), so that what differs is what the daemon does with a call.
//! Nothing here is part of what is shipped.

pub mod bars;
pub mod calls;
pub mod server;

use std::path::Path;

use anyhow::Result;
use tonic::transport::{Channel, Endpoint};

/// Generated from `bare.proto`.
#[expect(clippy::pedantic, clippy::allow_attributes, unused_qualifications, reason = "generated code")]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/ktrdr.bare.v1.rs"));
}

/// Flow control as the real client and the real server have it.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// Of a chunk of 256 KiB.
pub const CHUNK_ROWS: usize = (256 << 10) / 48;

/// A connection to the server at a socket.
pub async fn connect(socket: &Path) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display()))?
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    Ok(endpoint.connect().await?)
}
