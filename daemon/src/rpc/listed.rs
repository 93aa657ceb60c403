//! Operations as lists show them. What has ended changes no more, and lists are asked for again and again: its bytes are made once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use prost::Message;

use super::convert_operation;
use crate::operations::Snapshot;

/// As many are remembered: some kilobytes each, and as many as the pages that people look at again have.
const MOST: usize = 200;

/// Those that were made, by id.
#[derive(Debug, Default)]
pub(super) struct Listed(Mutex<HashMap<String, Bytes>>);

impl Listed {
    /// The bytes of each.
    pub(super) fn all(&self, operations: &[Snapshot]) -> Vec<Bytes> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        operations.iter().map(|operation| one(&mut known, operation)).collect()
    }
}

fn one(known: &mut HashMap<String, Bytes>, operation: &Snapshot) -> Bytes {
    let made = || Bytes::from(convert_operation::operation(operation).encode_to_vec());
    if !operation.state.is_final() {
        return made();
    }
    if let Some(bytes) = known.get(&operation.id) {
        return bytes.clone();
    }
    let bytes = made();
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(operation.id.clone(), bytes.clone());
    bytes
}
