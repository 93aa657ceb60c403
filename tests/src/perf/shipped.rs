//! The programs that are measured: built as they are shipped, by the commands that ship them, and copied, as an installation has
//! them. What the linker has just written is cached in small pieces and costs more page faults.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::programs::{self, Programs};

/// What a part of the table needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Daemon,
    DynamicCli,
    StaticCli,
    Bare,
    Sims,
    BarsBench,
    HostBench,
}

/// Builds what is needed into a folder. A static command line that cannot be built is left out: its rows say so.
pub(super) fn build(needs: &[Need], folder: &Path, say: &dyn Fn(&str)) -> Result<()> {
    let put = |built: &Path, name: &str| {
        fs::copy(built, folder.join(name)).map(drop).with_context(|| format!("cannot copy {}", built.display()))
    };
    for need in needs {
        match need {
            Need::Daemon => {
                say("building ktrdrd as it is shipped (up to ten minutes when it is not there) …");
                put(&programs::build_package("ktrdrd", "ktrdrd", "dist", None)?, "ktrdrd")?;
            }
            Need::DynamicCli => {
                say("building ktrdr against the system's libc …");
                put(&programs::build_package("ktrdr", "ktrdr", "dist", None)?, "ktrdr")?;
            }
            Need::StaticCli => {
                say("building the static ktrdr …");
                match programs::build_static_cli() {
                    Ok(built) => put(&built, STATIC)?,
                    Err(error) => say(&format!("{error:#}")),
                }
            }
            Need::Bare => {
                say("building bare tonic …");
                put(&programs::build_package("ktrdr-bare", "ktrdr-bare", "dist", None)?, "ktrdr-bare")?;
            }
            Need::Sims => {
                say("building the simulators …");
                for name in ["ktrdr-gateway-sim", "ktrdr-training-sim"] {
                    put(&programs::build_package(name, name, "release", None)?, name)?;
                }
            }
            Need::BarsBench => {
                say("building the store's bench …");
                put(&programs::build_bench("ktrdrd", "bars")?, BARS)?;
            }
            Need::HostBench => {
                say("building the host services' bench …");
                put(&programs::build_bench("ktrdrd", "host_service")?, HOST_SERVICE)?;
            }
        }
    }
    Ok(())
}

const STATIC: &str = "ktrdr-static";
const BARS: &str = "bench-bars";
const HOST_SERVICE: &str = "bench-host-service";

/// Where they are.
#[derive(Debug, Clone)]
pub(super) struct Shipped {
    folder: PathBuf,
}

impl Shipped {
    /// The harness starts these from now on.
    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        programs::use_instead(Programs::in_folder(folder))?;
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// `Err` says how to get it.
    pub(super) fn static_cli(&self) -> Result<PathBuf, &'static str> {
        let path = self.folder.join(STATIC);
        if path.exists() { Ok(path) } else { Err("no target: rustup target add x86_64-unknown-linux-musl") }
    }

    pub(super) fn bare(&self) -> PathBuf {
        self.folder.join("ktrdr-bare")
    }

    pub(super) fn bars_bench(&self) -> PathBuf {
        self.folder.join(BARS)
    }

    pub(super) fn host_bench(&self) -> PathBuf {
        self.folder.join(HOST_SERVICE)
    }
}
