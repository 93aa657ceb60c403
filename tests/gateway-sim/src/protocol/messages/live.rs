//! Messages about prices as they come.

use prost::Message;

use super::{Contract, HistoricalBar};

/// One more state of the running bar, or the first of the next.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalDataUpdate {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) bar: Option<HistoricalBar>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RealTimeBarsRequest {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) contract: Option<Contract>,
    /// Ignored: there are bars of five seconds only.
    #[prost(int32, optional, tag = "3")]
    pub(crate) bar_size: Option<i32>,
    #[prost(string, optional, tag = "4")]
    pub(crate) what_to_show: Option<String>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) regular_hours: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RealTimeBarTick {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    /// Start of the bar, epoch seconds.
    #[prost(int64, optional, tag = "2")]
    pub(crate) time: Option<i64>,
    #[prost(double, optional, tag = "3")]
    pub(crate) open: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub(crate) high: Option<f64>,
    #[prost(double, optional, tag = "5")]
    pub(crate) low: Option<f64>,
    #[prost(double, optional, tag = "6")]
    pub(crate) close: Option<f64>,
    #[prost(string, optional, tag = "7")]
    pub(crate) volume: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(crate) average: Option<String>,
    #[prost(int32, optional, tag = "9")]
    pub(crate) count: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MarketDataRequest {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) contract: Option<Contract>,
    #[prost(bool, optional, tag = "4")]
    pub(crate) snapshot: Option<bool>,
}

/// 1 live, 2 frozen, 3 delayed, 4 delayed and frozen.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MarketDataTypeRequest {
    #[prost(int32, optional, tag = "1")]
    pub(crate) data_type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MarketDataType {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) data_type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MarketRuleRequest {
    #[prost(int32, optional, tag = "1")]
    pub(crate) rule: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MarketRule {
    #[prost(int32, optional, tag = "1")]
    pub(crate) rule: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) increments: Vec<PriceIncrement>,
}

/// The step of prices from an edge on.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PriceIncrement {
    #[prost(double, optional, tag = "1")]
    pub(crate) low_edge: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) increment: Option<f64>,
}
