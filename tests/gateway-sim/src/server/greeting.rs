//! What a client hears right after its start, and what it may ask about its account: which is empty.

use super::answer::{NO_REQUEST, notice};
use super::weather::{Farm, NO_SERVERS, Weather};
use crate::protocol::messages::{AccountDataEnd, Empty, ManagedAccounts, NextValidId, RequestId};
use crate::protocol::reply::Reply;
use crate::protocol::request::Request;

const ACCOUNT: &str = "DU1234567";

/// Accounts and the first order id.
pub(crate) fn introduction() -> [Reply; 2] {
    [accounts(), next_valid_id()]
}

/// Which farms are up.
pub(crate) fn farms(weather: &Weather) -> Vec<Reply> {
    if weather.upstream_is_down() {
        return vec![notice(NO_REQUEST, NO_SERVERS.0, NO_SERVERS.1)];
    }
    let told = |farm: Farm| {
        let (code, text) = farm.notice(weather.is_broken(farm));
        notice(NO_REQUEST, code, text)
    };
    Farm::ALL.map(told).into()
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
