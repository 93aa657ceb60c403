//! `flock`, held for life.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

/// A lock that the kernel gives back when the process ends, however it ends. The file stays.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// What came of the attempt.
#[derive(Debug)]
pub(super) enum Attempt {
    Held(Lock),
    /// By another process; the pid is what it wrote, for messages only.
    Taken(Option<u32>),
}

impl Lock {
    /// Does not wait.
    pub(super) fn try_hold(path: &Path) -> io::Result<Attempt> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                writeln!(file, "{}", std::process::id())?;
                Ok(Attempt::Held(Self { file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.rewind()?;
                (&file).take(20).read_to_string(&mut text)?;
                Ok(Attempt::Taken(text.trim().parse().ok()))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether somebody who comes later finds this lock, or another file in its place, which keeps nobody out.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let found = std::fs::metadata(path).ok().zip(self.file.metadata().ok());
        found.is_some_and(|(there, ours)| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_next_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let Attempt::Held(first) = Lock::try_hold(&path).unwrap() else { panic!("free") };
        assert!(matches!(Lock::try_hold(&path).unwrap(), Attempt::Taken(Some(pid)) if pid == std::process::id()));
        drop(first);
        assert!(matches!(Lock::try_hold(&path).unwrap(), Attempt::Held(_)));
    }

    #[test]
    fn a_lock_whose_file_is_gone_keeps_nobody_out_and_knows_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let Attempt::Held(first) = Lock::try_hold(&path).unwrap() else { panic!("free") };
        assert!(first.is_at(&path));
        std::fs::remove_file(&path).unwrap();
        assert!(!first.is_at(&path));
        assert!(matches!(Lock::try_hold(&path).unwrap(), Attempt::Held(_)));
        assert!(!first.is_at(&path));
    }
}
