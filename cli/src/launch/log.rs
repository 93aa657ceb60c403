//! Where a daemon that was started from here writes, and what it said last.

use std::{
    env,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Seek as _, SeekFrom},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use ktrdr_proto::reason;

use crate::{failure::Failure, output::tail::tail};

/// Lines of the log that an early end is explained with.
const LAST_WORDS: usize = 5;
/// Lines of an error at the most.
const LAST_WORDS_MAX: usize = 40;

/// The log file, and where this start begins in it.
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    pub(crate) fn open(path: PathBuf) -> Result<Self, Failure> {
        match open(&path) {
            Ok((file, start)) => Ok(Self { path, file, start }),
            Err(error) => Err(cannot_log(&path, &error)),
        }
    }

    pub(super) fn writer(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(|error| cannot_log(&self.path, &error))
    }

    /// What the daemon said at the end, and nothing of earlier runs: its error as a whole, else its last lines.
    pub(crate) fn last_words(&self) -> LastWords {
        let read = || {
            let mut file = File::open(&self.path)?;
            let added = file.seek(SeekFrom::End(0))?.saturating_sub(self.start);
            let mut tail = tail(&mut file, LAST_WORDS_MAX)?;
            let surplus = tail.len().saturating_sub(usize::try_from(added).unwrap_or(usize::MAX));
            Ok::<_, io::Error>(tail.split_off(surplus))
        };
        LastWords::of(&String::from_utf8_lossy(&read().unwrap_or_default()))
    }
}

/// An error as `ktrdrd` prints it, taken apart.
pub(crate) struct LastWords {
    pub(crate) messages: Vec<String>,
    pub(super) hint: Option<String>,
}

impl LastWords {
    /// Another daemon has the address.
    pub(crate) fn is_taken(&self) -> bool {
        self.messages.iter().any(|line| line.contains("already listens"))
    }

    fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let error = lines.iter().rposition(|line| line.starts_with("error: "));
        let block = &lines[error.unwrap_or(lines.len().saturating_sub(LAST_WORDS))..];
        let unlabelled = |line: &&&str| {
            let text = ["error: ", "caused by: "].iter().find_map(|label| line.strip_prefix(label));
            text.unwrap_or(line).to_owned()
        };
        Self {
            messages: block.iter().filter(|line| !line.starts_with("hint: ")).map(|line| unlabelled(&line)).collect(),
            hint: block.iter().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned),
        }
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let start = file.seek(SeekFrom::End(0))?;
    Ok((file, start))
}

fn cannot_log(path: &Path, error: &io::Error) -> Failure {
    let text = format!("cannot write the daemon's log {}", path.display());
    Failure::new(&reason::DAEMON_START_FAILED, text).caused_by(error).hint("check the folder, or set XDG_STATE_HOME")
}

/// Where a daemon that was started from here writes: `$XDG_STATE_HOME/ktrdr/ktrdrd.log`.
pub(crate) fn log_path() -> Result<PathBuf, Failure> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    let state = state.ok_or_else(|| {
        Failure::new(&reason::REQUEST_INVALID, "no place for the daemon's log").hint("set HOME or XDG_STATE_HOME")
    })?;
    Ok(state.join("ktrdr/ktrdrd.log"))
}
