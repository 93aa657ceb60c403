//! stderr: what is said beside the data. A stderr that cannot be written is no reason to fail.

use std::io::{self, IsTerminal, Write};

use ktrdr_proto::text::printable;
use serde::Serialize;

use super::colored;
use crate::{
    failure::{Failure, FailureView},
    flags::Color,
};

/// How much is said, and how colourful.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Talk {
    quiet: bool,
    verbose: u8,
    color: Color,
}

#[derive(Serialize)]
struct Document<'a> {
    error: FailureView<'a>,
}

impl Talk {
    pub(crate) fn new(quiet: bool, verbose: u8, color: Color) -> Self {
        Self { quiet, verbose, color }
    }

    /// What everybody wants to know; `-q` silences it.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            writeln!(io::stderr(), "{}", printable(text)).ok();
        }
    }

    /// What is only said with `-v`.
    pub(crate) fn note(self, text: &str) {
        if self.verbose > 0 {
            self.say(text);
        }
    }

    /// Whether a progress bar has somewhere to be.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// An error is told whatever the flags.
    pub(crate) fn failure(self, failure: &Failure, json: bool) {
        let stderr = io::stderr().lock();
        if json {
            tell_document(stderr, failure).ok();
        } else {
            tell_text(stderr, failure, colored(self.color, &io::stderr())).ok();
        }
    }
}

fn tell_document(mut stderr: impl Write, failure: &Failure) -> io::Result<()> {
    serde_json::to_writer(&mut stderr, &Document { error: failure.view() })?;
    stderr.write_all(b"\n")
}

fn tell_text(mut stderr: impl Write, failure: &Failure, colored: bool) -> io::Result<()> {
    let label = |text: &str, code: &str| {
        if colored { format!("\x1b[{code}m{text}:\x1b[0m") } else { format!("{text}:") }
    };
    for (index, message) in failure.messages().iter().enumerate() {
        let label = if index == 0 { label("error", "1;31") } else { label("caused by", "31") };
        writeln!(stderr, "{label} {}", printable(message))?;
    }
    match failure.next_step() {
        Some(hint) => writeln!(stderr, "{} {hint}", label("hint", "36")),
        None => Ok(()),
    }
}
