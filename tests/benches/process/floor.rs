//! The floor: the smallest static C program that does a round trip, built on the spot.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{home::Home, process::Process, wait};

/// The program and its server.
pub(crate) struct Floor {
    pub(crate) program: PathBuf,
    pub(crate) socket: PathBuf,
    _server: Process,
}

impl Floor {
    pub(crate) fn start(home: &Home) -> Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor.c");
        let (program, socket) = (home.path().join("floor"), home.path().join("floor.sock"));
        let mut compile = Command::new("cc");
        compile.args(["-O2", "-static", "-o"]).arg(home.path().join("floor.linked")).arg(source);
        ensure!(compile.status().context("cc is needed for the floor")?.success(), "cc failed");
        // a copy, as the other programs are
        std::fs::copy(home.path().join("floor.linked"), &program)?;
        let mut serve = home.command(&program);
        serve.arg("serve").arg(&socket);
        let server = Process::start(serve)?;
        wait::until_true("the floor's server", wait::LIMIT, || Ok(socket.exists()))?;
        Ok(Self { program, socket, _server: server })
    }
}
