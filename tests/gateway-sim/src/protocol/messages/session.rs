//! Messages about the connection itself: start, ids, accounts, clocks, errors.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StartApi {
    #[prost(int32, optional, tag = "1")]
    pub(crate) client_id: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) optional_capabilities: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NextValidId {
    #[prost(int32, optional, tag = "1")]
    pub(crate) order_id: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ManagedAccounts {
    #[prost(string, optional, tag = "1")]
    pub(crate) accounts: Option<String>,
}

/// Epoch seconds or milliseconds, by the message's id.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CurrentTime {
    #[prost(int64, optional, tag = "1")]
    pub(crate) time: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorMessage {
    /// The request, or −1.
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    /// Epoch milliseconds.
    #[prost(int64, optional, tag = "2")]
    pub(crate) time: Option<i64>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) code: Option<i32>,
    #[prost(string, optional, tag = "4")]
    pub(crate) text: Option<String>,
}

/// Cancels, ends and other messages that carry a request's id alone.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RequestId {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CompletedOrdersRequest {
    #[prost(bool, optional, tag = "1")]
    pub(crate) api_only: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AccountData {
    #[prost(bool, optional, tag = "1")]
    pub(crate) subscribe: Option<bool>,
    #[prost(string, optional, tag = "2")]
    pub(crate) account: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AccountDataEnd {
    #[prost(string, optional, tag = "1")]
    pub(crate) account: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AccountUpdatesMulti {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) account: Option<String>,
}
