//! What a command costs, where that does not depend on the load of the machine: counted by other programs, where they are installed.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

/// Minor page faults, by GNU time. `None` without it.
pub fn faults(command: &Command) -> Result<Option<u64>> {
    let Some(said) = said(below("/usr/bin/time", &["-f", "%R"], command)) else { return Ok(None) };
    Ok(Some(said.lines().last().context("GNU time says nothing")?.trim().parse()?))
}

/// The most memory that it held, in bytes, by GNU time: what is asked of a child itself tells its parent's, too.
pub fn peak(command: &Command) -> Result<Option<u64>> {
    let Some(said) = said(below("/usr/bin/time", &["-f", "%M"], command)) else { return Ok(None) };
    let kib: u64 = said.lines().last().context("GNU time says nothing")?.trim().parse()?;
    Ok(Some(kib << 10))
}

/// System calls, by strace. `None` without it, or where a sandbox forbids to look.
pub fn system_calls(command: &Command) -> Result<Option<u64>> {
    let Some(said) = said(below("strace", &["-f", "-c", "-U", "name,calls"], command)) else { return Ok(None) };
    let total = said.lines().rev().find(|line| line.contains("total")).context("strace counts nothing")?;
    Ok(Some(total.split_whitespace().find_map(|word| word.parse().ok()).context("strace counts nothing")?))
}

/// The same command below another program.
fn below(program: &str, flags: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(program);
    outer.env_clear().args(flags).arg(command.get_program()).args(command.get_args());
    outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.current_dir(command.get_current_dir().unwrap_or_else(|| Path::new("/")));
    outer
}

/// What the outer program tells on stderr; the command itself must end well.
fn said(mut outer: Command) -> Option<String> {
    let output = outer.stdin(Stdio::null()).stdout(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}
