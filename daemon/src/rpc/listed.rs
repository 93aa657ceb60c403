//! Operations as lists show them. What has ended changes no more, and lists are asked for again and again: its bytes are made once.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use bytes::Bytes;
use prost::Message;

use super::convert_operation;
use crate::operations::Snapshot;

/// As many are remembered: some kilobytes each, and as many as the pages that people look at again have.
const MOST: usize = 200;
/// Bytes of one that is remembered: an import of thousands of files tells of each.
const BYTES_MAX: usize = 64 << 10;

/// Those that were made, by id. Many look at once, and nearly always find.
#[derive(Debug, Default)]
pub(super) struct Listed(RwLock<HashMap<String, Bytes>>);

impl Listed {
    /// The bytes of each.
    pub(super) fn all(&self, operations: &[Snapshot]) -> Vec<Bytes> {
        if operations.len() > MOST {
            return operations.iter().map(made).collect();
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<Option<Bytes>> = operations.iter().map(|one| known.get(&one.id).cloned()).collect();
        drop(known);
        let bytes = operations.iter().zip(found).map(|(one, found)| found.unwrap_or_else(|| self.one(one)));
        bytes.collect()
    }

    fn one(&self, operation: &Snapshot) -> Bytes {
        let bytes = made(operation);
        if operation.state.is_final() && bytes.len() <= BYTES_MAX {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(operation.id.clone(), bytes.clone());
        }
        bytes
    }
}

fn made(operation: &Snapshot) -> Bytes {
    Bytes::from(convert_operation::operation(operation).encode_to_vec())
}
