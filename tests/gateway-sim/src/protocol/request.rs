//! What a client can ask for, whatever dialect it speaks.

use prost::{DecodeError, Message as _};

use super::messages::{
    AccountData, AccountUpdatesMulti, CompletedOrdersRequest, Contract, ContractDataRequest, HeadTimestampRequest,
    HistoricalDataRequest, MarketDataRequest, MarketDataTypeRequest, MarketRuleRequest, MatchingSymbolsRequest,
    RealTimeBarsRequest, RequestId, StartApi,
};

/// Defines the requests this server knows: variant and its message, id on the wire, name in the report.
macro_rules! requests {
    ($($variant:ident $(($message:ty))? = $id:literal, $name:literal;)*) => {
        /// A kind of request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kind { $($variant),* }

        impl Kind {
            pub(crate) const NAMES: &[&str] = &[$($name),*];

            pub(crate) fn of_id(id: u32) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)* _ => None }
            }

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }

        /// A request as a client means it.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Request { $($variant $(($message))?),* }

        impl Request {
            pub(crate) fn kind(&self) -> Kind {
                match self { $(Self::$variant { .. } => Kind::$variant),* }
            }

            pub(super) fn of_protobuf(kind: Kind, payload: &[u8]) -> Result<Self, DecodeError> {
                Ok(match kind { $(Kind::$variant => Self::$variant $((<$message>::decode(payload)?))?),* })
            }
        }
    };
}

requests! {
    Start(StartApi) = 71, "start_api";
    Ids = 8, "ids";
    ManagedAccounts = 17, "managed_accounts";
    CurrentTime = 49, "current_time";
    CurrentTimeInMillis = 105, "current_time_in_millis";
    ContractDetails(ContractDataRequest) = 9, "contract_details";
    CancelContractDetails(RequestId) = 106, "cancel_contract_details";
    MatchingSymbols(MatchingSymbolsRequest) = 81, "matching_symbols";
    HeadTimestamp(HeadTimestampRequest) = 87, "head_timestamp";
    CancelHeadTimestamp(RequestId) = 90, "cancel_head_timestamp";
    HistoricalData(HistoricalDataRequest) = 20, "historical_data";
    CancelHistoricalData(RequestId) = 25, "cancel_historical_data";
    RealTimeBars(RealTimeBarsRequest) = 50, "real_time_bars";
    CancelRealTimeBars(RequestId) = 51, "cancel_real_time_bars";
    MarketData(MarketDataRequest) = 1, "market_data";
    CancelMarketData(RequestId) = 2, "cancel_market_data";
    MarketDataType(MarketDataTypeRequest) = 59, "market_data_type";
    MarketRule(MarketRuleRequest) = 91, "market_rule";
    LogLevel = 14, "log_level";
    Positions = 61, "positions";
    CancelPositions = 64, "cancel_positions";
    OpenOrders = 5, "open_orders";
    AutoOpenOrders = 15, "auto_open_orders";
    AllOpenOrders = 16, "all_open_orders";
    CompletedOrders(CompletedOrdersRequest) = 99, "completed_orders";
    AccountData(AccountData) = 6, "account_data";
    AccountUpdatesMulti(AccountUpdatesMulti) = 76, "account_updates_multi";
    CancelAccountUpdatesMulti(RequestId) = 77, "cancel_account_updates_multi";
    Executions(RequestId) = 7, "executions";
}

impl Kind {
    /// Whether the servers behind the gateway answer it.
    pub(crate) fn needs_upstream(self) -> bool {
        matches!(
            self,
            Self::ContractDetails
                | Self::MatchingSymbols
                | Self::HeadTimestamp
                | Self::HistoricalData
                | Self::RealTimeBars
                | Self::MarketData
                | Self::MarketRule
        )
    }
}

impl Request {
    /// What it is about, if it is about a contract.
    pub(crate) fn contract(&self) -> Option<&Contract> {
        match self {
            Self::ContractDetails(request) => request.contract.as_ref(),
            Self::HeadTimestamp(request) => request.contract.as_ref(),
            Self::HistoricalData(request) => request.contract.as_ref(),
            Self::RealTimeBars(request) => request.contract.as_ref(),
            Self::MarketData(request) => request.contract.as_ref(),
            _ => None,
        }
    }

    /// The id the client gave it. A cancel has none of its own.
    pub(crate) fn id(&self) -> Option<i32> {
        match self {
            Self::ContractDetails(request) => request.id,
            Self::MatchingSymbols(request) => request.id,
            Self::HeadTimestamp(request) => request.id,
            Self::HistoricalData(request) => request.id,
            Self::RealTimeBars(request) => request.id,
            Self::MarketData(request) => request.id,
            Self::AccountUpdatesMulti(request) => request.id,
            Self::Executions(request) => request.id,
            _ => None,
        }
    }
}

/// One frame of a client, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Inbound {
    Request(Box<Request>),
    /// Not readable; of this kind, if as much could be seen.
    Garbled(Option<Kind>),
    /// A message id that this server does not know.
    Unknown(u32),
}

impl Inbound {
    /// What kind of request it is, or was meant to be.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Request(request) => Some(request.kind()),
            Self::Garbled(kind) => *kind,
            Self::Unknown(_) => None,
        }
    }
}
