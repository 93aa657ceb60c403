//! What asks for an operation, and how many of one asker are open: nobody may fill the queue of all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::OperationError;

/// The request that an operation comes from.
#[derive(Debug, Clone, Default)]
pub struct Requested {
    /// Made by the client.
    pub id: String,
    /// Who it is, in words that stay the same; `None`: the daemon itself.
    pub by: Option<Arc<str>>,
}

/// Open operations by who asked; of this life of the daemon only.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    most: usize,
    open: Arc<Mutex<HashMap<Arc<str>, usize>>>,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Room for one more, until what comes back is dropped.
    pub(super) fn take(&self, by: Option<&Arc<str>>) -> Result<Option<Share>, OperationError> {
        let Some(by) = by else { return Ok(None) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(by.clone()).or_default();
        if *count >= self.most {
            return Err(OperationError::TooMany { by: by.to_string(), most: self.most });
        }
        *count += 1;
        Ok(Some(Share { by: by.clone(), shares: self.clone() }))
    }
}

/// One open operation.
#[derive(Debug)]
pub(super) struct Share {
    by: Arc<str>,
    shares: Shares,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.shares.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.by) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_share_of_its_own_and_the_daemon_needs_none() {
        let shares = Shares::new(2);
        let (a, b): (Arc<str>, Arc<str>) = ("user 1".into(), "user 2".into());
        let (first, _second) = (shares.take(Some(&a)).unwrap(), shares.take(Some(&a)).unwrap());
        assert!(matches!(shares.take(Some(&a)), Err(OperationError::TooMany { most: 2, .. })));
        assert!(shares.take(Some(&b)).is_ok());
        assert!(shares.take(None).unwrap().is_none());
        drop(first);
        let again = shares.take(Some(&a)).unwrap();
        assert!(again.is_some());
        drop(again);
        assert_eq!(shares.open.lock().unwrap().len(), 1, "whoever has none open is forgotten");
    }
}
