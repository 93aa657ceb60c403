//! Who sends a request.

use std::{fmt, sync::Arc};

/// Decides whose turn it is, and is told to those who ask who spent the budget.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Somebody waits at a terminal, or a program in a call.
    Person,
    /// The daemon itself.
    Daemon,
    /// An operation, by its id.
    Operation(Arc<str>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "direct",
            Self::Daemon => "daemon",
            Self::Operation(id) => id,
        })
    }
}

impl From<&str> for Origin {
    fn from(text: &str) -> Self {
        match text {
            "direct" => Self::Person,
            "daemon" => Self::Daemon,
            id => Self::Operation(id.into()),
        }
    }
}
