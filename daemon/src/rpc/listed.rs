//! Lists of operations, as they are sent: most clients ask for the same one again and again, and little changes between. To look at
//! each operation takes its lock, which many who look at once take from each other.

use std::{
    collections::VecDeque,
    sync::{PoisonError, RwLock},
};

use ktrdr_proto::{served::ListOperationsResponse, v1::ListOperationsRequest};
use prost::Message;

/// Answers that are remembered: those of a few clients that look on, of different lengths.
const MOST: usize = 4;
/// Bytes of one that is remembered: an import of thousands of files tells of each.
const BYTES_MAX: usize = 256 << 10;
/// Bytes of its request, of which a stranger can make many.
const REQUEST_BYTES_MAX: usize = 1 << 10;

#[derive(Debug)]
struct Known {
    request: ListOperationsRequest,
    /// [`Registry::changes`](crate::operations::Registry::changes) before it was made.
    changes: u64,
    answer: ListOperationsResponse,
}

/// The answers that were made last, oldest first.
#[derive(Debug, Default)]
pub(super) struct Listed(RwLock<VecDeque<Known>>);

impl Listed {
    /// The answer to this request, if nothing has changed since it was made.
    pub(super) fn find(&self, request: &ListOperationsRequest, changes: u64) -> Option<ListOperationsResponse> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| known.changes == changes && known.request == *request);
        found.map(|found| found.answer.clone())
    }

    /// Remembers an answer, in the place of what was answered before.
    pub(super) fn keep(&self, request: ListOperationsRequest, changes: u64, answer: &ListOperationsResponse) {
        if answer.encoded_len() > BYTES_MAX || request.encoded_len() > REQUEST_BYTES_MAX {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.request != request);
        if known.len() >= MOST {
            known.pop_front();
        }
        known.push_back(Known { request, changes, answer: answer.clone() });
    }
}

#[cfg(test)]
mod tests {
    use ktrdr_proto::v1::ListOperationsResponse as Answer;

    use super::*;

    fn request(page_size: u32) -> ListOperationsRequest {
        ListOperationsRequest { page_size, ..ListOperationsRequest::default() }
    }

    fn answer(total: u64) -> ListOperationsResponse {
        Answer { total, ..Answer::default() }.into()
    }

    fn found(listed: &Listed, page_size: u32, changes: u64) -> Option<u64> {
        listed.find(&request(page_size), changes).map(|found| Answer::decode(&*found.encode_to_vec()).unwrap().total)
    }

    #[test]
    fn an_answer_is_given_again_until_something_changes() {
        let listed = Listed::default();
        listed.keep(request(10), 1, &answer(7));
        assert_eq!([found(&listed, 10, 1), found(&listed, 10, 2), found(&listed, 20, 1)], [Some(7), None, None]);
        listed.keep(request(10), 2, &answer(8));
        assert_eq!([found(&listed, 10, 1), found(&listed, 10, 2)], [None, Some(8)]);
        assert_eq!(listed.0.read().unwrap().len(), 1);
    }

    #[test]
    fn few_are_remembered_and_no_long_ones() {
        let listed = Listed::default();
        let long = Answer { next_page_token: "x".repeat(BYTES_MAX), ..Answer::default() };
        listed.keep(request(1), 1, &long.into());
        let wordy = ListOperationsRequest { kind: "x".repeat(REQUEST_BYTES_MAX), ..request(1) };
        listed.keep(wordy, 1, &answer(1));
        assert!(listed.0.read().unwrap().is_empty());
        for page_size in 1..=9 {
            listed.keep(request(page_size + 1), 1, &answer(u64::from(page_size)));
        }
        let all: Vec<u32> = (1..=10).filter(|size| found(&listed, *size, 1).is_some()).collect();
        assert_eq!(all, [7, 8, 9, 10]);
    }
}
