//! The listening socket: private from its first moment, its stale predecessor removed under the lock.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

use super::{
    StartError,
    lock::{Attempt, Lock},
};

/// The address and the right to it.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// What is at the path is ours to remove.
    bound: bool,
    _lock: Lock,
}

impl Socket {
    /// Takes the lock beside the socket; a daemon that holds it is named.
    pub(super) fn claim(path: PathBuf) -> Result<Self, StartError> {
        let failed = |source| StartError::Socket { path: path.clone(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let mut lock_path = path.clone().into_os_string();
        lock_path.push(".lock");
        match Lock::try_hold(Path::new(&lock_path)).map_err(failed)? {
            Attempt::Held(lock) => Ok(Self { path, bound: false, _lock: lock }),
            Attempt::Taken(pid) => Err(StartError::AlreadyRunning { socket: path, pid }),
        }
    }

    /// What is left of a daemon that was killed is removed: whoever holds the lock is alone.
    pub(super) fn listen(&mut self) -> Result<UnixListener, StartError> {
        let path = self.path.clone();
        let failed = |source| StartError::Socket { path: path.clone(), source };
        match fs::symlink_metadata(&self.path) {
            Ok(meta) if meta.file_type().is_socket() => fs::remove_file(&self.path).map_err(failed)?,
            Ok(_) => return Err(StartError::InTheWay(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(&self.path).map_err(failed)?;
        self.bound = true;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(listener)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
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
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(Socket::claim(path.clone()).unwrap().listen().is_ok());
        assert!(!path.exists(), "our own is removed at the end");

        fs::write(&path, "precious").unwrap();
        assert!(matches!(Socket::claim(path.clone()).unwrap().listen(), Err(StartError::InTheWay(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
