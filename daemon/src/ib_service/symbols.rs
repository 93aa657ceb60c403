//! What a symbol is, and where its history begins.

use super::{
    IbService, answers,
    fields::{Fields, decoded, of_query},
};
use crate::{
    clock,
    error::{Reasoned, in_line},
    market_data::{Head, MarketDataError, Validated},
    model::Symbol,
    web::{Answer, Asked},
};
use ktrdr_proto::reason;

/// Why nothing is known: it does not exist, or nobody could be asked. The old service had the same words for both.
pub(super) enum Unknown {
    NoSuch(String),
    Trouble(String),
}

impl IbService {
    pub(super) async fn validate(&self, asked: &Asked) -> Answer {
        let read = || {
            let mut fields = Fields::of(asked)?;
            let (symbol, timeframes) = (fields.text("symbol"), fields.texts("timeframes"));
            fields.done().map(|()| (symbol, timeframes))
        };
        match read() {
            Ok((symbol, timeframes)) => self.told(&symbol, &timeframes).await,
            Err(refusal) => refusal,
        }
    }

    pub(super) async fn symbol_info(&self, symbol: &str) -> Answer {
        self.told(&decoded(symbol), &["1h".to_owned()]).await
    }

    async fn told(&self, symbol: &str, timeframes: &[String]) -> Answer {
        match self.look_up(symbol).await {
            Ok(known) => {
                let head = match known.head {
                    Head::At(at) => Some(at),
                    Head::NoHistory | Head::Unknown => None,
                };
                answers::symbol(symbol, &known, head, timeframes)
            }
            Err(Unknown::NoSuch(why)) => answers::no_symbol(true, &why),
            Err(Unknown::Trouble(why)) => answers::no_symbol(false, &why),
        }
    }

    pub(super) async fn head_timestamp(&self, asked: &Asked) -> Answer {
        let [symbol, _] = match of_query(&asked.query, ["symbol", "timeframe"]) {
            Ok(values) => values,
            Err(refusal) => return refusal,
        };
        match self.look_up(&symbol).await {
            Ok(Validated { head: Head::At(at), .. }) => answers::head(Some(at)),
            Ok(Validated { head: Head::NoHistory, .. }) | Err(Unknown::NoSuch(_)) => answers::head(None),
            Ok(Validated { head: Head::Unknown, .. }) => {
                answers::no_head("the gateway did not say where the history begins")
            }
            Err(Unknown::Trouble(why)) => answers::no_head(&why),
        }
    }

    async fn look_up(&self, symbol: &str) -> Result<Validated, Unknown> {
        let parsed = Symbol::read(symbol, clock::year()).map_err(|error| Unknown::NoSuch(error.to_string()))?;
        self.market_data.validate(parsed, None, None, false).await.map_err(|error| unknown(symbol, &error))
    }
}

fn unknown(symbol: &str, error: &MarketDataError) -> Unknown {
    if error.reason().name == reason::CONTRACT_NOT_FOUND.name {
        Unknown::NoSuch(format!("Symbol {symbol} not found"))
    } else {
        Unknown::Trouble(in_line(error))
    }
}
