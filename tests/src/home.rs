//! The folder and the environment of one test.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// A folder that goes away, and what programs in it get to see.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
    quiet: bool,
}

impl Drop for Home {
    /// The daemon's log belongs to the story of a test that fails; the harness hides it of all others.
    #[expect(clippy::print_stderr, reason = "captured by the test harness")]
    fn drop(&mut self) {
        if !self.quiet
            && let Ok(log) = fs::read_to_string(self.daemon_log())
        {
            eprintln!("--- the daemon's log\n{log}---");
        }
    }
}

impl Home {
    /// The path is short, because the path of a socket may not be long.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ktrdr-").tempdir_in("/tmp")?;
        for name in ["home", "data", "run", "state", "config", "work"] {
            let mut builder = fs::DirBuilder::new();
            builder.mode(0o700).create(folder.path().join(name))?;
        }
        let mut home = Self { folder, variables: Vec::new(), quiet: false };
        let of = |name| home.folder.path().join(name).to_string_lossy().into_owned();
        let variables = [
            ("HOME", of("home")),
            ("XDG_RUNTIME_DIR", of("run")),
            ("XDG_STATE_HOME", of("state")),
            ("XDG_CONFIG_HOME", of("config")),
            ("KTRDR_DATA_DIR", of("data")),
            // a test starts what it wants to be there
            ("KTRDR_AUTOSTART", "0".to_owned()),
            // nobody listens there
            ("KTRDR_IB_HOST", "127.0.0.1".to_owned()),
            ("KTRDR_IB_PORT", "1".to_owned()),
        ];
        home.variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Ok(home)
    }

    /// Keeps the daemon's log to itself.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Where a daemon of this home logs.
    pub fn daemon_log(&self) -> PathBuf {
        self.path().join("ktrdrd.log")
    }

    /// The folder of everything.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The folder that commands run in.
    pub fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Where the daemon listens.
    pub fn socket(&self) -> PathBuf {
        self.path().join("run/ktrdr/ktrdrd.sock")
    }

    /// Sets a variable for every program that is started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
    }

    /// What programs in it get to see.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// A program with nothing of the caller's environment but its search path.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// Writes a file into the folder that commands run in.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.work().join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}
