//! How the command line is linked where rustc has no word for it in a manifest.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of = |name| env::var(name).unwrap_or_default();
    let is_static = of("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static");
    if of("CARGO_CFG_TARGET_OS") != "linux" || of("CARGO_CFG_TARGET_ENV") != "gnu" || is_static {
        return;
    }
    // a fixed address, as the static one has by .cargo/config.toml: to be moved at each start costs 22 page faults
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // what unwinds comes along: libgcc_s would be looked for and mapped at each start, and then asks the processor what it can do, twelve
    // times: on a virtual machine each is 1 to 6 us, for the host answers
    if has_static_unwinder() {
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Whether the compiler that links has it; every gcc should.
fn has_static_unwinder() -> bool {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    // without a folder before it: not found
    asked.is_ok_and(|told| Path::new(String::from_utf8_lossy(&told.stdout).trim()).is_absolute())
}
