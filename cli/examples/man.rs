//! Manual pages of `ktrdr` and of each of its commands, for packages: `cargo run -p ktrdr --example man -- FOLDER`.

use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or("which folder?")?;
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(ktrdr::command(), &folder)?;
    Ok(())
}
