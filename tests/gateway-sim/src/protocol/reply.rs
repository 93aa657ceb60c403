//! What the server says, whatever dialect the client speaks. One reply is one frame.

use prost::Message as _;

use super::messages::{
    AccountDataEnd, ContractData, CurrentTime, Empty, ErrorMessage, HeadTimestamp, HistoricalBars, HistoricalDataEnd,
    HistoricalDataUpdate, HistoricalSchedule, ManagedAccounts, MarketDataType, MarketRule, NextValidId,
    RealTimeBarTick, RequestId, SymbolSamples,
};

/// Defines the replies: variant and its message, id on the wire.
macro_rules! replies {
    ($($variant:ident($message:ty) = $id:literal;)*) => {
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Reply { $($variant($message)),* }

        impl Reply {
            /// The message's id on the wire, before anything is added to it.
            pub(crate) fn wire_id(&self) -> u32 {
                match self { $(Self::$variant(_) => $id),* }
            }

            pub(super) fn to_protobuf(&self) -> Vec<u8> {
                match self { $(Self::$variant(message) => message.encode_to_vec()),* }
            }
        }
    };
}

replies! {
    Error(ErrorMessage) = 4;
    NextValidId(NextValidId) = 9;
    ContractData(Box<ContractData>) = 10;
    ManagedAccounts(ManagedAccounts) = 15;
    HistoricalData(HistoricalBars) = 17;
    CurrentTime(CurrentTime) = 49;
    RealTimeBar(RealTimeBarTick) = 50;
    ContractDataEnd(RequestId) = 52;
    OpenOrdersEnd(Empty) = 53;
    AccountDataEnd(AccountDataEnd) = 54;
    ExecutionsEnd(RequestId) = 55;
    SnapshotEnd(RequestId) = 57;
    MarketDataType(MarketDataType) = 58;
    PositionsEnd(Empty) = 62;
    AccountUpdatesMultiEnd(RequestId) = 74;
    SymbolSamples(SymbolSamples) = 79;
    HeadTimestamp(HeadTimestamp) = 88;
    HistoricalDataUpdate(HistoricalDataUpdate) = 90;
    MarketRule(MarketRule) = 93;
    CompletedOrdersEnd(Empty) = 102;
    HistoricalSchedule(HistoricalSchedule) = 106;
    HistoricalDataEnd(HistoricalDataEnd) = 108;
    CurrentTimeInMillis(CurrentTime) = 109;
}
