//! The listening socket: private from its first moment, its stale predecessor removed under the lock.

use std::{
    fs, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            fs::{DirBuilderExt, FileTypeExt, PermissionsExt},
            net,
        },
    },
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use tokio::net::UnixListener;

use super::{
    StartError,
    lock::{Attempt, Lock},
};

/// Set beside `LISTEN_FDS` when the life before made the socket.
pub(super) const OWN: &str = "KTRDR_SOCKET_OWN";

/// The address and the right to it.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// From a service manager, or from the life before.
    passed: Option<Passed>,
    /// What is at the path is ours to remove.
    bound: bool,
    /// A second handle to what listens.
    kept: Option<OwnedFd>,
    _lock: Lock,
}

/// A socket that listens already.
#[derive(Debug)]
pub(super) struct Passed {
    listener: net::UnixListener,
    path: PathBuf,
    /// The life before made it, so it is ours to remove.
    own: bool,
}

impl Passed {
    /// The one that came with the process, by the rules of `sd_listen_fds`.
    pub(super) fn take() -> Result<Option<Self>, StartError> {
        let failed = |source| StartError::Socket { path: "LISTEN_FDS".into(), source };
        let Some(listener) = ListenFd::from_env().take_unix_listener(0).map_err(failed)? else { return Ok(None) };
        let address = listener.local_addr().map_err(failed)?;
        let path = address.as_pathname().map(Path::to_path_buf);
        let path = path.ok_or_else(|| failed(io::Error::other("it has no path")))?;
        Ok(Some(Self { listener, path, own: std::env::var_os(OWN).is_some() }))
    }
}

impl Socket {
    /// The one that was passed, else the one at `path`.
    pub(super) fn of(
        passed: Option<Passed>,
        path: impl FnOnce() -> Result<PathBuf, StartError>,
    ) -> Result<Self, StartError> {
        let Some(passed) = passed else { return Self::claim(path()?) };
        let mut socket = Self::claim(passed.path.clone())?;
        socket.passed = Some(passed);
        Ok(socket)
    }

    /// Takes the lock beside the socket; a daemon that holds it is named.
    pub(super) fn claim(path: PathBuf) -> Result<Self, StartError> {
        let failed = |source| StartError::Socket { path: path.clone(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let mut lock_path = path.clone().into_os_string();
        lock_path.push(".lock");
        match Lock::try_hold(Path::new(&lock_path)).map_err(failed)? {
            Attempt::Held(lock) => Ok(Self { path, passed: None, bound: false, kept: None, _lock: lock }),
            Attempt::Taken(pid) => Err(StartError::AlreadyRunning { socket: path, pid }),
        }
    }

    /// Begins to listen, or takes over what listens already.
    pub(super) fn listen(&mut self) -> Result<UnixListener, StartError> {
        let path = self.path.clone();
        let failed = |source| StartError::Socket { path: path.clone(), source };
        let listener = match self.passed.take() {
            Some(Passed { listener, own, .. }) => {
                self.bound = own;
                listener
            }
            None => self.bind()?,
        };
        self.kept = Some(listener.as_fd().try_clone_to_owned().map_err(failed)?);
        listener.set_nonblocking(true).map_err(failed)?;
        UnixListener::from_std(listener).map_err(failed)
    }

    /// What is left of a daemon that was killed is removed: whoever holds the lock is alone.
    fn bind(&mut self) -> Result<net::UnixListener, StartError> {
        let path = self.path.clone();
        let failed = |source| StartError::Socket { path: path.clone(), source };
        match fs::symlink_metadata(&self.path) {
            Ok(meta) if meta.file_type().is_socket() => fs::remove_file(&self.path).map_err(failed)?,
            Ok(_) => return Err(StartError::InTheWay(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = net::UnixListener::bind(&self.path).map_err(failed)?;
        self.bound = true;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(listener)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What listens, for the next life; and whether that one may remove it.
    pub(super) fn hand_over(&mut self) -> Option<(OwnedFd, bool)> {
        let own = std::mem::take(&mut self.bound);
        self.kept.take().map(|listener| (listener, own))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.bound {
            // the lock is still held; a socket that cannot be removed is only stale
            fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_anything_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        drop(net::UnixListener::bind(&path).unwrap());
        assert!(Socket::claim(path.clone()).unwrap().listen().is_ok());
        assert!(!path.exists(), "our own is removed at the end");

        fs::write(&path, "precious").unwrap();
        assert!(matches!(Socket::claim(path.clone()).unwrap().listen(), Err(StartError::InTheWay(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
