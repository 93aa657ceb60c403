//! Which calendar a name or a symbol means.

use std::sync::OnceLock;

use jiff::{civil::date, tz::TimeZone};

use super::{Calendar, Rule, forex, table};
use crate::{
    gateway::Contract,
    market_data::MarketDataError,
    model::{Instrument, Symbol},
};

/// Currency pairs.
pub(super) const FOREX: &str = "FOREX";
/// Markets that never close.
pub(super) const ALWAYS: &str = "ALWAYS";

/// Codes with their tables and other names: those of people, and those that IB has for the exchanges of a contract.
const TABLES: [(&str, &str, &[&str]); 20] = [
    (
        "XNYS",
        include_str!("tables/XNYS.txt"),
        &["NYSE", "NASDAQ", "ARCA", "AMEX", "BATS", "IEX", "ISLAND", "PINK", "CBOE"],
    ),
    ("CMES", include_str!("tables/CMES.txt"), &["CME", "CBOT", "NYMEX", "COMEX", "GLOBEX", "ECBOT"]),
    ("XTSE", include_str!("tables/XTSE.txt"), &["TSX", "TSE", "VENTURE"]),
    ("XLON", include_str!("tables/XLON.txt"), &["LSE", "LSEETF"]),
    ("XETR", include_str!("tables/XETR.txt"), &["XETRA", "IBIS", "IBIS2"]),
    ("XPAR", include_str!("tables/XPAR.txt"), &["SBF"]),
    ("XAMS", include_str!("tables/XAMS.txt"), &["AEB"]),
    ("XMIL", include_str!("tables/XMIL.txt"), &["BVME"]),
    ("XMAD", include_str!("tables/XMAD.txt"), &["BM"]),
    ("XSWX", include_str!("tables/XSWX.txt"), &["SIX", "EBS", "VIRTX"]),
    ("XSTO", include_str!("tables/XSTO.txt"), &["SFB"]),
    ("XCSE", include_str!("tables/XCSE.txt"), &["CPH"]),
    ("XHEL", include_str!("tables/XHEL.txt"), &["HEX"]),
    ("XOSL", include_str!("tables/XOSL.txt"), &["OSE"]),
    ("XTKS", include_str!("tables/XTKS.txt"), &["JPX", "TSEJ"]),
    ("XHKG", include_str!("tables/XHKG.txt"), &["HKEX", "SEHK"]),
    ("XASX", include_str!("tables/XASX.txt"), &["ASX"]),
    ("XSES", include_str!("tables/XSES.txt"), &["SGX"]),
    ("XKRX", include_str!("tables/XKRX.txt"), &["KRX", "KSE"]),
    ("XBOM", include_str!("tables/XBOM.txt"), &["BSE", "NSE"]),
];

/// Families of futures whose exchange everybody knows; of others the symbol must name it.
const CME_FAMILIES: [&str; 44] = [
    "ES", "MES", "NQ", "MNQ", "RTY", "M2K", "YM", "MYM", "EMD", "NKD", "CL", "MCL", "QM", "NG", "QG", "RB", "HO", "GC",
    "MGC", "SI", "SIL", "HG", "PL", "PA", "ZB", "ZN", "ZF", "ZT", "UB", "TN", "ZC", "ZW", "ZS", "ZL", "ZM", "ZO", "KE",
    "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "SR3",
];
/// Indices of the United States by their plain names.
const US_INDICES: [&str; 5] = ["SPX", "VIX", "NDX", "RUT", "DJX"];

/// Other names of those without a table.
const OTHERS: [(&str, &[&str]); 2] = [(FOREX, &["FX", "IDEALPRO"]), (ALWAYS, &["24/7", "PAXOS", "ZEROHASH"])];

fn read_all() -> Vec<Calendar> {
    let tables = TABLES.iter().filter_map(|(code, text, _)| {
        // a test reads them all
        let table::Read { zone, known, table } = table::read(text).ok()?;
        Some(Calendar { code, zone: TimeZone::get(&zone).ok()?, known, rule: Rule::Table(table) })
    });
    let zone = TimeZone::get(forex::ZONE).unwrap_or(TimeZone::UTC);
    let forex = Calendar { code: FOREX, zone, known: (date(2000, 1, 1), date(2030, 12, 31)), rule: Rule::Forex };
    let forever = (date(1970, 1, 1), date(2199, 12, 31));
    let always = Calendar { code: ALWAYS, zone: TimeZone::UTC, known: forever, rule: Rule::Always };
    tables.chain([forex, always]).collect()
}

impl Calendar {
    /// All calendars, read once.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Calendar>> = OnceLock::new();
        ALL.get_or_init(read_all)
    }

    /// Those beside the code.
    pub fn other_names(&self) -> &'static [&'static str] {
        let names = TABLES.iter().map(|(code, _, names)| (*code, *names)).chain(OTHERS);
        names.into_iter().find(|(code, _)| *code == self.code).map_or(&[], |(_, names)| names)
    }

    /// By its code or another name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        let upper = name.to_ascii_uppercase();
        Self::all().iter().find(|one| one.code == upper || one.other_names().contains(&upper.as_str()))
    }

    /// By a name, or of the market of a symbol that is written in the year `this_year`.
    pub fn of_name_or_symbol(text: &str, this_year: i16) -> Result<&'static Self, MarketDataError> {
        let of_symbol = || Self::of(&Symbol::read(text, this_year).ok()?);
        let calendar = Self::named(text).or_else(of_symbol);
        calendar.ok_or_else(|| MarketDataError::Calendar { name: text.chars().take(32).collect() })
    }

    /// Of a symbol whose contract is known, or not yet. Of a listing that no calendar is known of, none is.
    pub fn of_contract(symbol: &Symbol, contract: Option<&Contract>) -> Option<&'static Self> {
        let stock = matches!(symbol.instrument(), Instrument::Stock { .. });
        let listed = contract.map(|one| if stock { &one.primary_exchange } else { &one.exchange });
        match listed.filter(|exchange| !exchange.is_empty()) {
            Some(exchange) => Self::named(exchange),
            None => Self::of(symbol),
        }
    }

    /// Of what a symbol means, as far as its spelling tells: a stock without an exchange is one of the United States.
    pub fn of(symbol: &Symbol) -> Option<&'static Self> {
        let name = match symbol.instrument() {
            Instrument::Pair { .. } => FOREX,
            Instrument::Stock { primary, .. } => primary.unwrap_or("XNYS"),
            Instrument::Index { exchange: Some(exchange), .. }
            | Instrument::Future { exchange: Some(exchange), .. }
            | Instrument::Continuous { exchange: Some(exchange), .. } => exchange,
            Instrument::Index { name: "DAX", .. } => "XETR",
            Instrument::Index { name, .. } if US_INDICES.contains(&name) => "XNYS",
            Instrument::Future { root, .. } | Instrument::Continuous { root, .. } if CME_FAMILIES.contains(&root) => {
                "CMES"
            }
            Instrument::Index { .. } | Instrument::Future { .. } | Instrument::Continuous { .. } => return None,
        };
        Self::named(name)
    }
}
