//! `cargo demo`, without a terminal.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ktrdr_tests::{cli::Started, home::Home};
use rustix::process::Signal;

fn start(home: &Home) -> Result<Started> {
    let mut command = home.command(Path::new(env!("CARGO_BIN_EXE_demo")));
    // it builds, as it does for a person
    let of_cargo = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO") || name.starts_with("RUST") || name == "HOME" || name == "NEXTEST_RUN_ID"
    });
    command.envs(of_cargo);
    Started::start(command)
}

fn folder(demo: &Started) -> Result<PathBuf> {
    demo.says("Daemon, gateway and training hosts run, in ")?;
    let printed = demo.stdout()?;
    let (_, folder) = printed.split_once("run, in ").context("a folder")?;
    let (folder, _) = folder.split_once(".\n").context("the end of its line")?;
    Ok(PathBuf::from(folder))
}

#[test]
fn the_demo_shows_its_tour_and_leaves_nothing_behind() -> Result<()> {
    let home = Home::new()?;
    let demo = start(&home)?;
    let folder = folder(&demo)?;
    let printed = demo.ended()?.ok()?;
    assert!(!folder.exists());
    for shown in ["$ ktrdr ib status", "1,632", "14,400", "exit code 7", "gpu1:/srv/", "That was the tour"] {
        assert!(printed.contains(shown), "{shown} is missing in\n{printed}");
    }
    Ok(())
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind_either() -> Result<()> {
    let home = Home::new()?;
    let mut demo = start(&home)?;
    let folder = folder(&demo)?;
    demo.says("$ ktrdr data load TSLA")?;
    demo.says("Started operation")?;
    demo.process().signal(Signal::INT)?;
    let ran = demo.ended()?;
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("interrupted"), "{ran:?}");
    assert!(!folder.exists());
    Ok(())
}
