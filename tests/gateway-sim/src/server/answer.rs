//! Replies that more than one kind of request is answered with.

use jiff::Timestamp;

use crate::market::{Contract, Query};
use crate::protocol::dates;
use crate::protocol::messages::{self, ErrorMessage};
use crate::protocol::reply::Reply;

/// An error's id when it belongs to no request.
pub(crate) const NO_REQUEST: i32 = -1;

/// Why a request is not answered with data: the gateway's code and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn no_definition() -> Self {
        Self { code: 200, text: "No security definition has been found for the request".to_owned() }
    }

    pub(crate) fn ambiguous(symbol: &str) -> Self {
        Self { code: 200, text: format!("The contract description specified for {symbol} is ambiguous.") }
    }

    /// A request that cannot be carried out as it is written. `kind` is the gateway's short name of it.
    pub(crate) fn invalid(kind: &str, cause: &str) -> Self {
        Self { code: 321, text: format!("Error validating request.-'{kind}' : cause - {cause}") }
    }

    pub(crate) fn history(text: &str) -> Self {
        Self { code: 162, text: format!("Historical Market Data Service error message:{text}") }
    }

    pub(crate) fn end_of_continuous() -> Self {
        let text = "Setting end date/time for continuous future security type is not allowed.".to_owned();
        Self { code: 10339, text }
    }

    pub(crate) fn unreadable() -> Self {
        Self { code: 320, text: "Error reading request. The message could not be parsed.".to_owned() }
    }

    pub(crate) fn paced() -> Self {
        Self::history("Historical data request pacing violation")
    }

    pub(crate) fn too_fast() -> Self {
        Self { code: 100, text: "Max rate of messages per second has been exceeded:max=50 rec=51 (1)".to_owned() }
    }

    pub(crate) fn duplicate(id: i32) -> Self {
        Self {
            code: 322,
            text: format!(
                "Error processing request.-'bQ' : cause - Duplicate ticker ID for API historical data query: {id}"
            ),
        }
    }

    pub(crate) fn duplicate_stream() -> Self {
        Self { code: 102, text: "Duplicate ticker ID.".to_owned() }
    }

    pub(crate) fn internal() -> Self {
        Self { code: 322, text: "Error processing request.-'bQ' : cause - internal".to_owned() }
    }

    pub(crate) fn no_such_stream(id: i32) -> Self {
        Self { code: 300, text: format!("Can't find EId with tickerId:{id}") }
    }

    pub(crate) fn nothing_to_cancel(id: i32) -> Self {
        Self { code: 366, text: format!("No historical data query found for ticker id:{id}") }
    }

    /// More bars than an answer can carry.
    pub(crate) fn too_long() -> Self {
        Self::history("Time length exceed max.")
    }

    pub(crate) fn reply(&self, id: i32) -> Reply {
        notice(id, self.code, &self.text)
    }
}

/// An error; the protocol uses it for all that is not data, good news too.
pub(crate) fn notice(id: i32, code: i32, text: &str) -> Reply {
    let time = Timestamp::now().as_millisecond();
    Reply::Error(ErrorMessage { id: Some(id), time: Some(time), code: Some(code), text: Some(text.to_owned()) })
}

pub(crate) fn wall_second() -> i64 {
    Timestamp::now().as_second()
}

/// A client's description of a contract. Names are compared in upper case.
pub(crate) fn query(contract: Option<&messages::Contract>) -> Query {
    let Some(contract) = contract else {
        return Query::default();
    };
    let upper = |text: &Option<String>| text.as_deref().unwrap_or_default().to_uppercase();
    Query {
        id: contract.con_id.unwrap_or(0),
        symbol: upper(&contract.symbol),
        security_type: upper(&contract.sec_type),
        exchange: upper(&contract.exchange),
        primary: upper(&contract.primary_exch),
        currency: upper(&contract.currency),
        local_symbol: upper(&contract.local_symbol),
        month: upper(&contract.last_trade_date_or_month),
        include_expired: contract.include_expired.unwrap_or(false),
    }
}

pub(crate) fn described(contract: &Contract) -> messages::Contract {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    messages::Contract {
        con_id: Some(contract.id),
        symbol: said(&contract.symbol),
        sec_type: said(contract.kind.code()),
        exchange: said(contract.exchange),
        primary_exch: said(contract.primary),
        currency: said(&contract.currency),
        local_symbol: said(&contract.local_symbol),
        trading_class: said(&contract.trading_class),
        last_trade_date_or_month: contract.last_day.map(dates::day),
        multiplier: contract.multiplier,
        ..messages::Contract::default()
    }
}
