//! The built-in contracts.

use jiff::civil::{Date, date, time};

use super::contract::{Contract, Prices, SecurityType};
use super::generate::Tape;
use super::schedule::Schedule;
use super::zone::plus_days;

/// 2004-01-23 09:30 New York.
const STOCK_HEAD: i64 = 1_074_868_200;
/// 2005-03-09 17:15 New York.
const FOREX_HEAD: i64 = 1_110_406_500;

/// Symbol, id, primary exchange, name, type, price level.
const US_STOCKS: [(&str, i32, &str, &str, &str, f64); 11] = [
    ("AAPL", 265_598, "NASDAQ", "APPLE INC", "COMMON", 180.0),
    ("MSFT", 272_093, "NASDAQ", "MICROSOFT CORP", "COMMON", 390.0),
    ("BRK B", 72_063_691, "NYSE", "BERKSHIRE HATHAWAY INC-CL B", "COMMON", 420.0),
    ("NVDA", 4_815_747, "NASDAQ", "NVIDIA CORP", "COMMON", 130.0),
    ("GOOGL", 208_813_719, "NASDAQ", "ALPHABET INC-CL A", "COMMON", 165.0),
    ("SPY", 756_733, "ARCA", "SS SPDR S&P 500 ETF TRUST-US", "ETF", 540.0),
    ("QQQ", 320_227_571, "NASDAQ", "INVESCO QQQ TRUST SERIES 1", "ETF", 460.0),
    ("TSLA", 76_792_991, "NASDAQ", "TESLA INC", "COMMON", 250.0),
    ("AMZN", 3_691_937, "NASDAQ", "AMAZON.COM INC", "COMMON", 185.0),
    ("SIRI", 100_000_101, "NASDAQ", "SIRIUS XM HOLDINGS INC", "COMMON", 20.0),
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

/// Symbol, root of the id, exchange, name, multiplier, step, level.
const FUTURES: [(&str, i32, &str, &str, f64, &str, f64); 3] = [
    ("ES", 600_000_000, "CME", "E-mini S&P 500", 50.0, "0.25", 5900.0),
    ("NQ", 610_000_000, "CME", "E-mini NASDAQ 100", 20.0, "0.25", 21_000.0),
    ("ZW", 620_000_000, "CBOT", "Wheat Futures", 5000.0, "0.25", 550.0),
];

/// Symbol, id, exchange, currency, name, level.
const INDICES: [(&str, i32, &str, &str, &str, f64); 4] = [
    ("SPX", 416_904, "CBOE", "USD", "S&P 500 Stock Index", 5900.0),
    ("VIX", 13_455_763, "CBOE", "USD", "CBOE Volatility Index", 16.0),
    ("DAX", 825_711, "EUREX", "EUR", "DAX 40 Index", 21_000.0),
    ("Q1X", 100_000_301, "QEX", "EUR", "An index whose zone is in nobody's list", 1000.0),
];

/// Futures that expired, run and come.
const EXPIRIES: i32 = 4;

/// What there is at an instant, epoch seconds.
pub(crate) fn contracts(now: i64) -> Vec<Contract> {
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
    let derived = FUTURES.iter().flat_map(|row| futures(row, now));
    stocks.chain(abroad).chain([young(now)]).chain(pairs).chain(derived).chain(indices()).collect()
}

/// A stock that has traded for a month, in steps of a hundredth of a cent.
fn young(now: i64) -> Contract {
    let tape = Tape { name: "NEWCO", level: 3.0, digits: 4, swing: 0.4, head: now - 30 * 86_400 };
    let stock = stock("NEWCO", 100_000_102, "NYSE", "USD", Schedule::us_stock(), Prices::Generated(tape));
    Contract { min_tick: "0.0001", ..stock }
}

/// The last quarter's, three more, and all joined.
fn futures(row: &(&'static str, i32, &'static str, &str, f64, &'static str, f64), now: i64) -> Vec<Contract> {
    let (symbol, root, exchange, name, multiplier, min_tick, level) = *row;
    let schedule = Schedule::globex();
    let today = schedule.local_date(now);
    let quarter = i32::from(today.year()) * 4 + i32::from((today.month() - 1) / 3);
    // Of a quarter whose day has passed, the next one is the first that runs.
    let first = if expiry(quarter) < today { quarter } else { quarter - 1 };
    let tape = |head| Tape { name: symbol, level, digits: 2, swing: 0.3, head };
    let future = |id, kind, day: Option<Date>, local: String, head| Contract {
        id,
        symbol: symbol.to_owned(),
        kind,
        exchange,
        primary: "",
        currency: "USD".to_owned(),
        local_symbol: local,
        trading_class: symbol.to_owned(),
        long_name: name.to_owned(),
        stock_type: "",
        min_tick,
        last_day: day,
        multiplier: Some(multiplier),
        magnifier: 1,
        schedule: schedule.clone(),
        prices: Prices::Generated(tape(head)),
    };
    let months = (first..first + EXPIRIES).map(|quarter| {
        let day = expiry(quarter);
        let month = i32::from(day.year()) * 100 + i32::from(day.month());
        let letter = ["H", "M", "U", "Z"][usize::try_from(quarter.rem_euclid(4)).unwrap_or(0)];
        let local = format!("{symbol}{letter}{}", day.year() % 10);
        // Listed two years before its end.
        let head = super::zone::midnight(&schedule.zone, plus_days(day, -730));
        future(root + month, SecurityType::Future, Some(day), local, head)
    });
    let joined = future(root + 1, SecurityType::Continuous, None, symbol.to_owned(), STOCK_HEAD);
    months.chain([joined]).collect()
}

/// The third Friday of a quarter's last month; quarters count from year 0.
fn expiry(quarter: i32) -> Date {
    let year = i16::try_from(quarter.div_euclid(4)).unwrap_or(2000);
    let month = i8::try_from(quarter.rem_euclid(4) * 3 + 3).unwrap_or(3);
    let first = date(year, month, 1);
    let to_friday = (5 - i64::from(first.weekday().to_monday_one_offset())).rem_euclid(7);
    plus_days(first, to_friday + 14)
}

fn indices() -> impl Iterator<Item = Contract> {
    INDICES.iter().map(|(symbol, id, exchange, currency, name, level)| {
        let (zone, open, close) = match *exchange {
            "CBOE" => ("US/Central", time(8, 30, 0, 0), time(15, 0, 0, 0)),
            "EUREX" => ("MET", time(9, 0, 0, 0), time(17, 30, 0, 0)),
            _ => ("Mitteleuropa Standard", time(9, 0, 0, 0), time(17, 0, 0, 0)),
        };
        let tape = Tape { name, level: *level, digits: 2, swing: 0.3, head: STOCK_HEAD };
        let schedule = Schedule::weekdays(zone, open, close);
        Contract {
            kind: SecurityType::Index,
            exchange,
            trading_class: (*symbol).to_owned(),
            long_name: (*name).to_owned(),
            stock_type: "",
            ..stock(symbol, *id, "", currency, schedule, Prices::Generated(tape))
        }
    })
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
        last_day: None,
        multiplier: None,
        magnifier: if currency == "GBP" { 100 } else { 1 },
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
        last_day: None,
        multiplier: None,
        magnifier: 1,
        schedule: Schedule::forex(),
        prices,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28.
    const NOW: i64 = 1_795_824_000;

    #[test]
    fn one_future_has_expired_and_three_run() {
        let all = contracts(NOW);
        let of = |kind| all.iter().filter(move |contract| contract.symbol == "ES" && contract.kind == kind);
        let days: Vec<_> =
            of(SecurityType::Future).filter_map(|future| future.last_day).map(|day| day.to_string()).collect();
        assert_eq!(days, ["2026-09-18", "2026-12-18", "2027-03-19", "2027-06-18"]);
        let expired: Vec<_> = of(SecurityType::Future).map(|future| future.has_expired(NOW)).collect();
        assert_eq!(expired, [true, false, false, false]);
        assert_eq!(of(SecurityType::Future).nth(1).unwrap().local_symbol, "ESZ6");
        assert_eq!(of(SecurityType::Continuous).count(), 1);
    }

    #[test]
    fn no_two_contracts_share_an_id() {
        let all = contracts(NOW);
        let ids: std::collections::HashSet<_> = all.iter().map(|contract| contract.id).collect();
        assert_eq!(ids.len(), all.len());
    }
}
