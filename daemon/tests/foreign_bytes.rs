//! Words that people and files write: symbols, timeframes, addresses, quiet times, names of files. What is read and printed reads
//! back to the same.

use ktrdr_foreign::{Target, fit_to_print};
use ktrdrd::{
    bucket::BucketAddress,
    gateway::QuietTime,
    host_service::Address,
    market_data::csv::name::from_label,
    model::{SeriesKey, Symbol, Timeframe},
    store::Layout,
    telemetry::LogFormat,
};

const YEAR: i16 = 2025;

/// What the word is, of all that it can be; or why it is nothing.
fn read(word: &str) -> Result<Vec<&'static str>, String> {
    let mut is = Vec::new();
    let mut why = "it is nothing".to_owned();
    match Symbol::read(word, YEAR) {
        Ok(symbol) => {
            assert_eq!(Symbol::read(symbol.as_str(), YEAR).as_ref(), Ok(&symbol), "{word:?}");
            assert_eq!(Symbol::parse(symbol.as_str()), Ok(symbol.clone()), "{word:?}");
            let key = SeriesKey { symbol, timeframe: Timeframe::Months1 };
            let name = Layout::new("/d".into()).name(&key, YEAR);
            assert_eq!(Layout::parse_name(&name), Some((key, YEAR)), "{word:?}");
            is.push("symbol");
        }
        Err(error) => why = error.to_string(),
    }
    if let Some(timeframe) = Timeframe::parse(word) {
        assert_eq!(
            (Timeframe::parse(timeframe.name()), Timeframe::parse(timeframe.folder())),
            (Some(timeframe), Some(timeframe))
        );
        is.push("timeframe");
    }
    match word.parse::<QuietTime>() {
        Ok(quiet) => {
            let again = quiet.to_string().parse::<QuietTime>().map(|again| again.to_string());
            assert_eq!(again.as_deref(), Ok(quiet.to_string().as_str()));
            is.push("quiet time");
        }
        Err(error) => fit_to_print(error),
    }
    match Address::parse(word) {
        Ok(address) => {
            assert_eq!(Address::parse(&address.to_string()), Ok(address.clone()), "{word:?}");
            address.warning().iter().for_each(|text| fit_to_print(text));
            is.push("address");
        }
        Err(error) => fit_to_print(error),
    }
    match word.parse::<BucketAddress>() {
        Ok(bucket) => {
            assert_eq!(bucket.to_string().parse(), Ok(bucket.clone()), "{word:?}");
            assert_eq!(bucket.name(&bucket.object("bars/x")), Some("bars/x"), "{word:?}");
            is.push("bucket");
        }
        Err(error) => fit_to_print(error),
    }
    if let Some((key, year)) = Layout::parse_name(word) {
        let name = Layout::new("/d".into()).name(&key, year);
        assert_eq!(Layout::parse_name(&name), Some((key, year)), "{word:?}");
        assert!(!name.contains(".."), "{name}");
        is.push("name of a file");
    }
    if let (Some(symbol), Some(timeframe)) = from_label(word, YEAR) {
        assert_eq!(from_label(&format!("{symbol}_{timeframe}.csv"), YEAR), (Some(symbol), Some(timeframe)), "{word:?}");
        is.push("label");
    }
    if LogFormat::parse(word).is_some() {
        is.push("format");
    }
    if is.is_empty() { Err(why) } else { Ok(is) }
}

#[test]
fn foreign_bytes() {
    Target::new(env!("CARGO_MANIFEST_DIR"), "words").memory(256, 1 << 20).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (mut all, mut nothing) = (Vec::new(), Vec::new());
        for word in text.split('\n').take(50) {
            match read(word) {
                Ok(is) => all.extend(is),
                Err(why) => nothing.push(why),
            }
        }
        for why in &nothing {
            fit_to_print(why);
        }
        all.sort_unstable();
        all.dedup();
        if all.is_empty() { Err(nothing.swap_remove(0)) } else { Ok(all.join(" ")) }
    });
}
