//! The market without a gateway in front of it, for simulators of other services: the same contracts and the same bars.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::config::Config;
use crate::market::{Bar, BarQuery, BarSize, Contract, Market, Query, SecurityType, Span, Stamp, What, hours, pair};
use crate::simulator::{StartError, open};

const DAY: i64 = 86_400;
/// Bars of one question to the market; it knows a limit.
const PIECE: i64 = 100_000;
/// What is asked for beyond the range, where dates and instants do not quite meet.
const MARGIN: i64 = 45 * DAY;

/// A market and its clock. Equal settings make equal markets.
#[derive(Debug)]
pub struct Feed {
    market: Market,
    clock: Clock,
}

/// A contract as it is now.
#[derive(Clone, Debug)]
pub struct Listing {
    pub id: i32,
    pub symbol: String,
    /// `STK`, `CASH`, `FUT`, `CONTFUT`, `IND`.
    pub security_type: &'static str,
    /// Where it is routed.
    pub exchange: &'static str,
    /// Empty for all but stocks.
    pub primary: &'static str,
    pub currency: String,
    pub local_symbol: String,
    pub trading_class: String,
    pub long_name: String,
    pub zone_name: &'static str,
    /// A week of sessions in the gateway's spelling.
    pub trading_hours: String,
    /// Of these, the regular hours.
    pub liquid_hours: String,
    /// Start of the earliest data, epoch seconds.
    pub head: Option<i64>,
    contract: Arc<Contract>,
}

/// One bar, of all hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedBar {
    /// Epoch seconds; of a day and longer, midnight UTC of the exchange's date.
    pub start: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// −1 where there is no such figure, as the gateway writes it.
    pub volume: f64,
}

impl Feed {
    /// The market a simulator with these settings serves.
    pub fn open(config: &Config) -> Result<Self, StartError> {
        open(config).map(|(clock, market)| Self { market, clock })
    }

    /// The market's present, epoch seconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// How long a simulated pause takes.
    pub fn real(&self, simulated: std::time::Duration) -> std::time::Duration {
        self.clock.real(simulated)
    }

    /// The contract of a symbol: `EURUSD` is a currency pair unless a type is said, others are stocks in dollars.
    /// Of several futures, the next to expire.
    pub fn find(&self, symbol: &str, security_type: Option<&str>) -> Option<Listing> {
        let pair = pair(symbol);
        let kind = security_type.unwrap_or(if pair.is_some() { "CASH" } else { "STK" });
        let mut query = Query { symbol: symbol.to_owned(), security_type: kind.to_owned(), ..Query::default() };
        match (kind, pair) {
            ("CASH", Some((base, quote))) => (query.symbol, query.currency) = (base, quote),
            ("STK", _) => "USD".clone_into(&mut query.currency),
            _ => {}
        }
        let now = self.now();
        let found = self.market.find(&query, now).into_iter().next()?;
        Some(Listing::new(found, now))
    }

    /// Bars that start in `[from, to)`, epoch seconds, ascending: trades, and midpoints of currency pairs.
    /// `None` if there is no such timeframe (`1m`, `1h`, `1d`, `1mo`, …).
    pub fn bars(&self, listing: &Listing, timeframe: &str, from: i64, to: i64) -> Option<Vec<FeedBar>> {
        let size = BarSize::of_file_name(timeframe)?;
        let now = self.now();
        let contract = &listing.contract;
        let (from, to) = (from.max(listing.head.unwrap_or(now) - MARGIN), to.min(now + MARGIN));
        let what = if contract.kind == SecurityType::Cash { What::Midpoint } else { What::Trades };
        let query = |span, end| BarQuery { contract: Arc::clone(contract), size, span, what, regular: false, end, now };
        let mut bars: Vec<FeedBar> = Vec::new();
        let mut add = |query: &BarQuery, from, to| {
            let found = self.market.bars(query).into_iter().map(|bar| told(&bar));
            bars.extend(found.filter(|bar| (from..to).contains(&bar.start)));
        };
        if size.is_intraday() {
            let mut at = from;
            while at < to {
                let end = to.min(at + PIECE * size.seconds());
                // So many seconds of trading never take less time than that; a session's first and last bar may be short.
                let seconds = end - at + ((end - at) / DAY + 2) * 2 * size.seconds();
                add(&query(Span::Seconds(seconds), end), at, end);
                at = end;
            }
        } else if from < to {
            let weeks = (to - from + 2 * MARGIN) / (7 * DAY) + 1;
            add(&query(Span::Weeks(weeks), to + DAY), from, to);
        }
        Some(bars)
    }
}

impl Listing {
    fn new(contract: Arc<Contract>, now: i64) -> Self {
        Self {
            id: contract.id,
            symbol: contract.symbol.clone(),
            security_type: contract.kind.code(),
            exchange: contract.exchange,
            primary: contract.primary,
            currency: contract.currency.clone(),
            local_symbol: contract.local_symbol.clone(),
            trading_class: contract.trading_class.clone(),
            long_name: contract.long_name.clone(),
            zone_name: contract.schedule.zone_name,
            trading_hours: hours(&contract.schedule, now, false),
            liquid_hours: hours(&contract.schedule, now, true),
            head: contract.head(),
            contract,
        }
    }
}

fn told(bar: &Bar) -> FeedBar {
    let Bar { open, high, low, close, volume, .. } = *bar;
    let start = match bar.stamp {
        Stamp::Second(second) => second,
        Stamp::Day(date) => {
            TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight())).map_or(0, Timestamp::as_second)
        }
    };
    FeedBar { start, open, high, low, close, volume: volume.unwrap_or(-1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Knobs;

    fn feed() -> Feed {
        let knobs = Knobs { now: Some("2025-06-07T12:00:00Z".parse().unwrap()), ..Knobs::default() };
        Feed::open(&Config { knobs, ..Config::default() }).unwrap()
    }

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    /// What a client of the gateway gets for the same range.
    fn asked(feed: &Feed, listing: &Listing, size: &str, span: &str, to: &str) -> Vec<FeedBar> {
        let what = if listing.security_type == "CASH" { What::Midpoint } else { What::Trades };
        let bars = feed.market.bars(&BarQuery {
            contract: Arc::clone(&listing.contract),
            size: BarSize::of_request(size).unwrap(),
            span: Span::of_request(span).unwrap(),
            what,
            regular: false,
            end: second(to),
            now: feed.now(),
        });
        bars.iter().map(told).collect()
    }

    #[test]
    fn bars_are_those_of_the_gateway() {
        let feed = feed();
        for (symbol, timeframe, size, span, from, to) in [
            ("AAPL", "1h", "1 hour", "1 M", "2025-04-01T04:00:00Z", "2025-05-01T04:00:00Z"),
            ("AAPL", "1m", "1 min", "1 W", "2025-06-01T04:00:00Z", "2025-06-08T04:00:00Z"),
            ("AAPL", "5s", "5 secs", "1 W", "2025-06-01T04:00:00Z", "2025-06-08T04:00:00Z"),
            ("EURUSD", "4h", "4 hours", "1 M", "2025-04-01T04:00:00Z", "2025-05-01T04:00:00Z"),
            ("EURUSD", "1d", "1 day", "1 Y", "2024-05-01T00:00:00Z", "2025-05-01T00:00:00Z"),
            ("AAPL", "1w", "1 week", "1 Y", "2024-05-01T00:00:00Z", "2025-05-01T00:00:00Z"),
            ("AAPL", "1mo", "1 month", "20 Y", "2005-05-01T00:00:00Z", "2025-05-01T00:00:00Z"),
        ] {
            let listing = feed.find(symbol, None).unwrap();
            let bars = feed.bars(&listing, timeframe, second(from), second(to)).unwrap();
            assert!(bars.len() > 20, "{symbol} {timeframe}: {}", bars.len());
            assert_eq!(bars, asked(&feed, &listing, size, span, to), "{symbol} {timeframe}");
        }
    }

    #[test]
    fn ranges_without_bounds_are_all_there_is() {
        let feed = feed();
        let apple = feed.find("AAPL", None).unwrap();
        let days = feed.bars(&apple, "1d", i64::MIN, i64::MAX).unwrap();
        assert_eq!((days.first().unwrap().start, days.last().unwrap().start), (1_074_816_000, 1_749_168_000));
        // Longer than one question may be: whole, ascending, none twice.
        let year = second("2025-01-01T00:00:00Z");
        let minutes = feed.bars(&apple, "1m", year, i64::MAX).unwrap();
        assert!(minutes.len() > 100_000 && minutes.is_sorted_by(|one, other| one.start < other.start));
        assert_eq!(feed.bars(&apple, "1h", 2_000_000_000, 1_000_000_000), Some(Vec::new()));
        assert_eq!(feed.bars(&apple, "17q", 0, 1), None);
    }

    #[test]
    fn symbols_name_contracts() {
        let feed = feed();
        let found = |symbol, kind| feed.find(symbol, kind).map(|found| (found.security_type, found.id));
        assert_eq!(found("EURUSD", None), Some(("CASH", 12_087_792)));
        assert_eq!(found("EURUSD", Some("STK")), None);
        assert_eq!(found("MSFT", None), Some(("STK", 272_093)));
        assert_eq!(feed.find("ES", Some("FUT")).unwrap().local_symbol, "ESM5");
        assert!(found("ES", None).is_none() && found("NOPE", Some("STK")).is_none());
    }
}
