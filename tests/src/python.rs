//! An interpreter with packages of its own, installed once into the target folder.

use std::{path::PathBuf, process::Command};

use crate::programs::{lock, own_target};

/// The interpreter of a folder of the target folder, if it has all of these packages.
pub fn installed(folder: &str, packages: &[&str]) -> Result<Option<PathBuf>, String> {
    let (python, complete) = paths(folder, packages)?;
    Ok(complete.exists().then_some(python))
}

/// The same; what is missing is installed, which takes a network. The error says why there is none.
pub fn install(folder: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let (target, _) = own_target().map_err(|error| error.to_string())?;
    // under nextest every test is a process of its own
    let _held = lock(&target.join(format!("{folder}.lock"))).map_err(|error| error.to_string())?;
    let (python, complete) = paths(folder, packages)?;
    if complete.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(target.join(folder)))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    run(Command::new(&python).args(install).args(packages))?;
    std::fs::write(complete, "").map_err(|error| error.to_string())?;
    Ok(python)
}

fn paths(folder: &str, packages: &[&str]) -> Result<(PathBuf, PathBuf), String> {
    let (target, _) = own_target().map_err(|error| error.to_string())?;
    let folder = target.join(folder);
    Ok((folder.join("bin/python"), folder.join(packages.join("+"))))
}

/// Runs it; the error is its last word.
pub fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().last().unwrap_or("it failed without a word").to_owned())
}
