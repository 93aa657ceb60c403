//! Operations as lists show them. What has ended changes no more, and lists are asked for again and again: its bytes are made once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use prost::Message;

use super::convert_operation;
use crate::operations::Snapshot;

/// As many are remembered: some hundred bytes each.
const MOST: usize = 2_000;

/// Those that were made, by id, and of which snapshot.
#[derive(Debug, Default)]
pub(super) struct Listed(Mutex<HashMap<String, (Snapshot, Bytes)>>);

impl Listed {
    /// The bytes of each.
    pub(super) fn all(&self, operations: &[Snapshot]) -> Vec<Bytes> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        operations.iter().map(|operation| one(&mut known, operation)).collect()
    }
}

fn one(known: &mut HashMap<String, (Snapshot, Bytes)>, operation: &Snapshot) -> Bytes {
    if let Some((of, bytes)) = known.get(&operation.id)
        && Arc::ptr_eq(of, operation)
    {
        return bytes.clone();
    }
    let bytes = Bytes::from(convert_operation::operation(operation).encode_to_vec());
    if operation.state.is_final() {
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(operation.id.clone(), (operation.clone(), bytes.clone()));
    }
    bytes
}
