//! The real programs, end to end: one promise a test, named after it. `ktrdr_tests` is the harness.

mod harness;
mod load;
