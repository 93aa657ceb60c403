//! Every key, told to people: the file that `ktrdrd --help-config` prints and that `docs/REFERENCE.md` shows as a table. It changes nothing.
//!
//! A new key needs an entry in `reference.toml`: what it means, then what a value is, its variables and, where no value says it, the
//! default. The tests hold it against what the parser takes, what the environment is asked for, and what is so without it.

#[cfg(test)]
mod tests;

/// As it is printed.
pub const FILE: &str = include_str!("reference.toml");
