//! What a command costs, where that does not depend on the load of the machine: page faults, system calls, bytes. Of the static
//! program as it is shipped, which `KTRDR_TEST_STATIC` names.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use ktrdr_tests::{cli::words, daemon::TestDaemon};

use crate::support::{import, skipped};

const COMMANDS: [&str; 4] = ["data range AAPL -t 1d", "operations list", "ib status", "daemon status"];
/// Measured: 85 to 115.
const FAULTS_MAX: u64 = 150;
/// Measured: 50 to 60.
const CALLS_MAX: u64 = 90;
const BYTES_MAX: u64 = 5_000_000;

/// The program, a copy as an installation has it: what the linker has just written costs more faults.
fn shipped(daemon: &TestDaemon) -> Result<Option<PathBuf>> {
    let Some(built) = env::var_os("KTRDR_TEST_STATIC") else {
        skipped("the costs of a command", "KTRDR_TEST_STATIC does not name the static program");
        return Ok(None);
    };
    let program = daemon.path().join("ktrdr-static");
    fs::copy(built, &program)?;
    Ok(Some(program))
}

/// The command below another program, which tells something on stderr.
fn below(daemon: &TestDaemon, outer: &str, flags: &[&str], program: &Path, line: &str) -> Result<Option<String>> {
    let mut command = daemon.command(Path::new(outer));
    command.args(flags).arg(program).args(words(line)).stdout(Stdio::null());
    let output = command.output();
    // the command itself has just run well: a sandbox may forbid to look into it
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        skipped("the costs of a command", &format!("{outer} is not installed, or may not look"));
        return Ok(None);
    };
    Ok(Some(String::from_utf8(output.stderr)?))
}

#[test]
fn a_command_stays_lean() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let Some(program) = shipped(&daemon)? else { return Ok(()) };
    import(&daemon, &["AAPL_1d.csv"])?;
    let bytes = fs::metadata(&program)?.len();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    let is_static = Command::new(&program).arg("--version").env_clear().stdout(Stdio::null()).status()?.success();
    assert!(is_static);
    for line in COMMANDS {
        // the first run brings the file into memory
        for _ in 0..2 {
            let ran = daemon.command(&program).args(words(line)).output()?;
            assert!(ran.status.success(), "{line}: {ran:?}");
        }
        if let Some(said) = below(&daemon, "/usr/bin/time", &["-f", "%R"], &program, line)? {
            let faults: u64 = said.lines().last().context("a figure")?.trim().parse()?;
            assert!(faults > 0 && faults <= FAULTS_MAX, "{line}: {faults} faults");
        }
        if let Some(said) = below(&daemon, "strace", &["-f", "-c", "-U", "name,calls"], &program, line)? {
            let total = said.lines().rev().find(|line| line.contains("total")).context("a total")?;
            let calls: u64 = total.split_whitespace().find_map(|word| word.parse().ok()).context("a figure")?;
            assert!(calls > 0 && calls <= CALLS_MAX, "{line}: {calls} system calls");
        }
    }
    Ok(())
}
