//! ISO 4217 codes of the currencies that IB trades or quotes, gold and silver included.

const CURRENCIES: [&str; 37] = [
    "AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNH", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF",
    "IDR", "ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PLN", "QAR", "RON", "RUB", "SAR", "SEK", "SGD",
    "THB", "TRY", "TWD", "USD", "ZAR",
];

/// Upper case only.
pub(super) fn is_currency(code: &str) -> bool {
    CURRENCIES.contains(&code) || code == "XAU" || code == "XAG"
}
