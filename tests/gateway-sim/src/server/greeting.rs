//! What a client hears right after its start, and what it may ask about its account: which is empty.

use super::answer::{NO_REQUEST, notice};
use crate::protocol::messages::{AccountDataEnd, Empty, ManagedAccounts, NextValidId, RequestId};
use crate::protocol::reply::Reply;
use crate::protocol::request::Request;

const ACCOUNT: &str = "DU1234567";
/// Sent right after the start.
const FARMS: [(i32, &str); 3] = [
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefnj"),
];

/// Accounts, the first order id, and which farms are up.
pub(crate) fn all() -> Vec<Reply> {
    let farms = FARMS.iter().map(|(code, text)| notice(NO_REQUEST, *code, text));
    [accounts(), next_valid_id()].into_iter().chain(farms).collect()
}

fn accounts() -> Reply {
    Reply::ManagedAccounts(ManagedAccounts { accounts: Some(ACCOUNT.to_owned()) })
}

fn next_valid_id() -> Reply {
    Reply::NextValidId(NextValidId { order_id: Some(1) })
}

/// No positions, no orders, no values: only the ends of their lists.
pub(crate) fn account_answer(request: &Request) -> Vec<Reply> {
    let end = match request {
        Request::Ids => next_valid_id(),
        Request::ManagedAccounts => accounts(),
        Request::Positions => Reply::PositionsEnd(Empty {}),
        Request::OpenOrders | Request::AllOpenOrders => Reply::OpenOrdersEnd(Empty {}),
        Request::CompletedOrders(_) => Reply::CompletedOrdersEnd(Empty {}),
        Request::AccountData(asked) if asked.subscribe == Some(true) => {
            let account = asked.account.clone().filter(|account| !account.is_empty());
            Reply::AccountDataEnd(AccountDataEnd { account: account.or(Some(ACCOUNT.to_owned())) })
        }
        Request::AccountUpdatesMulti(asked) => Reply::AccountUpdatesMultiEnd(RequestId { id: asked.id }),
        Request::Executions(asked) => Reply::ExecutionsEnd(RequestId { id: asked.id }),
        _ => return Vec::new(),
    };
    vec![end]
}
