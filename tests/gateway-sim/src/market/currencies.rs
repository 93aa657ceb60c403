//! Which six letters are a currency pair.

/// ISO 4217 codes of currencies in use.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD \
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON \
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
    USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// `EURUSD`, `EUR.USD` and `EUR/USD` are a pair; `GOOGLE` is not.
pub(crate) fn pair(symbol: &str) -> Option<(String, String)> {
    let letters: String = symbol.chars().filter(|letter| !matches!(letter, '.' | '/')).collect();
    if letters.len() != 6 || !letters.is_ascii() {
        return None;
    }
    let (base, quote) = letters.split_at(3);
    let known = |code: &str| CODES.split_ascii_whitespace().any(|listed| listed == code);
    (known(base) && known(quote) && base != quote).then(|| (base.to_owned(), quote.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_must_be_currencies() {
        assert_eq!(pair("EURUSD"), Some(("EUR".to_owned(), "USD".to_owned())));
        assert_eq!(pair("EUR.USD"), pair("EURUSD"));
        assert_eq!(pair("ABCDEF"), None);
        assert_eq!(pair("GOOGL"), None);
    }
}
