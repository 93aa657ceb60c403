//! The real programs, end to end: one promise a test, named after it. `ktrdr_tests` is the harness.

mod support;

mod crash;
mod gateway;
mod harness;
mod load;
