//! Pages of the list of operations, as they are sent: most clients ask for the same one again and again, and little changes between.

use std::{
    collections::VecDeque,
    iter,
    sync::{Arc, PoisonError, RwLock},
};

use ktrdr_proto::{served::ListOperationsResponse, v1 as pb};
use prost::Message;

use super::convert_operation as convert;
use crate::operations::Page;

/// Pages that are remembered: those of a few clients that look on, of different lengths.
const MOST: usize = 4;
/// Bytes of a page that is remembered: an import of thousands of files tells of each.
const BYTES_MAX: usize = 256 << 10;

/// The pages that were made last, oldest first.
#[derive(Debug, Default)]
pub(super) struct Listed(RwLock<VecDeque<(Page, ListOperationsResponse)>>);

impl Listed {
    /// The answer that this page is.
    pub(super) fn answer(&self, page: Page) -> ListOperationsResponse {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(made, _)| is_same(made, &page)).map(|(_, answer)| answer.clone());
        drop(known);
        found.unwrap_or_else(|| self.made(page))
    }

    fn made(&self, mut page: Page) -> ListOperationsResponse {
        let answer = ListOperationsResponse::from(pb::ListOperationsResponse {
            operations: convert::page(&mut page),
            next_page_token: convert::token(page.next.as_ref()),
            total: page.total as u64,
        });
        if answer.encoded_len() <= BYTES_MAX {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.pop_front();
            }
            known.push_back((page, answer.clone()));
        }
        answer
    }
}

/// What is remembered stays where it is: an operation that has changed since is another one.
fn is_same(one: &Page, other: &Page) -> bool {
    one.operations.len() == other.operations.len()
        && (one.total, &one.next) == (other.total, &other.next)
        && iter::zip(&one.operations, &other.operations).all(|(one, other)| Arc::ptr_eq(one, other))
}
