//! What is in the packages beside our own code: `cargo sbom` prints the bill of materials, `cargo notices` the licences. The packages carry both.

mod bill;
mod linked;
mod notices;

use std::{
    env,
    io::{self, Write as _},
};

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let printed = match env::args().nth(1).as_deref() {
        Some("bill") => serde_json::to_string_pretty(&bill::bill()?)?,
        Some("notices") => notices::notices()?,
        _ => bail!("say `bill` or `notices`"),
    };
    writeln!(io::stdout(), "{printed}")?;
    Ok(())
}
