//! Crash-safe files: stage, fsync, rename, fsync the folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Layout, StoreError};

/// Length and CRC-32 of a whole file: Parquet itself does not notice most damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// Renames it over `target` and syncs the folders that changed.
    pub(super) fn publish(mut self, target: &Path) -> Result<(), StoreError> {
        let Some(folder) = target.parent() else {
            return Err(StoreError::io(target, io::Error::from(io::ErrorKind::InvalidInput)));
        };
        create_folders(folder).map_err(|error| StoreError::io(folder, error))?;
        fs::rename(&self.path, target).map_err(|error| StoreError::io(target, error))?;
        self.published = true;
        sync_folder(folder).map_err(|error| StoreError::io(folder, error))
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

/// Removes what an interrupted daemon left in the staging folder.
pub(super) fn clear_staging(layout: &Layout) -> Result<(), StoreError> {
    let staging = layout.staging();
    let clear = || -> io::Result<()> {
        for entry in fs::read_dir(&staging)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    };
    clear().map_err(|error| StoreError::io(&staging, error))
}
