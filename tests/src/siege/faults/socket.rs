//! The file of the socket goes away, alone or with its folder.

use std::{fs, os::unix::net::UnixListener, time::Instant};

use anyhow::{Context as _, Result, ensure};
use ktrdr_proto::v1::{GetDaemonStatusRequest, daemon_client::DaemonClient};

use super::{Seen, as_it_must, log_says};
use crate::{
    daemon::{TestDaemon, channel, spawn, status_of},
    home::Home,
    siege::supervised::Supervised,
    steps::{import, stored_text},
    wait,
};

/// What goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    Folder,
}

pub(super) fn deleted(what: What) -> Result<Seen> {
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    import(&daemon, &["AAPL_1d.csv"])?.ok()?;
    let before = stored_text(&daemon, "AAPL")?;
    let socket = daemon.socket();
    let folder = socket.parent().context("a folder")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut kept = runtime.block_on(async {
        let mut kept = DaemonClient::new(channel(&socket)?);
        kept.get_status(GetDaemonStatusRequest {}).await?;
        anyhow::Ok(kept)
    })?;

    let gone = Instant::now();
    match what {
        What::File => fs::remove_file(&socket)?,
        What::Folder => fs::remove_dir_all(folder)?,
    }
    wait::until_true("the socket", wait::LIMIT, || Ok(status_of(&socket).is_ok()))?;
    let found = gone.elapsed();
    ensure!(stored_text(&daemon, "AAPL")? == before, "bars are served");
    runtime.block_on(kept.get_status(GetDaemonStatusRequest {})).context("over the connection from before")?;
    let bits = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder)?.permissions()) & 0o777;
    ensure!(bits == 0o700, "the folder is private: {bits:o}");

    let status = spawn(&daemon)?.ended_within(wait::LIMIT)?;
    let log = fs::read_to_string(daemon.daemon_log())?;
    ensure!(status.code() == Some(1) && log.contains("already listens"), "a second one is kept out: {status}, {log}");
    daemon.ktrdr("daemon restart")?.ok()?;
    ensure!(stored_text(&daemon, "AAPL")? == before, "the next life has the new socket");
    daemon.terminate()?;
    ensure!(!socket.exists(), "it is removed at the end");
    Ok(as_it_must(format!("found again after {:.1} s; open connections go on; no second daemon", found.as_secs_f64())))
}

/// Only the manager can make it again.
pub(super) fn managers_deleted() -> Result<Seen> {
    let home = Home::new()?.quiet();
    let socket = home.socket();
    let (mut supervised, _) = Supervised::start(home)?;
    supervised.home().ktrdr("data list")?.ok()?;
    fs::remove_file(&socket)?;
    log_says(supervised.home(), "systemctl restart ktrdrd.socket")?;
    let told = supervised.home().ktrdr("doctor -f json")?.document()?;
    let checks = told["checks"].as_array().context("no checks")?;
    let of_socket = checks.iter().find(|check| check["name"] == "socket").context("no check of the socket")?;
    let fix = of_socket["fix"].as_str().unwrap_or_default();
    ensure!(of_socket["state"] == "error" && fix.contains("ktrdrd.socket"), "{of_socket:#}");
    // it makes none of its own, which would be in the manager's way
    let managers = UnixListener::bind(&socket).context("the name is free for the manager")?;
    drop(managers);
    supervised.process().signal(rustix::process::Signal::TERM)?;
    ensure!(supervised.process().ended_within(wait::LIMIT)?.success(), "it does not stop well");
    ensure!(socket.exists(), "the manager's is left alone");
    Ok(as_it_must("the log and ktrdr doctor say how to get it back"))
}
