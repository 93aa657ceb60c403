//! `cargo reproduce`: makes the packages of the last commit twice, in two folders with target folders of their own, and compares all
//! files. Needs what systemd/package and cli/wheel/make need, and half an hour on two cores.
//!
//! `cargo reproduce SCRIPT [ARGUMENT…]` runs that script of the tree instead of the two, for a part of it: `systemd/stage target/package`.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, ensure};

/// Paths of different lengths: one that got into a file would move what comes after it.
const FOLDERS: [&str; 2] = ["a", "somewhere/else"];
/// Where the scripts leave what they make.
const MADE: [&str; 3] = ["target/package", "target/debs", "target/wheels"];

fn main() -> Result<ExitCode> {
    let script: Vec<OsString> = env::args_os().skip(1).collect();
    let scripts = if script.is_empty() {
        vec![vec!["systemd/package".into()], vec!["cli/wheel/make".into()]]
    } else {
        vec![script]
    };
    let workshop = tempfile::Builder::new().prefix("ktrdr-reproduce-").tempdir()?;
    let folders = FOLDERS.map(|folder| workshop.path().join(folder));
    // both now: a commit that is made meanwhile is in neither
    folders.iter().try_for_each(|folder| cloned(folder))?;
    let [one, other] = folders.map(|folder| made_in(&folder, &scripts));
    let (one, other) = (one?, other?);
    ensure!(!one.is_empty(), "nothing was made");
    ensure!(one.keys().eq(other.keys()), "not the same files: {:?} and {:?}", one.keys(), other.keys());
    let mut all_same = true;
    for (name, path) in &one {
        let (sum, same) = (sum(path)?, fs::read(path)? == fs::read(&other[name])?);
        all_same &= same;
        writeln!(io::stdout(), "{}  {sum}  {name}", if same { "same   " } else { "DIFFERS" })?;
    }
    Ok(if all_same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cloned(folder: &Path) -> Result<()> {
    let origin = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    run(Command::new("git").args(["clone", "--quiet"]).arg(origin).arg(folder))
}

/// Runs the scripts of the tree there, and finds what they made.
fn made_in(folder: &Path, scripts: &[Vec<OsString>]) -> Result<BTreeMap<String, PathBuf>> {
    for script in scripts {
        let (program, arguments) = script.split_first().context("a script")?;
        let mut command = Command::new(folder.join(program));
        run(command.args(arguments).current_dir(folder).env_remove("CARGO_TARGET_DIR"))?;
    }
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> =
        MADE.map(|made| folder.join(made)).into_iter().filter(|made| made.is_dir()).collect();
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder)?.display().to_string(), path);
            }
        }
    }
    Ok(found)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdout(io::stderr()).status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

fn sum(path: &Path) -> Result<String> {
    let output = Command::new("sha256sum").arg(path).output().context("sha256sum")?;
    Ok(String::from_utf8(output.stdout)?.split(' ').next().unwrap_or_default().to_owned())
}
