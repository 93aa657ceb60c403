//! Compiles the contract with protox: a new machine needs no protoc.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=ktrdr");
    let services = ["market_data", "housekeeping", "operations", "training", "host_services", "gateway", "daemon"]
        .map(|name| format!("ktrdr/v1/{name}.proto"));
    let descriptors = protox::compile(services, ["."])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure()
        .build_transport(false)
        // the same wire form, without a copy of each value: see its module
        .extern_path(".ktrdr.v1.BarColumns", "crate::columns::BarColumns")
        .compile_fds(descriptors)?;
    Ok(())
}
