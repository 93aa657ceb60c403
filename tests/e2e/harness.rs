//! The harness keeps its own promises.

use anyhow::{Result, ensure};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, process::Process, wait};

fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn what_a_test_started_ends_with_it() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let mut daemon = TestDaemon::start(&sim)?;
    let (pid, folder) = (daemon.process().id(), daemon.path().to_path_buf());
    assert!(lives(pid) && folder.exists());
    drop(daemon);
    assert!(!lives(pid) && !folder.exists());

    let mut command = std::process::Command::new("sleep");
    command.arg("600");
    let process = Process::start(command)?;
    let pid = process.id();
    let unwound = std::panic::catch_unwind(move || {
        let _held = process;
        panic!("as a failing test does");
    });
    assert!(unwound.is_err() && !lives(pid));
    Ok(())
}

#[test]
fn a_wait_ends_with_what_it_waited_for() {
    let error = wait::until_true("nothing", std::time::Duration::from_millis(30), || Ok(false));
    assert!(error.unwrap_err().to_string().contains("in vain for nothing"));
}

#[test]
fn programs_see_nothing_of_the_callers_environment() -> Result<()> {
    let home = Home::new()?;
    let output = home.command(std::path::Path::new("/usr/bin/env")).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        text.lines().all(|line| ["PATH=", "HOME=", "XDG_", "KTRDR_"].iter().any(|name| line.starts_with(name))),
        "{text}"
    );
    Ok(())
}
