//! The built-in contracts.

use jiff::civil::time;

use super::contract::{Contract, Prices, SecurityType};
use super::generate::Tape;
use super::schedule::Schedule;

/// 2004-01-23 09:30 New York.
const STOCK_HEAD: i64 = 1_074_868_200;
/// 2005-03-09 17:15 New York.
const FOREX_HEAD: i64 = 1_110_406_500;

/// Symbol, id, primary exchange, name, type, price level.
const US_STOCKS: [(&str, i32, &str, &str, &str, f64); 10] = [
    ("AAPL", 265_598, "NASDAQ", "APPLE INC", "COMMON", 180.0),
    ("MSFT", 272_093, "NASDAQ", "MICROSOFT CORP", "COMMON", 390.0),
    ("BRK B", 72_063_691, "NYSE", "BERKSHIRE HATHAWAY INC-CL B", "COMMON", 420.0),
    ("NVDA", 4_815_747, "NASDAQ", "NVIDIA CORP", "COMMON", 130.0),
    ("GOOGL", 208_813_719, "NASDAQ", "ALPHABET INC-CL A", "COMMON", 165.0),
    ("SPY", 756_733, "ARCA", "SS SPDR S&P 500 ETF TRUST-US", "ETF", 540.0),
    ("QQQ", 320_227_571, "NASDAQ", "INVESCO QQQ TRUST SERIES 1", "ETF", 460.0),
    ("TSLA", 76_792_991, "NASDAQ", "TESLA INC", "COMMON", 250.0),
    ("AMZN", 3_691_937, "NASDAQ", "AMAZON.COM INC", "COMMON", 185.0),
    ("META", 107_113_386, "NASDAQ", "META PLATFORMS INC-CLASS A", "COMMON", 500.0),
];

/// Symbol, id, primary exchange, currency, zone, price level: listings abroad that make a symbol ambiguous.
/// Of MSFT one is in dollars too, but not in the United States; of VOD none is.
const LISTINGS_ABROAD: [(&str, i32, &str, &str, &str, f64); 5] = [
    ("MSFT", 40_004_291, "BVL", "USD", "America/Lima", 390.0),
    ("MSFT", 38_708_993, "IBIS", "EUR", "Europe/Berlin", 360.0),
    ("MSFT", 38_709_473, "MEXI", "MXN", "America/Mexico_City", 7100.0),
    ("VOD", 147_386_106, "LSE", "GBP", "GB-Eire", 72.0),
    ("VOD", 147_386_205, "IBIS", "EUR", "Europe/Berlin", 85.0),
];

/// Name, id, level, decimals, smallest step.
const PAIRS: [(&str, i32, f64, u32, &str); 3] = [
    ("EUR.USD", 12_087_792, 1.12, 5, "0.00005"),
    ("USD.JPY", 15_016_059, 145.0, 3, "0.005"),
    ("GBP.USD", 12_087_797, 1.28, 5, "0.00005"),
];

pub(crate) fn contracts() -> Vec<Contract> {
    let stocks = US_STOCKS.iter().map(|(symbol, id, primary, name, stock_type, level)| {
        let tape = Tape { name: symbol, level: *level, digits: 2, swing: 0.4, head: STOCK_HEAD };
        let stock = stock(symbol, *id, primary, "USD", Schedule::us_stock(), Prices::Generated(tape));
        Contract { long_name: (*name).to_owned(), stock_type, ..stock }
    });
    let abroad = LISTINGS_ABROAD.iter().map(|(symbol, id, primary, currency, zone, level)| {
        let tape = Tape { name: primary, level: *level, digits: 2, swing: 0.4, head: STOCK_HEAD };
        let schedule = Schedule::weekdays(zone, time(8, 0, 0, 0), time(16, 30, 0, 0));
        stock(symbol, *id, primary, currency, schedule, Prices::Generated(tape))
    });
    let pairs = PAIRS.iter().map(|(name, id, level, digits, min_tick)| {
        let (base, quote) = name.split_once('.').unwrap_or((name, ""));
        let tape = Tape { name, level: *level, digits: *digits, swing: 0.08, head: FOREX_HEAD };
        Contract { min_tick, ..pair(base, quote, *id, Prices::Generated(tape)) }
    });
    stocks.chain(abroad).chain(pairs).collect()
}

/// A stock routed by SMART, named after its symbol.
pub(crate) fn stock(
    symbol: &str,
    id: i32,
    primary: &'static str,
    currency: &str,
    schedule: Schedule,
    prices: Prices,
) -> Contract {
    Contract {
        id,
        symbol: symbol.to_owned(),
        kind: SecurityType::Stock,
        exchange: "SMART",
        primary,
        currency: currency.to_owned(),
        local_symbol: symbol.to_owned(),
        trading_class: if primary == "NASDAQ" { "NMS".to_owned() } else { symbol.to_owned() },
        long_name: format!("{symbol} {primary}"),
        stock_type: "COMMON",
        min_tick: "0.01",
        schedule,
        prices,
    }
}

pub(crate) fn pair(base: &str, quote: &str, id: i32, prices: Prices) -> Contract {
    Contract {
        id,
        symbol: base.to_owned(),
        kind: SecurityType::Cash,
        exchange: "IDEALPRO",
        primary: "",
        currency: quote.to_owned(),
        local_symbol: format!("{base}.{quote}"),
        trading_class: format!("{base}.{quote}"),
        long_name: format!("{base}.{quote} currency pair"),
        stock_type: "",
        min_tick: "0.00005",
        schedule: Schedule::forex(),
        prices,
    }
}
