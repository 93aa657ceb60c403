//! What a file's object says of it, so that a new ledger need not read the files: `x-amz-meta-ktrdr-…`.

use std::collections::BTreeMap;

use crate::{
    model::{Basis, SeriesKey, Session, Source, WhatToShow},
    store::{Checksum, Part},
};

/// Names and values of an object.
pub(super) type About = BTreeMap<String, String>;

pub(super) fn about(part: &Part) -> About {
    let Part { basis, source, assumed, checksum, rows, first, last, .. } = part;
    let facts = [
        ("length", checksum.length.to_string()),
        ("crc32", format!("{:08x}", checksum.crc)),
        ("rows", rows.to_string()),
        ("first-ns", first.to_string()),
        ("last-ns", last.to_string()),
        ("session", basis.session.name().to_owned()),
        ("what-to-show", basis.what.name().to_owned()),
        ("source", source.name().to_owned()),
        ("assumed", assumed.to_string()),
    ];
    facts.into_iter().map(|(name, value)| (format!("ktrdr-{name}"), value)).collect()
}

/// The bytes of an object; `None`: it does not say.
pub(super) fn checksum(about: &About) -> Option<Checksum> {
    let fact = |name: &str| about.get(&format!("ktrdr-{name}"));
    Some(Checksum { length: fact("length")?.parse().ok()?, crc: u32::from_str_radix(fact("crc32")?, 16).ok()? })
}

/// `None`: it was not put there by us.
pub(super) fn part(key: SeriesKey, year: i16, about: &About) -> Option<Part> {
    let fact = |name: &str| about.get(&format!("ktrdr-{name}")).map(String::as_str);
    Some(Part {
        key,
        year,
        basis: Basis { session: Session::parse(fact("session")?)?, what: WhatToShow::parse(fact("what-to-show")?)? },
        source: Source::parse(fact("source")?)?,
        assumed: fact("assumed")?.parse().ok()?,
        checksum: checksum(about)?,
        rows: fact("rows")?.parse().ok().filter(|rows| *rows > 0)?,
        first: fact("first-ns")?.parse().ok()?,
        last: fact("last-ns")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Symbol, Timeframe};

    #[test]
    fn what_an_object_says_is_read_back() {
        let part = Part {
            key: SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Hours1 },
            year: 2024,
            basis: Basis { session: Session::AllHours, what: WhatToShow::Trades },
            source: Source::Gateway,
            assumed: false,
            checksum: Checksum { length: 7, crc: 0xab },
            rows: 3,
            first: -1,
            last: 9,
        };
        let about = about(&part);
        assert_eq!(super::part(part.key.clone(), 2024, &about), Some(part.clone()));
        for name in about.keys() {
            let mut less = about.clone();
            less.remove(name);
            assert_eq!(super::part(part.key.clone(), 2024, &less), None, "{name}");
        }
    }
}
