//! The daemon under a service manager: a socket that is passed, and what the manager is told.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::{TestDaemon, spawn},
    home::Home,
    process::Process,
    programs::programs,
    wait,
};

use crate::support::skipped;

/// What has been told so far.
struct Manager(UnixDatagram);

impl Manager {
    fn listening(home: &mut Home) -> Result<Self> {
        let path = home.path().join("notify");
        let socket = UnixDatagram::bind(&path)?;
        socket.set_read_timeout(Some(wait::LIMIT))?;
        home.set("NOTIFY_SOCKET", path.display().to_string());
        Ok(Self(socket))
    }

    /// The next message with that in it; what comes before is passed over.
    fn hears(&self, text: &str) -> Result<String> {
        let mut buffer = [0; 4096];
        loop {
            let length = self.0.recv(&mut buffer).with_context(|| format!("waiting for {text}"))?;
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.contains(text) {
                return Ok(message);
            }
        }
    }
}

#[test]
fn the_manager_hears_ready_alive_and_stopping() -> Result<()> {
    let mut home = Home::new()?;
    let manager = Manager::listening(&mut home)?;
    // a third of it passes between two signs of life
    home.set("WATCHDOG_USEC", "300000");
    let mut daemon = spawn(&home)?;
    manager.hears("READY=1")?;
    home.ktrdr("daemon status --timeout 5")?.ok()?;
    let told = manager.hears("WATCHDOG=1")?;
    ensure!(told.contains("STATUS=gateway ") && told.contains("0 series"), "{told}");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1")?;
    }
    daemon.signal(rustix::process::Signal::TERM)?;
    manager.hears("STOPPING=1")?;
    ensure!(daemon.ended_within(wait::LIMIT)?.success());
    Ok(())
}

/// systemd's own little stand-in for a socket unit.
fn activator(home: &Home, socket: &Path) -> Result<Option<Process>> {
    const PROGRAM: &str = "systemd-socket-activate";
    if Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).status().is_err() {
        skipped("socket activation", "systemd-socket-activate is not installed");
        return Ok(None);
    }
    let log = fs::File::options().create(true).append(true).open(home.daemon_log())?;
    let mut command = home.command(Path::new(PROGRAM));
    // it hands on only the variables that are named
    for (name, _) in home.variables() {
        command.arg("-E").arg(name);
    }
    command.arg("-l").arg(socket).arg(&programs()?.ktrdrd).stdout(log.try_clone()?).stderr(log);
    Process::start(command).map(Some)
}

#[test]
fn the_first_command_starts_it_through_the_socket_which_outlives_restart_and_stop() -> Result<()> {
    let home = Home::new()?;
    let socket = home.socket();
    fs::create_dir_all(socket.parent().context("a folder")?)?;
    let Some(mut activator) = activator(&home, &socket)? else { return Ok(()) };
    wait::until_true("the socket", wait::LIMIT, || Ok(socket.exists()))?;
    let started = |home: &Home| -> Result<serde_json::Value> { home.ktrdr("daemon status -f json")?.json() };

    home.ktrdr("data list")?.ok()?;
    let before = started(&home)?;
    // it became the daemon
    ensure!(before["pid"] == activator.id(), "{before}");
    ensure!(before["socket"] == socket.to_string_lossy().as_ref(), "{before}");
    home.ktrdr("daemon restart")?.ok()?;
    let after = started(&home)?;
    ensure!(after["pid"] == before["pid"] && after["started_at"] != before["started_at"], "{after}");

    // the socket may go on answering: what counts is the process
    home.ktrdr("daemon stop")?.ok()?;
    ensure!(activator.ended_within(wait::LIMIT)?.success());
    ensure!(socket.exists(), "the socket belongs to the manager");
    Ok(())
}

/// Whether a program of systemd is here.
fn has(program: &str) -> bool {
    let here = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !here {
        skipped("the unit files", &format!("{program} is not installed"));
    }
    here
}

fn said(command: &mut Command) -> Result<(bool, String)> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.success(), said))
}

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd")
}

/// systemd's own units lie around ours, as they do on a machine.
#[test]
fn the_units_are_valid_where_they_are_installed() -> Result<()> {
    if !has("systemd-analyze") || !Path::new("/usr/lib/systemd/system/sysinit.target").exists() {
        return Ok(());
    }
    let home = Home::new()?;
    let root = home.path().join("root");
    let system = root.join("usr/lib/systemd/system");
    for folder in [&system, &root.join("usr/bin")] {
        fs::create_dir_all(folder)?;
    }
    ensure!(
        Command::new("cp").args(["-r", "/usr/lib/systemd/system/.", &system.to_string_lossy()]).status()?.success()
    );
    fs::copy(&programs()?.ktrdrd, root.join("usr/bin/ktrdrd"))?;
    let user = home.path().join("user");
    fs::create_dir(&user)?;
    for name in ["ktrdrd.service", "ktrdrd.socket"] {
        fs::copy(units().join(name), system.join(name))?;
        let unit = fs::read_to_string(units().join("user").join(name))?;
        fs::write(user.join(name), unit.replace("/usr/bin/ktrdrd", &programs()?.ktrdrd.to_string_lossy()))?;
    }
    let names = ["ktrdrd.service", "ktrdrd.socket"];
    let mut command = Command::new("systemd-analyze");
    command.arg(format!("--root={}", root.display())).args(["--man=no", "verify"]).args(names);
    let (valid, warnings) = said(&mut command)?;
    ensure!(valid && warnings.is_empty(), "the system's units: {warnings}");
    let mut command = home.command(Path::new("systemd-analyze"));
    command.args(["--user", "--man=no", "verify"]).args(names.map(|name| user.join(name)));
    let (valid, warnings) = said(&mut command)?;
    // the machine's own user units may have something to say for themselves
    ensure!(valid && !warnings.contains("ktrdrd"), "a user's units: {warnings}");
    Ok(())
}

#[test]
fn the_system_unit_is_as_closed_as_it_says() -> Result<()> {
    if !has("systemd-analyze") {
        return Ok(());
    }
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--no-pager", "--threshold=14"]).arg(units().join("ktrdrd.service"));
    let (closed, said) = said(&mut command)?;
    ensure!(closed, "{said}");
    Ok(())
}

/// The user and the folders of the package, in a tree of their own.
#[test]
fn sysusers_and_tmpfiles_do_what_the_unit_needs() -> Result<()> {
    if !has("systemd-sysusers") || !has("systemd-tmpfiles") || !rustix::process::getuid().is_root() {
        return Ok(());
    }
    let home = Home::new()?;
    let root = format!("--root={}", home.path().display());
    fs::create_dir(home.path().join("etc"))?;
    let (made, why) =
        said(Command::new("systemd-sysusers").arg(&root).arg(units().join("ktrdr.sysusers").canonicalize()?))?;
    ensure!(made && fs::read_to_string(home.path().join("etc/passwd"))?.contains("ktrdr:x:"), "{why}");
    let tmpfiles = units().join("ktrdr.tmpfiles").canonicalize()?;
    let (made, why) = said(Command::new("systemd-tmpfiles").args([&root, "--create"]).arg(tmpfiles))?;
    ensure!(made, "{why}");
    let bits = fs::metadata(home.path().join("var/lib/ktrdr"))?.permissions().mode() & 0o777;
    ensure!(bits == 0o750, "{bits:o}");
    Ok(())
}

/// The names are those of the environment; the environment wins.
#[test]
fn secrets_may_come_as_a_credential_of_the_unit() -> Result<()> {
    let mut home = Home::new()?.quiet();
    let folder = home.path().join("credentials");
    fs::create_dir(&folder)?;
    fs::write(
        folder.join("ktrdr.env"),
        "# secrets\nKTRDR_IB_PORT=nonsense-from-the-credential\n\nAWS_REGION=eu-west-1\n",
    )?;
    home.set("CREDENTIALS_DIRECTORY", folder.display().to_string());
    let mut stopped = TestDaemon::start_in(home)?.terminate()?;
    stopped.home().unset("KTRDR_IB_PORT");
    let mut process = spawn(stopped.home())?;
    ensure!(!process.ended_within(wait::LIMIT)?.success());
    ensure!(fs::read_to_string(stopped.home().daemon_log())?.contains("nonsense-from-the-credential"));
    Ok(())
}

#[test]
fn a_log_in_json_has_the_request_id_of_the_call() -> Result<()> {
    let mut home = Home::new()?.quiet();
    home.set("KTRDR_LOG_FORMAT", "json");
    home.set("KTRDR_LOG_LEVEL", "debug");
    let daemon = TestDaemon::start_in(home)?;
    daemon.ktrdr("daemon stop")?.ok()?;
    let log = fs::read_to_string(daemon.daemon_log())?;
    let events: Vec<serde_json::Value> = log.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let asked = events.iter().find(|event| event["fields"]["message"] == "shutdown asked for").context("the call")?;
    ensure!(asked["span"]["request_id"].as_str().is_some_and(|id| id.len() == 26), "{asked}");
    ensure!(asked["span"]["method"] == "/ktrdr.v1.Daemon/Shutdown", "{asked}");
    Ok(())
}
