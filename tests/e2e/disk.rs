//! Data folders that cannot be used, and disks without room.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use ktrdr_tests::{
    daemon::{TestDaemon, spawn},
    home::Home,
    process::Process,
    programs::programs,
    series, wait,
};

use crate::support::skipped;

/// The daemon does not start: its exit code and what it says.
fn does_not_start(home: &Home) -> Result<(Option<i32>, String)> {
    let status = spawn(home)?.ended_within(wait::LIMIT)?;
    Ok((status.code(), fs::read_to_string(home.daemon_log())?))
}

#[test]
fn a_data_folder_that_cannot_be_one_keeps_the_daemon_from_starting() -> Result<()> {
    let mut home = Home::new()?;
    let file = home.file("file", "precious")?;
    home.set("KTRDR_DATA_DIR", file.to_string_lossy());
    let (status, said) = does_not_start(&home)?;
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("hint:") && said.contains("work/file"), "{said}");
    assert_eq!(fs::read_to_string(file)?, "precious");
    Ok(())
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone() -> Result<()> {
    let mut stopped = TestDaemon::alone()?.terminate()?;
    let ledger = stopped.home().data().join("ktrdr.sqlite");
    rusqlite::Connection::open(&ledger)?.pragma_update(None, "user_version", 99)?;
    let bytes = fs::read(&ledger)?;
    let home = stopped.into_home();
    let (status, said) = does_not_start(&home)?;
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("schema 99") && said.contains("update ktrdrd"), "{said}");
    assert_eq!(fs::read(&ledger)?, bytes);
    Ok(())
}

#[test]
fn a_setting_that_cannot_be_used_is_named() -> Result<()> {
    let mut home = Home::new()?;
    home.set("KTRDR_IB_PORT", "eighty");
    let (status, said) = does_not_start(&home)?;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("KTRDR_IB_PORT") && said.contains("eighty"), "{said}");
    Ok(())
}

/// Whether a command of this machine does what the test needs.
fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_data_folder_of_somebody_else_keeps_the_daemon_from_starting() -> Result<()> {
    let mut home = Home::new()?;
    let foreign = home.path().join("foreign");
    fs::create_dir(&foreign)?;
    home.set("KTRDR_DATA_DIR", foreign.to_string_lossy());
    let program = &programs()?.ktrdrd;
    let mut command = if rustix::process::geteuid().is_root() {
        // root may write everywhere, so somebody else has to try: in a home of theirs, with a program they can reach
        let copy = home.path().join("ktrdrd");
        fs::copy(program, &copy)?;
        fs::set_permissions(home.path(), Permissions::from_mode(0o755))?;
        for name in ["run", "home", "config", "work"] {
            fs::set_permissions(home.path().join(name), Permissions::from_mode(0o777))?;
        }
        let mut command = home.command(Path::new("setpriv"));
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(copy);
        command
    } else {
        fs::set_permissions(&foreign, Permissions::from_mode(0o500))?;
        home.command(program)
    };
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("foreign") && said.contains("denied") && said.contains("hint:"), "{said}");
    assert_eq!(fs::read_dir(&foreign)?.count(), 0);
    Ok(())
}

#[test]
fn a_full_disk_is_told_loses_nothing_and_goes_on_when_there_is_room() -> Result<()> {
    let as_root = ["-m"];
    let as_user = ["-Urm"];
    let flags = if works("unshare", &[as_root[0], "true"]) {
        as_root
    } else if works("unshare", &[as_user[0], "true"]) {
        as_user
    } else {
        skipped("a full disk", "unshare is not permitted");
        return Ok(());
    };
    let home = Home::new()?;
    // a mount namespace whose data folder is a small disk; `exec` keeps the process the daemon's own
    let script = format!(
        "mount -t tmpfs -o size=1m,mode=0700 none {data} && exec {ktrdrd}",
        data = home.data().display(),
        ktrdrd = programs()?.ktrdrd.display()
    );
    let log = fs::File::create(home.daemon_log())?;
    let mut command = home.command(Path::new("unshare"));
    command.args(flags).args(["sh", "-c", &script]).stderr(log);
    let mut daemon = Process::start(command)?;
    wait::until_true("the daemon on its small disk", wait::LIMIT, || {
        if let Some(status) = daemon.ended()? {
            anyhow::bail!("it ended with {status}");
        }
        Ok(home.ktrdr("daemon status")?.status == 0)
    })?;

    let file = |name: &str| ktrdr_tests::data_folder().join(name);
    home.ktrdr_args(["data".as_ref(), "import".as_ref(), file("GOOGL_1d.csv").as_os_str()])?.ok()?;
    let inside = Path::new("/proc").join(daemon.id().to_string()).join("root").join(home.data().strip_prefix("/")?);
    let ballast = inside.join("ballast");
    let filled = fs::write(&ballast, vec![1; 2 << 20]);
    assert!(filled.is_err(), "the disk is full now");

    let import = |name: &str| {
        home.ktrdr_args(["data".as_ref(), "import".as_ref(), "-f".as_ref(), "json".as_ref(), file(name).as_os_str()])
    };
    let ran = import("MSFT_1m.csv")?;
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stdout.contains("STORE_FULL") || ran.stderr.contains("STORE_FULL"), "{ran:?}");
    let show = |series: &str| series::printed(&home.ktrdr(&format!("data show {series} --all -f csv"))?.ok()?);
    assert_eq!(show("GOOGL")?, series::file("GOOGL_1d.csv")?, "what was stored is served");

    fs::remove_file(&ballast).context("room again")?;
    import("MSFT_1m.csv")?.ok()?;
    assert_eq!(show("MSFT -t 1m")?, series::file("MSFT_1m.csv")?);
    let stray = fs::read_dir(inside.join("staging"))?.count();
    assert_eq!(stray, 0, "nothing half-written is left");
    Ok(())
}
