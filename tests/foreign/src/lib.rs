//! Foreign bytes: what comes from a gateway, a host, a file or a keyboard, thrown at the one function that reads it.
//!
//! A [`Target`] has a corpus, a folder of small files beside the crate that it tests, and is checked with each of them and with
//! what [`mutation`] makes of them. Whatever comes, a reader
//!
//! - does not panic, and comes to an end;
//! - needs memory in proportion to what it reads (of the thread that calls it: what it has others do is not measured);
//! - takes the bytes, or says why it does not: in words, without characters that a terminal would obey;
//!
//! and keeps the laws of its own, which the test asserts. A run is the same for the same seed, and short unless told otherwise:
//!
//! - `KTRDR_FUZZ_SECONDS` goes on for so long with each target, with new inputs each time;
//! - `KTRDR_FUZZ_SEED` draws those of an earlier run;
//! - `KTRDR_FUZZ_INPUT` tries one file, with the target that its folder is named after.
//!
//! What broke a law is cut down, stored below `target/foreign/` and told with the way to try it again; moved to the corpus under a
//! name that tells the story, it stays a test.
//!
//! Answers stand in for coverage, which needs a special build: an input that got an answer of a new kind is kept, and mutated like
//! the corpus.

mod answer;
mod broken;
pub mod mutation;
mod target;
mod watch;

pub use answer::{Answer, fit_to_print};
pub use broken::keep;
pub use target::{SEED, Target, seconds, seed};
