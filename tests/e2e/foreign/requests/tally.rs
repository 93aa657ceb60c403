//! How calls ended, by method: whether the run reached what it is about.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use anyhow::{Result, ensure};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    /// By the handler, which says why.
    Refused,
    /// The bytes are no message, and never came to the handler.
    Undecodable,
    /// A stream had nothing to say, and was left.
    Waited,
}

#[derive(Debug, Default, Clone, Copy)]
struct Ends {
    answered: u64,
    refused: u64,
    undecodable: u64,
    waited: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<String, Ends>);

impl Tally {
    pub(super) fn count(&mut self, method: &str, end: End) {
        let ends = self.0.entry(method.to_owned()).or_default();
        match end {
            End::Answered => ends.answered += 1,
            End::Refused => ends.refused += 1,
            End::Undecodable => ends.undecodable += 1,
            End::Waited => ends.waited += 1,
        }
    }

    fn sum(&self) -> Ends {
        self.0.values().fold(Ends::default(), |sum, ends| Ends {
            answered: sum.answered + ends.answered,
            refused: sum.refused + ends.refused,
            undecodable: sum.undecodable + ends.undecodable,
            waited: sum.waited + ends.waited,
        })
    }

    /// Every method was reached, these were answered, and most of what was sent were messages.
    pub(super) fn reaches<'a>(
        &self,
        methods: impl Iterator<Item = &'a str>,
        answered: impl Iterator<Item = &'a str>,
    ) -> Result<()> {
        let ends = |name: &str| self.0.get(name).copied().unwrap_or_default();
        for name in methods {
            ensure!(ends(name).answered + ends(name).refused > 0, "no message came to {name}\n{self}");
        }
        for name in answered {
            ensure!(ends(name).answered > 0, "{name} never answered\n{self}");
        }
        let sum = self.sum();
        let all = sum.answered + sum.refused + sum.undecodable + sum.waited;
        ensure!(sum.undecodable * 100 <= all * 40, "too many that are no message: {sum} of {all}\n{self}");
        ensure!(sum.answered * 100 >= all * 20, "too few answers: {sum} of {all}\n{self}");
        ensure!(sum.refused > 0 && sum.undecodable > 0, "nothing is refused: {sum}\n{self}");
        Ok(())
    }
}

impl Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, refused, undecodable, waited } = self;
        write!(f, "{answered} answered, {refused} refused, {undecodable} undecodable, {waited} waited")
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, ends) in &self.0 {
            writeln!(f, "  {name:26} {ends}")?;
        }
        write!(f, "  {:26} {}", "all", self.sum())
    }
}
