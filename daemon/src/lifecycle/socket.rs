//! The listening socket: private from its first moment, its stale predecessor removed under the lock. A name that was taken
//! from it is taken again (`socket_watch` looks).

use std::{
    fs, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
            net,
        },
    },
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use tokio::net::{UnixListener, UnixStream};

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
    /// The file is ours to make and to remove.
    bound: bool,
    /// The file that leads to what listens.
    name: Option<Name>,
    /// A second handle to what listens.
    kept: Option<OwnedFd>,
    lock: Lock,
}

/// Which file is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    device: u64,
    inode: u64,
}

impl Name {
    fn at(path: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(path).ok()?;
        Some(Self { device: meta.dev(), inode: meta.ino() })
    }
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
        let lock = Self::hold(&path)?;
        Ok(Self { path, passed: None, bound: false, name: None, kept: None, lock })
    }

    fn hold(path: &Path) -> Result<Lock, StartError> {
        let failed = |source| StartError::Socket { path: path.to_path_buf(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        match Lock::try_hold(&lock_path(path)).map_err(failed)? {
            Attempt::Held(lock) => Ok(lock),
            Attempt::Taken(pid) => Err(StartError::AlreadyRunning { socket: path.to_path_buf(), pid }),
        }
    }

    /// Begins to listen, or takes over what listens already.
    pub(super) fn listen(&mut self) -> Result<UnixListener, StartError> {
        let listener = match self.passed.take() {
            Some(Passed { listener, own, .. }) => {
                self.bound = own;
                listener
            }
            None => self.bind()?,
        };
        self.keep(listener)
    }

    fn keep(&mut self, listener: net::UnixListener) -> Result<UnixListener, StartError> {
        let path = self.path.clone();
        let failed = |source| StartError::Socket { path: path.clone(), source };
        self.name = Name::at(&self.path);
        self.kept = Some(listener.as_fd().try_clone_to_owned().map_err(failed)?);
        listener.set_nonblocking(true).map_err(failed)?;
        UnixListener::from_std(listener).map_err(failed)
    }

    /// Whether who calls comes here, and who would listen there finds our lock.
    pub(super) fn is_found(&self) -> bool {
        self.is_named() && self.lock.is_at(&lock_path(&self.path))
    }

    /// Whether who calls comes here.
    pub(super) fn is_named(&self) -> bool {
        self.name.is_some() && Name::at(&self.path) == self.name
    }

    /// Whether the file is ours to make again; a service manager's is not.
    pub(super) fn is_own(&self) -> bool {
        self.bound
    }

    /// Takes lock and name again; what comes back listens from now on, unless the name is still there. Whoever has either of
    /// them meanwhile keeps it.
    pub(super) async fn listen_again(&mut self) -> Result<Option<UnixListener>, StartError> {
        if !self.lock.is_at(&lock_path(&self.path)) {
            self.lock = Self::hold(&self.path)?;
        }
        if self.is_named() {
            return Ok(None);
        }
        match UnixStream::connect(&self.path).await {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {}
            _ => return Err(StartError::AlreadyRunning { socket: self.path.clone(), pid: None }),
        }
        let listener = self.bind()?;
        self.keep(listener).map(Some)
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
        // another's may be there now
        if self.bound && self.is_named() {
            // a socket that cannot be removed is only stale
            fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

fn lock_path(socket: &Path) -> PathBuf {
    let mut path = socket.to_path_buf().into_os_string();
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(path: &Path) -> (Socket, UnixListener) {
        let mut socket = Socket::claim(path.to_path_buf()).unwrap();
        let listener = socket.listen().unwrap();
        assert!(socket.is_found() && socket.is_own());
        (socket, listener)
    }

    #[tokio::test]
    async fn a_name_that_was_taken_away_is_taken_again_with_folder_and_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/s");
        let (mut socket, _first) = listening(&path);
        for is_folder in [false, true] {
            if is_folder {
                fs::remove_dir_all(path.parent().unwrap()).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            assert!(!socket.is_found());
            let again = socket.listen_again().await.unwrap().unwrap();
            assert!(socket.is_found());
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
            let (calls, accepted) = tokio::join!(UnixStream::connect(&path), again.accept());
            assert!(calls.is_ok() && accepted.is_ok());
            assert!(matches!(Socket::claim(path.clone()), Err(StartError::AlreadyRunning { .. })));
        }
        fs::remove_file(lock_path(&path)).unwrap();
        assert!(!socket.is_found());
        assert!(socket.listen_again().await.unwrap().is_none() && socket.is_found(), "the lock alone");
    }

    #[tokio::test]
    async fn what_others_have_put_in_its_place_is_left_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let (mut socket, _first) = listening(&path);
        fs::remove_file(&path).unwrap();
        let other = net::UnixListener::bind(&path).unwrap();
        assert!(matches!(socket.listen_again().await, Err(StartError::AlreadyRunning { pid: None, .. })));
        drop(other);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(matches!(socket.listen_again().await, Err(StartError::InTheWay(_))));
        fs::remove_file(&path).unwrap();
        fs::remove_file(lock_path(&path)).unwrap();
        let (next, _second) = listening(&path);
        assert!(matches!(socket.listen_again().await, Err(StartError::AlreadyRunning { pid: Some(_), .. })));
        drop(socket);
        assert!(next.is_found(), "it is not removed at our end");
    }

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
