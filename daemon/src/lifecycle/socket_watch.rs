//! Whether clients still find the socket. Cleaners of temporary folders, and people, remove its file or the whole folder while the
//! daemon lives: what listens then is reached by nobody, and a new daemon is kept out by the store's lock. So the name is looked
//! at, and taken again. What a service manager has made, only that one can make again: it is told how.

use std::{path::PathBuf, time::Duration};

use tokio::{net::UnixListener, sync::mpsc};

use super::{StartError, socket::Socket};
use crate::error;

/// Two looks at files in memory each time.
const LOOK: Duration = Duration::from_secs(1);

/// Looks for ever. `address` says whose folder it must be, `listeners` takes over from the one before. A trouble that lasts is
/// told once.
pub(super) async fn keep_found(
    socket: &mut Socket,
    address: impl Fn() -> Result<PathBuf, StartError>,
    listeners: mpsc::Sender<UnixListener>,
) {
    let mut told = false;
    loop {
        tokio::time::sleep(LOOK).await;
        let path = socket.path().display().to_string();
        if socket.is_found() {
            if std::mem::take(&mut told) {
                tracing::info!(path, "the socket is found again");
            }
            continue;
        }
        if !socket.is_own() && !socket.is_named() {
            if !std::mem::replace(&mut told, true) {
                tracing::error!(
                    path,
                    "the socket's file is gone, and nobody finds it any more; the service manager made it and has to make it \
                     again: systemctl restart ktrdrd.socket (with --user for a daemon of one user)"
                );
            }
            continue;
        }
        let again = match address() {
            Ok(_) => socket.listen_again().await,
            Err(error) => Err(error),
        };
        match again {
            Ok(Some(listener)) => {
                told = false;
                tracing::warn!(path, "the socket's file was gone; it is there again");
                // when the server has ended already, nobody is to be listened to
                listeners.send(listener).await.unwrap_or_default();
            }
            Ok(None) => told = false,
            Err(error) if !std::mem::replace(&mut told, true) => {
                let error = error::in_line(&error);
                tracing::error!(path, error, "the socket is not found any more, and cannot be made again yet");
            }
            Err(_) => {}
        }
    }
}
