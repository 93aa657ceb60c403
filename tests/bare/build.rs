//! Compiles the contract of the bare server, with the same tools as the real one.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=bare.proto");
    let descriptors = protox::compile(["bare.proto"], ["."])?;
    tonic_prost_build::configure().build_transport(false).compile_fds(descriptors)?;
    Ok(())
}
