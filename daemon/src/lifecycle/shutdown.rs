//! The orderly stop: refuse new work, end operations, cut streams, leave the gateway, within the grace time.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::rpc::Ending;

/// One token a stage; each fires after the one before has done its work.
#[derive(Debug, Clone, Default)]
pub(super) struct Stages {
    /// Somebody wants the daemon to end.
    pub(super) ending: Ending,
    /// Operations end; new ones are refused.
    pub(super) operations: CancellationToken,
    /// Streams are cut short; the listener closes.
    pub(super) streams: CancellationToken,
    /// The gateway's session ends.
    pub(super) gateway: CancellationToken,
}

/// Stops on SIGTERM and SIGINT, also during a restart. A hang-up is ignored: the terminal that started the daemon may close.
pub(super) fn watch_signals(ending: Ending) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                _ = hang_up.recv() => continue,
            };
            tracing::info!(signal = name, "asked to stop");
            ending.stop();
        }
    });
    Ok(())
}

/// Ends the process when the orderly stop outlives its grace. A thread, because the runtime may be what is stuck.
/// Nothing is lost by that: what was acknowledged is on the disk.
pub(super) fn watchdog(grace: Duration) {
    let spawned = std::thread::Builder::new().name("watchdog".into()).spawn(move || {
        std::thread::sleep(grace);
        tracing::error!(?grace, "the orderly stop took too long");
        std::process::exit(1);
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no watchdog for the stop");
    }
}
