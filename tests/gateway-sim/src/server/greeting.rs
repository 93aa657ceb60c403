//! What a client hears right after its start, and may ask for again.

use super::answer::{NO_REQUEST, notice};
use crate::protocol::frame;
use crate::protocol::messages::{ManagedAccounts, NextValidId, reply};

const ACCOUNT: &str = "DU1234567";
/// Sent right after the start.
const FARMS: [(i32, &str); 3] = [
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefnj"),
];

/// Accounts, the first order id, and which farms are up.
pub(crate) fn all() -> Vec<u8> {
    let farms = FARMS.iter().flat_map(|(code, text)| notice(NO_REQUEST, *code, text));
    accounts().into_iter().chain(next_valid_id()).chain(farms).collect()
}

pub(crate) fn accounts() -> Vec<u8> {
    frame::encode(reply::MANAGED_ACCOUNTS, &ManagedAccounts { accounts: Some(ACCOUNT.to_owned()) })
}

pub(crate) fn next_valid_id() -> Vec<u8> {
    frame::encode(reply::NEXT_VALID_ID, &NextValidId { order_id: Some(1) })
}
