//! Answers as a server sends them, where it has their parts ready: an embedded message and its bytes are the same on the wire.

use prost::{Message, bytes::Bytes};

use crate::v1;

/// `ListOperationsResponse` of the contract.
#[derive(Clone, PartialEq, Message)]
pub struct ListOperationsResponse {
    /// Each of them an [`Operation`](v1::Operation).
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub operations: Vec<Bytes>,
    /// As in the contract.
    #[prost(string, tag = "2")]
    pub next_page_token: String,
    /// As in the contract.
    #[prost(uint64, tag = "3")]
    pub total: u64,
}

impl From<v1::ListOperationsResponse> for ListOperationsResponse {
    fn from(answer: v1::ListOperationsResponse) -> Self {
        let v1::ListOperationsResponse { operations, next_page_token, total } = answer;
        let operations = operations.iter().map(|operation| operation.encode_to_vec().into()).collect();
        Self { operations, next_page_token, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_served_is_what_the_contract_says() {
        let operation = |id: &str| v1::Operation { id: id.to_owned(), kind: "load".to_owned(), ..Default::default() };
        let operations = vec![operation("op_load_1"), v1::Operation::default(), operation("op_load_2")];
        let answer = v1::ListOperationsResponse { operations, next_page_token: "op_load_2".to_owned(), total: 9 };
        let served = ListOperationsResponse::from(answer.clone()).encode_to_vec();
        assert_eq!(served, answer.encode_to_vec());
        assert_eq!(v1::ListOperationsResponse::decode(&*served).unwrap(), answer);
    }
}
