//! What a command costs, where that does not depend on the load of the machine: page faults, system calls, bytes. Of the static
//! program as it is shipped, which `KTRDR_TEST_STATIC` names.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Result;
use ktrdr_tests::{cli::words, cost, daemon::TestDaemon};

use crate::support::{import, skipped};

const COMMANDS: [&str; 4] = ["data range AAPL -t 1d", "operations list", "ib status", "daemon status"];
/// Measured: 85 to 115.
const FAULTS_MAX: u64 = 150;
/// Measured: 50 to 60.
const CALLS_MAX: u64 = 90;
/// Measured: 4,651,736.
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

fn at_most(what: &str, line: &str, count: Option<u64>, most: u64) {
    // the command itself has just run well: a sandbox may forbid to look into it
    let Some(count) = count else { return skipped(what, "what counts them is not installed, or may not look") };
    assert!(count > 0 && count <= most, "{line}: {count} {what}");
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
        let mut command = daemon.command(&program);
        command.args(words(line));
        // the first run brings the file into memory
        for _ in 0..2 {
            let ran = command.output()?;
            assert!(ran.status.success(), "{line}: {ran:?}");
        }
        at_most("page faults", line, cost::faults(&command)?, FAULTS_MAX);
        at_most("system calls", line, cost::system_calls(&command)?, CALLS_MAX);
    }
    Ok(())
}
