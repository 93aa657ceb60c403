//! The real `ktrdr`, run to its end.

use std::{
    ffi::OsStr,
    fs::{self, File},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::{home::Home, process::Process, programs::programs, wait};

/// How a command ended.
#[derive(Debug)]
#[must_use = "check what the command did: ok(), json() or fails()"]
pub struct Ran {
    /// The exit code; -1 after a signal.
    pub status: i32,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// What it printed, when it ended well.
    pub fn ok(self) -> Result<String> {
        if self.status == 0 { Ok(self.stdout) } else { bail!("it failed: {self:#?}") }
    }

    /// Any end will do.
    pub fn allow_any(self) {}

    /// The document it printed, when it ended well.
    pub fn json(self) -> Result<Value> {
        let text = self.ok()?;
        serde_json::from_str(&text).with_context(|| format!("not a document: {text}"))
    }

    /// The document it printed, whatever the end.
    pub fn document(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no document: {self:#?}"))
    }

    /// The error of a command in JSON mode: on stderr alone, or inside of the document of a followed operation.
    pub fn fails(&self, status: i32, reason: &str) -> Result<Value> {
        let talk: Value = serde_json::from_str(self.stderr.lines().last().unwrap_or_default()).unwrap_or_default();
        let error = match &talk["error"] {
            Value::Null => self.document().map(|document| document["error"].clone()).unwrap_or_default(),
            error => error.clone(),
        };
        if self.status != status || error["reason"] != reason {
            bail!("expected {reason} and exit {status}: {self:#?}");
        }
        if error["message"].as_str().is_none_or(str::is_empty) {
            bail!("the error says nothing: {self:#?}");
        }
        Ok(error)
    }
}

/// A command line, its words apart.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace()
}

impl Home {
    /// `ktrdr` that was not started yet.
    pub fn ktrdr_command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Command> {
        let mut command = self.command(&programs()?.ktrdr);
        command.args(arguments);
        Ok(command)
    }

    /// Runs `ktrdr` with these words.
    pub fn ktrdr(&self, line: &str) -> Result<Ran> {
        self.ktrdr_args(words(line))
    }

    /// Runs `ktrdr` with arguments that may hold anything.
    pub fn ktrdr_args<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Ran> {
        Ok(self.ktrdr_command(arguments)?.output().context("cannot run ktrdr")?.into())
    }

    /// Starts `ktrdr` and leaves it running.
    pub fn ktrdr_started(&self, line: &str) -> Result<Started> {
        Started::start(self.ktrdr_command(words(line))?)
    }
}

/// A command that is running. It writes into files, which can be looked at meanwhile and never make it wait.
#[derive(Debug)]
pub struct Started {
    process: Process,
    folder: TempDir,
}

impl Started {
    /// Starts it.
    pub fn start(mut command: Command) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ktrdr-ran-").tempdir()?;
        let file = |name| File::create(folder.path().join(name));
        command.stdout(file("stdout")?).stderr(file("stderr")?);
        Ok(Self { process: Process::start(command)?, folder })
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("stdout"))?)
    }

    /// What it has said so far.
    pub fn stderr(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("stderr"))?)
    }

    /// Waits until it has said or printed this.
    pub fn says(&self, text: &str) -> Result<()> {
        wait::until_true(text, wait::LIMIT, || Ok(self.stdout()?.contains(text) || self.stderr()?.contains(text)))
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Result<Ran> {
        let status = self.process.ended_within(wait::LIMIT)?;
        Ok(Ran { status: status.code().unwrap_or(-1), stdout: self.stdout()?, stderr: self.stderr()? })
    }
}
