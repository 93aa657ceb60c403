//! Secrets that a service manager hands to the unit: `ktrdr.env` in `$CREDENTIALS_DIRECTORY`, lines of `NAME=VALUE` with the names
//! of the environment. They are read into memory and go nowhere else; the environment itself is told to child processes and to
//! everyone who may look into `/proc`.

use std::{collections::BTreeMap, fs, path::Path};

use super::ConfigError;

/// In the folder of the credentials.
const FILE: &str = "ktrdr.env";

/// Names and values; not shown by `Debug`.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, String>);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.0.len())
    }
}

impl Credentials {
    /// Those in `folder`; none without a folder or a file.
    pub(super) fn read(folder: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = folder.map(|folder| folder.join(FILE)).filter(|path| path.exists()) else {
            return Ok(Self::default());
        };
        let text =
            fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pair = |line: &str| {
            let (name, value) = line.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let pairs: Option<BTreeMap<_, _>> = lines.map(pair).collect();
        // the value is not repeated: it is a secret
        pairs.map(Self).ok_or_else(|| ConfigError::Value {
            name: path.display().to_string(),
            value: "…".into(),
            why: "each line is NAME=VALUE",
        })
    }

    /// One of them.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// Those whose names begin so.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
