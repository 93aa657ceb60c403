//! Lines on stderr.

use std::io::Write as _;

/// A line that cannot be written is lost.
pub(crate) fn log(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "ktrdr-ib-host-sim: {line}"));
}
