//! Message ids, and the protobuf messages behind them.
//!
//! Fields are optional where the protocol tells absent from zero. Numbers are those of the wire.

mod contract;
mod historical;
mod session;

pub(crate) use contract::*;
pub(crate) use historical::*;
pub(crate) use session::*;

/// Ids of messages to clients.
pub(crate) mod reply {
    pub(crate) const ERROR: u32 = 4;
    pub(crate) const NEXT_VALID_ID: u32 = 9;
    pub(crate) const CONTRACT_DATA: u32 = 10;
    pub(crate) const MANAGED_ACCOUNTS: u32 = 15;
    pub(crate) const HISTORICAL_DATA: u32 = 17;
    pub(crate) const CURRENT_TIME: u32 = 49;
    pub(crate) const CONTRACT_DATA_END: u32 = 52;
    pub(crate) const SYMBOL_SAMPLES: u32 = 79;
    pub(crate) const HEAD_TIMESTAMP: u32 = 88;
    pub(crate) const HISTORICAL_DATA_END: u32 = 108;
    pub(crate) const CURRENT_TIME_IN_MILLIS: u32 = 109;
}

/// Defines the requests this server knows: variant, id on the wire, name in the report.
macro_rules! requests {
    ($($variant:ident = $id:literal, $name:literal;)*) => {
        /// What a client can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Request { $($variant),* }

        impl Request {
            pub(crate) const NAMES: &[&str] = &[$($name),*];

            pub(crate) fn of_id(id: u32) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)* _ => None }
            }

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

requests! {
    Start = 71, "start_api";
    Ids = 8, "ids";
    ManagedAccounts = 17, "managed_accounts";
    CurrentTime = 49, "current_time";
    CurrentTimeInMillis = 105, "current_time_in_millis";
    ContractDetails = 9, "contract_details";
    CancelContractDetails = 106, "cancel_contract_details";
    MatchingSymbols = 81, "matching_symbols";
    HeadTimestamp = 87, "head_timestamp";
    CancelHeadTimestamp = 90, "cancel_head_timestamp";
    HistoricalData = 20, "historical_data";
    CancelHistoricalData = 25, "cancel_historical_data";
    LogLevel = 14, "log_level";
}

#[cfg(test)]
mod tests;
