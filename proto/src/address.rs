//! Where the socket is, for both sides.
//!
//! Client: the flag or `KTRDR_SOCKET`, else the user's when it is there, else the system's on a machine that has one, else the user's.
//! Daemon: its flag, configuration or `KTRDR_SOCKET`, else the user's. The user's is below `XDG_RUNTIME_DIR`, or in a
//! folder under `/tmp` that is ours alone.

use std::{
    env, fmt, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// Environment variable that names the socket, on both sides.
pub const SOCKET_VARIABLE: &str = "KTRDR_SOCKET";

/// Where the system unit listens.
pub const SYSTEM_SOCKET: &str = "/run/ktrdr/ktrdrd.sock";

/// There when the machine has a daemon for all: also for those who may not look into it, and who must be told so instead of getting a
/// daemon, and a second connection to the gateway, of their own.
const SYSTEM_FOLDER: &str = "/run/ktrdr";

/// Longest path that fits `sockaddr_un` with its terminating NUL (Linux: 108 bytes; macOS: 104).
pub const PATH_BYTES_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Why there is no usable address.
#[derive(Debug)]
pub enum AddressError {
    /// More than [`PATH_BYTES_MAX`] bytes.
    TooLong(PathBuf),
    /// The folder under `/tmp` belongs to somebody else, or others may enter it.
    FolderNotOurs(PathBuf),
    /// The folder could not be made or looked at.
    Io(PathBuf, io::Error),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(path) => write!(
                f,
                "the socket path has {} bytes, more than the {PATH_BYTES_MAX} the system allows: {}",
                path.as_os_str().len(),
                path.display()
            ),
            Self::FolderNotOurs(path) => write!(f, "{} is not a folder of ours with mode 0700", path.display()),
            Self::Io(path, _) => write!(f, "cannot use the folder {}", path.display()),
        }
    }
}

impl std::error::Error for AddressError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}

/// The socket a client calls. `flag` wins over `KTRDR_SOCKET`.
pub fn for_client(flag: Option<&Path>) -> Result<PathBuf, AddressError> {
    if let Some(path) = chosen(flag) {
        return fitting(path);
    }
    let user = of_user();
    if !user.exists() && Path::new(SYSTEM_FOLDER).exists() {
        return Ok(PathBuf::from(SYSTEM_SOCKET));
    }
    verify_tmp(&user, false)?;
    fitting(user)
}

/// The socket a daemon listens on; `configured` wins over `KTRDR_SOCKET`. Makes the folder under `/tmp` when needed.
pub fn for_daemon(configured: Option<&Path>) -> Result<PathBuf, AddressError> {
    if let Some(path) = chosen(configured) {
        return fitting(path);
    }
    let user = of_user();
    verify_tmp(&user, true)?;
    fitting(user)
}

fn chosen(flag: Option<&Path>) -> Option<PathBuf> {
    let variable = || env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    flag.map(Path::to_path_buf).or_else(variable)
}

fn of_user() -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty());
    let folder = match runtime {
        Some(runtime) => Path::new(&runtime).join("ktrdr"),
        None => PathBuf::from(format!("/tmp/ktrdr-{}", rustix::process::getuid().as_raw())),
    };
    folder.join("ktrdrd.sock")
}

fn fitting(path: PathBuf) -> Result<PathBuf, AddressError> {
    if path.as_os_str().len() > PATH_BYTES_MAX { Err(AddressError::TooLong(path)) } else { Ok(path) }
}

/// Anyone may make a folder under `/tmp`, so one that is not ours alone is refused rather than trusted.
fn verify_tmp(socket: &Path, create: bool) -> Result<(), AddressError> {
    let Some(folder) =
        socket.parent().filter(|folder| folder.starts_with("/tmp") && folder.parent() == Some(Path::new("/tmp")))
    else {
        return Ok(());
    };
    if create
        && let Err(error) = fs::DirBuilder::new().mode(0o700).create(folder)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(AddressError::Io(folder.to_path_buf(), error));
    }
    match fs::symlink_metadata(folder) {
        Ok(meta) if meta.is_dir() && meta.uid() == rustix::process::getuid().as_raw() && meta.mode() & 0o077 == 0 => {
            Ok(())
        }
        Ok(_) => Err(AddressError::FolderNotOurs(folder.to_path_buf())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(AddressError::Io(folder.to_path_buf(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_path_that_does_not_fit_is_told_with_its_length() {
        let long = PathBuf::from(format!("/{}", "x".repeat(PATH_BYTES_MAX)));
        let error = for_client(Some(&long)).unwrap_err();
        assert!(matches!(&error, AddressError::TooLong(path) if *path == long));
        assert!(error.to_string().contains("108 bytes"), "{error}");
        assert!(for_client(Some(Path::new("/short"))).is_ok());
    }

    #[test]
    fn a_folder_under_tmp_that_others_may_enter_is_refused() {
        let folder = tempfile::Builder::new().prefix("ktrdr-address-").tempdir_in("/tmp").unwrap();
        let socket = folder.path().join("ktrdrd.sock");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(verify_tmp(&socket, true).is_ok());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(verify_tmp(&socket, true), Err(AddressError::FolderNotOurs(_))));
    }
}
