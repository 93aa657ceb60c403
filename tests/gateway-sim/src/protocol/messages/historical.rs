//! Messages about past prices.

use prost::Message;

use super::Contract;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalDataRequest {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) contract: Option<Contract>,
    #[prost(string, optional, tag = "3")]
    pub(crate) end: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) bar_size: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) duration: Option<String>,
    #[prost(bool, optional, tag = "6")]
    pub(crate) regular_hours: Option<bool>,
    #[prost(string, optional, tag = "7")]
    pub(crate) what_to_show: Option<String>,
    #[prost(int32, optional, tag = "8")]
    pub(crate) format_date: Option<i32>,
    #[prost(bool, optional, tag = "9")]
    pub(crate) keep_up_to_date: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalData {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) bars: Vec<HistoricalBar>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalBar {
    #[prost(string, optional, tag = "1")]
    pub(crate) date: Option<String>,
    #[prost(double, optional, tag = "2")]
    pub(crate) open: Option<f64>,
    #[prost(double, optional, tag = "3")]
    pub(crate) high: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub(crate) low: Option<f64>,
    #[prost(double, optional, tag = "5")]
    pub(crate) close: Option<f64>,
    #[prost(string, optional, tag = "6")]
    pub(crate) volume: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(crate) average: Option<String>,
    #[prost(int32, optional, tag = "8")]
    pub(crate) count: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalDataEnd {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) start: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) end: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HeadTimestampRequest {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) contract: Option<Contract>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) regular_hours: Option<bool>,
    #[prost(string, optional, tag = "4")]
    pub(crate) what_to_show: Option<String>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) format_date: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HeadTimestamp {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) timestamp: Option<String>,
}

/// An answer's bars with the window they are of. Protobuf tells the window in the end alone, older text here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoricalBars {
    pub(crate) data: HistoricalData,
    pub(crate) start: String,
    pub(crate) end: String,
}

impl HistoricalBars {
    pub(crate) fn encode_to_vec(&self) -> Vec<u8> {
        self.data.encode_to_vec()
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalSchedule {
    #[prost(int32, optional, tag = "1")]
    pub(crate) id: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) start: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) end: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) zone: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) sessions: Vec<HistoricalSession>,
}

/// Wall clock of the exchange.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoricalSession {
    #[prost(string, optional, tag = "1")]
    pub(crate) start: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) end: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) date: Option<String>,
}
