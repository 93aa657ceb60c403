//! Strategy files: read and checked before anything is started (pure).
//!
//! The text itself travels to the hosts that want it; what is taken out here is what the daemon needs to know.

mod check;
mod parts;
mod typos;
mod yaml;

use yaml::Node;

use ktrdr_proto::text::one_line;

/// Bytes of a strategy file; the longest of the old system has 9 kB.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// Mistakes that are told of one file.
const MISTAKES_MAX: usize = 20;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Of the file, from 1.
    pub line: usize,
    /// For people: what is wrong, and what is allowed.
    pub what: String,
}

impl Mistake {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line: line.max(1), what: one_line(&what.into()) }
    }
}

/// A strategy that can be trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// Its `name`.
    pub name: String,
    /// `1.0`, `2.0`, `3.0`: which host understands it.
    pub format: Format,
    /// Of its training data; empty when it only says how to choose some.
    pub symbols: Vec<String>,
    /// The first is the base.
    pub timeframes: Vec<String>,
    /// From `model.training`.
    pub epochs: u32,
    /// From `model.training`.
    pub batch_size: u32,
}

/// Formats of the old system; they cannot be told apart by `version` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `data: {symbols, timeframes}`.
    V1,
    /// `scope`, `training_data`, `deployment`.
    V2,
    /// `nn_inputs`.
    V3,
}

impl Strategy {
    /// Reads and checks a file; all mistakes at once, in the order of the lines.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Mistake>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).matches('\n').count() + 1;
            vec![Mistake::new(line, "it is not UTF-8 text")]
        })?;
        // the end of a file that is cut off is on its last line, for whoever looks for it there
        let lines = text.lines().count();
        let root = yaml::read(text).map_err(|mistake| vec![Mistake::new(mistake.line.min(lines), mistake.what)])?;
        if root.map().is_none() {
            return Err(vec![Mistake::new(root.line.min(lines), "it must consist of keys and values")]);
        }
        let format = format(&root);
        let mut mistakes = check::all(&root, format);
        if mistakes.is_empty() {
            return Ok(parts::taken_out(&root, format));
        }
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes.truncate(MISTAKES_MAX);
        Err(mistakes)
    }
}

fn format(root: &Node) -> Format {
    let has = |key| root.get(key).is_some();
    if has("nn_inputs") {
        Format::V3
    } else if has("data") && !has("training_data") && !has("scope") && !has("deployment") {
        Format::V1
    } else {
        Format::V2
    }
}

#[cfg(test)]
pub(super) mod tests;
