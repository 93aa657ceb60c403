//! A client that is not Python. Runs where Node.js and npm are at hand; the packages are installed once into the target folder, which
//! needs a network: `KTRDR_TEST_NODE=1` asks for it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use ktrdr_tests::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    programs::{lock, own_target},
};

use crate::support::{SCALE, gateway_is, import, skipped};

const PACKAGES: [&str; 2] = ["@grpc/grpc-js@1", "@grpc/proto-loader@0.8"];

/// The folder that has the packages, or why there is none.
fn packages() -> Result<PathBuf, String> {
    let (target, _) = own_target().map_err(|error| error.to_string())?;
    let folder = target.join("ktrdr-tests-node");
    let _held = lock(&target.join("ktrdr-tests-node.lock")).map_err(|error| error.to_string())?;
    if folder.join("node_modules/@grpc/proto-loader").exists() {
        return Ok(folder);
    }
    if env::var_os("KTRDR_TEST_NODE").is_none_or(|value| value != "1") {
        return Err("KTRDR_TEST_NODE=1 installs what it needs".to_owned());
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).args(PACKAGES);
    let output = npm.output().map_err(|error| format!("npm: {error}"))?;
    if output.status.success() { Ok(folder) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

#[test]
fn a_client_in_node_lists_queries_loads_and_watches() -> Result<()> {
    let folder = match packages() {
        Ok(folder) => folder,
        Err(why) => {
            skipped("Node", &why);
            return Ok(());
        }
    };
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let mut home = home_with(&sim)?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let daemon = TestDaemon::start_in(home)?;
    import(&daemon, &["GOOGL_1d.csv"])?;
    gateway_is(&daemon, "ready")?;
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = daemon.command(Path::new("node"));
    node.arg(own.join("node/client.mjs")).arg(daemon.socket()).arg(own.join("../proto")).arg(folder);
    let output = node.output()?;
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success() && printed.contains("359 bars"), "{}\n{printed}{said}", output.status);
    Ok(())
}
