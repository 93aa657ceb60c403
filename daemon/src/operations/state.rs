//! The life cycle (pure).

/// `pending → running → completed | failed | cancelled`, and `interrupted` for one that the end of the daemon cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Entered, its work has not begun.
    Pending,
    /// At work.
    Running,
    /// Did what it was asked.
    Completed,
    /// Ended with a failure.
    Failed,
    /// Stopped by a person.
    Cancelled,
    /// Cut off by the end of the daemon.
    Interrupted,
}

impl State {
    /// As the ledger has it: what a later version may have called otherwise has failed.
    pub(super) fn recorded(name: &str) -> Self {
        Self::parse(name).unwrap_or(Self::Failed)
    }

    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled, Self::Interrupted];

    /// One word, for the ledger and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Reads [`name`](Self::name).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }

    /// Nothing follows.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// A retry makes sense.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Interrupted)
    }

    /// Whether `next` may follow.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => next != Self::Pending && next != Self::Completed,
            Self::Running => next.is_final(),
            Self::Completed | Self::Failed | Self::Cancelled | Self::Interrupted => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State::{self, Cancelled, Completed, Failed, Interrupted, Pending, Running};

    #[test]
    fn only_these_moves_are_allowed() {
        let allowed = [
            (Pending, Running),
            (Pending, Failed),
            (Pending, Cancelled),
            (Pending, Interrupted),
            (Running, Completed),
            (Running, Failed),
            (Running, Cancelled),
            (Running, Interrupted),
        ];
        for from in State::ALL {
            for to in State::ALL {
                assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from:?} → {to:?}");
            }
            assert_eq!(State::parse(from.name()), Some(from));
        }
    }
}
