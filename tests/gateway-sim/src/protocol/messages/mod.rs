//! The messages themselves, as structures. Fields are optional where the protocol tells absent from zero; their
//! numbers are those of protobuf.

mod contract;
mod historical;
mod live;
mod session;

pub(crate) use contract::*;
pub(crate) use historical::*;
pub(crate) use live::*;
pub(crate) use session::*;

#[cfg(test)]
mod tests;
