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
/// Bytes of one that is remembered: an import of thousands of files tells of each.
const BYTES_MAX: usize = 64 << 10;

/// Those that were made, by id.
#[derive(Debug, Default)]
pub(super) struct Listed(Mutex<HashMap<String, Bytes>>);

impl Listed {
    /// The bytes of each.
    pub(super) fn all(&self, operations: &[Snapshot]) -> Vec<Bytes> {
        if operations.len() > MOST {
            return operations.iter().map(made).collect();
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        operations.iter().map(|operation| one(&mut known, operation)).collect()
    }
}

fn made(operation: &Snapshot) -> Bytes {
    Bytes::from(convert_operation::operation(operation).encode_to_vec())
}

fn one(known: &mut HashMap<String, Bytes>, operation: &Snapshot) -> Bytes {
    if !operation.state.is_final() {
        return made(operation);
    }
    if let Some(bytes) = known.get(&operation.id) {
        return bytes.clone();
    }
    let bytes = made(operation);
    if bytes.len() <= BYTES_MAX {
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(operation.id.clone(), bytes.clone());
    }
    bytes
}
