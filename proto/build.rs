//! Compiles the contract with protox: a new machine needs no protoc.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=ktrdr");
    let services = ["market_data", "housekeeping", "operations", "training", "host_services", "gateway", "daemon"]
        .map(|name| format!("ktrdr/v1/{name}.proto"));
    let descriptors = protox::compile(services, ["."])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    // what is offered at run time has no comments: they are most of it
    let mut offered = descriptors.clone();
    offered.file.iter_mut().for_each(|file| file.source_code_info = None);
    fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&offered))?;
    let build = || tonic_prost_build::configure().build_transport(false).codec_path("crate::codec::Codec");
    build()
        .build_server(false)
        // the same on the wire, without a copy of each value: see its module
        .extern_path(".ktrdr.v1.BarColumns", "crate::columns::BarColumns")
        .compile_fds(descriptors.clone())?;
    // servers: with the messages above, but for what they have ready as bytes
    let served = out.join("served");
    fs::create_dir_all(&served)?;
    build()
        .build_client(false)
        .out_dir(served)
        .extern_path(".ktrdr.v1", "crate::v1")
        .extern_path(".ktrdr.v1.ListOperationsResponse", "crate::served::ListOperationsResponse")
        .compile_fds(descriptors)?;
    Ok(())
}
