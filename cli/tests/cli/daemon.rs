//! `daemon …` and `version`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use ktrdr_proto::CONTRACT;
use tempfile::TempDir;

use crate::{
    fake::{Fake, Script},
    run::{Ran, ktrdr, program, wait_until},
};

/// No process has this id: it is above what Linux hands out.
const NOBODY: u32 = 1 << 23;

#[test]
fn the_log_level_is_read_and_changed() {
    let fake = Fake::start(Script::default());
    let ran = fake.run("daemon log-level");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "info\n"));
    assert_eq!(fake.run("daemon log-level debug").stdout, "debug (was info)\n");
    let document = fake.run("daemon log-level debug -f json").stdout;
    assert_eq!(document.split_whitespace().collect::<String>(), r#"{"level":"debug","previous":"info"}"#);
}

#[test]
fn a_status_is_what_the_daemon_says_of_itself() {
    let fake = Fake::start(Script { pid: 4321, ..Script::default() });
    insta::assert_snapshot!(fake.run("daemon status").all(), @r#"
    exit 0
    --- stdout
    Property            Value
    ───────────────────────────────────────────────────────────────────────────────
    Version             9.9.9 (contract 1)
    Pid                 4321
    Started             2025-06-06T22:00:00Z
    Socket              /run/ktrdr/ktrdrd.sock
    Data folder         /var/lib/ktrdr
    Bucket              s3://bars/quant; 2 files behind, 5 fetched
    Bucket error        the bucket does not answer
    Configuration       /etc/ktrdr/config.toml
    Series              3
    Operations running  1
    Memory              12.0 MiB
    Cache               3.0 MiB of 64.0 MiB; 75 % of 4 years asked for came from it
    Log level           info
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("daemon status -f json").stdout, @r#"
    {
      "version": "9.9.9",
      "contract": 1,
      "pid": 4321,
      "started_at": "2025-06-06T22:00:00Z",
      "socket": "/run/ktrdr/ktrdrd.sock",
      "data_dir": "/var/lib/ktrdr",
      "config_files": [
        "/etc/ktrdr/config.toml"
      ],
      "series": 3,
      "operations_running": 1,
      "memory_bytes": 12582912,
      "log_level": "info",
      "cache": {
        "bytes": 3145728,
        "budget_bytes": 67108864,
        "hits": 3,
        "misses": 1
      },
      "bucket": {
        "address": "s3://bars/quant",
        "files_behind": 2,
        "files_fetched": 5,
        "last_error": "the bucket does not answer"
      }
    }
    "#);
    assert_eq!(
        fake.run("version").stdout,
        format!("ktrdr {} (contract {CONTRACT})\nktrdrd 9.9.9 (contract {CONTRACT})\n", ktrdr_proto::BUILD)
    );
}

/// Whatever the daemon speaks, it can be asked what it is, and be stopped.
#[test]
fn a_daemon_of_another_contract_can_be_seen_and_stopped() {
    let fake = Fake::start(Script { contract: Some(CONTRACT + 1), pid: NOBODY, ..Script::default() });
    let ran = fake.run("daemon status -f json");
    assert_eq!((ran.code, ran.json()["contract"].as_u64()), (Some(0), Some(u64::from(CONTRACT) + 1)));
    assert!(ran.stderr.contains("speaks contract"), "{ran:?}");
    assert_eq!(fake.run("version -f json").json()["daemon"]["contract"], CONTRACT + 1);
    let ran = fake.run("daemon stop");
    assert_eq!(ran.all(), format!("exit 0\n--- stdout\n--- stderr\nStopped ktrdrd (pid {NOBODY})\n"));
    let ran = fake.run("daemon stop");
    assert_eq!(ran.all(), "exit 0\n--- stdout\n--- stderr\nktrdrd is not running at [SOCKET]\n");
}

/// A process that has ended and that its parent has not looked after is gone all the same.
#[test]
fn a_zombie_counts_as_gone() {
    let mut zombie = Command::new("true").spawn().unwrap();
    let fake = Fake::start(Script { pid: zombie.id(), ..Script::default() });
    let ran = fake.run("daemon stop -f json");
    assert_eq!((ran.code, ran.json()["stopped"].as_bool()), (Some(0), Some(true)));
    zombie.wait().unwrap();
}

/// A folder with a copy of `ktrdr` and a `ktrdrd` that is a shell script.
struct Install(TempDir);

impl Install {
    fn with(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A file that this process wrote may still be open in a child of another test, and then it cannot be run.
        let made = Command::new("sh")
            .args(["-ec", r#"cp "$0" ktrdr; printf '#!/bin/sh\n%s\n' "$1" > ktrdrd; chmod 755 ktrdrd"#])
            .args([env!("CARGO_BIN_EXE_ktrdr"), script])
            .current_dir(folder.path())
            .status();
        assert!(made.unwrap().success());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = program(&self.path("ktrdr"), line.split_whitespace());
        command.env("XDG_STATE_HOME", self.path("state")).env("PATH", "/usr/bin:/bin");
        command.arg("--socket").arg(self.path("s.sock"));
        command
    }

    fn run(&self, line: &str) -> Ran {
        self.command(line).output().unwrap().into()
    }
}

fn wait_for(path: &Path) {
    wait_until(|| path.exists(), || format!("{} did not appear", path.display()));
}

#[test]
fn start_waits_until_the_daemon_answers() {
    let install = Install::with("echo \"$@\" >&2; : > \"${0%/*}/begun\"; exec sleep 3");
    let mut command = install.command("daemon start --config my.toml -f json");
    let (socket, begun) = (install.path("s.sock"), install.path("begun"));
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(move || Ran::from(command.output().unwrap()));
        wait_for(&begun);
        let fake = Fake::start_at(Script { pid: 4321, ..Script::default() }, tempfile::tempdir().unwrap(), socket);
        let ran = ran.join().unwrap();
        let again = install.run("daemon start -f json");
        assert_eq!((again.code, again.json()["started"].as_bool()), (Some(0), Some(false)));
        drop(fake);
        ran
    });
    let log = install.path("state/ktrdr/ktrdrd.log");
    assert_eq!((ran.code, ran.json()["pid"].as_u64()), (Some(0), Some(4321)), "{ran:?}");
    assert_eq!(ran.json()["log"], log.to_str().unwrap());
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        format!("--socket {} --config my.toml\n", install.path("s.sock").display())
    );
    assert_eq!(fs::metadata(log.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_daemon_that_ends_at_once_is_told_with_its_last_words() {
    let install = Install::with("echo 'error: the store is locked' >&2; exit 1");
    install.run("daemon start");
    let ran = install.run("daemon start");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    // The words of the first start are not repeated.
    insta::assert_snapshot!(ran.stderr, @r#"
    error: ktrdrd ended at once (exit status: 1)
    caused by: the store is locked
    hint: ktrdr daemon logs
    "#);
    let ran = install.run("daemon logs -n 1");
    assert_eq!(ran.all(), "exit 0\n--- stdout\nerror: the store is locked\n--- stderr\n");
    assert_eq!(install.run("daemon logs --format json").json()["lines"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_daemon_that_does_not_come_up_in_time_is_told() {
    let install = Install::with("exec sleep 2");
    let ran = install.run("daemon start --wait 0.2");
    assert!(ran.code == Some(3) && ran.stderr.contains("does not answer after 0.2 s"), "{ran:?}");
}

#[test]
fn no_log_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let ran = Ran::from(ktrdr(["daemon", "logs"]).env("HOME", folder.path()).output().unwrap());
    let path = folder.path().join(".local/state/ktrdr/ktrdrd.log");
    assert!(ran.code == Some(2) && ran.stderr.contains(path.to_str().unwrap()), "{ran:?}");
}
