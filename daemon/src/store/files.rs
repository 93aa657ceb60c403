//! Crash-safe files: stage, fsync, rename, fsync the folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    thread,
};

use super::{Layout, StoreError};

/// Length and CRC-32 of a whole file: Parquet itself does not notice most damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum {
    /// Bytes.
    pub length: u64,
    /// CRC-32 (IEEE).
    pub crc: u32,
}

impl Checksum {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, crc: crc32fast::hash(bytes) }
    }
}

/// A complete, synced file in the staging folder. Dropped before [`publish`](Self::publish), it is removed.
#[derive(Debug)]
pub(super) struct Staged {
    path: PathBuf,
    published: bool,
}

impl Staged {
    /// Writes and syncs `bytes`. When it fails nothing has changed.
    pub(super) fn write(layout: &Layout, name: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let path = layout.staging().join(name);
        let staged = Self { path, published: false };
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&staged.path)?;
            file.write_all(bytes)?;
            // an fsync that failed is final for this file: the kernel may have dropped the pages
            file.sync_all()
        };
        write().map_err(|error| StoreError::io(&staged.path, error))?;
        Ok(staged)
    }

    /// Renames it over `target` and syncs the folders that changed; when that fails, the old file is back. `keep_damaged`:
    /// what was there is kept aside first.
    pub(super) fn publish(
        mut self,
        layout: &Layout,
        target: &Path,
        keep_damaged: bool,
    ) -> Result<Replaced, StoreError> {
        let Some(folder) = target.parent() else {
            return Err(StoreError::io(target, io::Error::from(io::ErrorKind::InvalidInput)));
        };
        create_folders(folder).map_err(|error| StoreError::io(folder, error))?;
        if keep_damaged {
            set_aside(layout, &self.path, target);
        }
        let replaced = Replaced::keep(&self.path, target)?;
        fs::rename(&self.path, target).map_err(|error| StoreError::io(target, error))?;
        self.published = true;
        if let Err(error) = sync_folder(folder) {
            replaced.put_back().map_err(|error| StoreError::io(target, error))?;
            return Err(StoreError::io(folder, error));
        }
        Ok(replaced)
    }
}

/// The file that was replaced, under a second name until nobody can want it back.
#[derive(Debug)]
pub(super) struct Replaced {
    target: PathBuf,
    /// Absent when there was none.
    old: Option<PathBuf>,
}

impl Replaced {
    fn keep(staged: &Path, target: &Path) -> Result<Self, StoreError> {
        let mut name = staged.to_path_buf().into_os_string();
        name.push(".old");
        let old = PathBuf::from(name);
        match fs::remove_file(&old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io(&old, error)),
            _ => {}
        }
        match fs::hard_link(target, &old) {
            Ok(()) => Ok(Self { target: target.to_path_buf(), old: Some(old) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { target: target.to_path_buf(), old: None })
            }
            Err(error) => Err(StoreError::io(&old, error)),
        }
    }

    /// Needs no room on the disk.
    pub(super) fn put_back(mut self) -> io::Result<()> {
        match self.old.take() {
            Some(old) => fs::rename(old, &self.target)?,
            None => fs::remove_file(&self.target)?,
        }
        self.target.parent().map_or(Ok(()), sync_folder)
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        if let Some(old) = &self.old {
            // what stays behind is removed at the next start
            fs::remove_file(old).unwrap_or_default();
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            // best effort: what stays behind is removed at the next start
            fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

/// Takes the file of a partition away, and its folder. `name`: of what is staged in its place, which is nothing.
pub(super) fn remove(layout: &Layout, name: &str, target: &Path) -> Result<Replaced, StoreError> {
    let replaced = Replaced::keep(&layout.staging().join(name), target)?;
    match fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io(target, error)),
        _ => {}
    }
    let Some(folder) = target.parent() else { return Ok(replaced) };
    if let Err(error) = sync_folder(folder) {
        replaced.put_back().map_err(|error| StoreError::io(target, error))?;
        return Err(StoreError::io(folder, error));
    }
    Ok(replaced)
}

/// What came of giving a file a second name.
pub(super) enum Old {
    Linked,
    /// There is none.
    Missing,
    Failed(StoreError),
}

/// A second name, synced.
pub(super) fn link(from: &Path, to: &Path) -> Old {
    let Some(folder) = to.parent() else { return Old::Missing };
    let linked = create_folders(folder).and_then(|()| match fs::hard_link(from, to) {
        // some file systems have no second names
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            fs::copy(from, to).and_then(|_| File::open(to)?.sync_all())
        }
        linked => linked,
    });
    match linked.and_then(|()| sync_folder(folder)) {
        Ok(()) => Old::Linked,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Old::Missing,
        Err(error) => Old::Failed(StoreError::io(to, error)),
    }
}

/// A second name for a damaged file, so that somebody may still look at it. Best effort: it is not served anyway.
fn set_aside(layout: &Layout, staged: &Path, target: &Path) {
    let folder = layout.damaged();
    let name = staged.file_name().unwrap_or_default().to_string_lossy();
    let aside = folder.join(format!("{name}.{}", std::process::id()));
    match link(target, &aside) {
        Old::Linked => tracing::warn!(kept = %aside.display(), "a damaged partition was replaced"),
        Old::Missing => {} // that was the damage
        Old::Failed(error) => tracing::warn!(%error, "a damaged partition was replaced and could not be kept aside"),
    }
}

/// Makes missing folders, outermost first, and syncs each one's parent.
pub fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folders(parent)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(parent)?,
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Of a file. A start waits for this: both halves of a large one are read at once, where there is a second thread to be had.
fn checksum(file: &Path) -> io::Result<Checksum> {
    const LARGE: u64 = 2 << 20;
    let file = File::open(file)?;
    let middle = match file.metadata()?.len() {
        length if length < LARGE => return Ok(part(&file, 0, u64::MAX)?.0),
        length => length / 2,
    };
    thread::scope(|scope| {
        let second = thread::Builder::new().name("checksum".into());
        let second = second.spawn_scoped(scope, || part(&file, middle, u64::MAX));
        let (_, mut sum) = part(&file, 0, middle)?;
        let (rest, of_rest) = match second.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(read)) => read?,
            Ok(Err(_)) | Err(_) => part(&file, middle, u64::MAX)?,
        };
        sum.combine(&of_rest);
        Ok(Checksum { length: middle + rest.length, crc: sum.finalize() })
    })
}

/// From there to there or to the end, by the piece: memory for all of it takes longer to get than to read it.
fn part(file: &File, from: u64, to: u64) -> io::Result<(Checksum, crc32fast::Hasher)> {
    let (mut at, mut piece) = (from, vec![0; 64 << 10]);
    let mut sum = crc32fast::Hasher::new();
    loop {
        let left = usize::try_from(to - at).unwrap_or(usize::MAX).min(piece.len());
        match file.read_at(&mut piece[..left], at) {
            Ok(0) => return Ok((Checksum { length: at - from, crc: sum.clone().finalize() }, sum)),
            Ok(read) => {
                at += read as u64;
                sum.update(&piece[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Leaves the checksum of a file that nobody writes any more.
pub(super) fn seal(file: &Path, seal: &Path) -> io::Result<()> {
    let Checksum { length, crc } = checksum(file)?;
    fs::write(seal, format!("{length} {crc:08x}\n"))
}

/// Whether the file is the one that was left; asked once, since it will be written from now on. A new one is in order.
pub(super) fn is_sealed(file: &Path, seal: &Path) -> bool {
    let Ok(Checksum { length, crc }) = checksum(file) else { return true };
    let sealed = fs::read_to_string(seal).is_ok_and(|text| text == format!("{length} {crc:08x}\n"));
    // one that cannot be removed must not vouch for what is written next
    sealed && fs::remove_file(seal).is_ok()
}

/// Removes what an interrupted daemon left in the staging folder.
pub(super) fn clear_staging(layout: &Layout) -> Result<(), StoreError> {
    let staging = layout.staging();
    let clear = || -> io::Result<()> {
        for entry in fs::read_dir(&staging)? {
            let path = entry?.path();
            // something of somebody else's must not keep the daemon from starting
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot clear the staging folder");
            }
        }
        Ok(())
    };
    clear().map_err(|error| StoreError::io(&staging, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_file_is_that_of_its_bytes_whatever_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..(5_u32 << 20) + 3).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
        for length in [0, 1, (64 << 10) + 1, (2 << 20) - 1, 2 << 20, (3 << 20) + 1, bytes.len()] {
            fs::write(&path, &bytes[..length]).unwrap();
            let sum = Checksum { length: length as u64, crc: crc32fast::hash(&bytes[..length]) };
            assert_eq!(checksum(&path).unwrap(), sum, "{length}");
        }
    }
}
