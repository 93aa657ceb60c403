//! Decoded years that are asked for again and again, within a budget of bytes.
//!
//! A year is kept from the second time on that it is asked for: one pass over everything keeps nothing, and costs nobody else
//! his place. The least recently used goes first. What is kept is of one checksum, so a file that was replaced is never answered
//! with the old one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Checksum;
use crate::model::{Bars, SeriesKey};

/// Of one bar in columns: five of 8 bytes, and the volume, which may be absent.
pub(super) const ROW_BYTES: u64 = 56;
/// Years that are remembered to have been asked for once.
const ONCE_MAX: usize = 10_000;

type Name = (SeriesKey, i16);

/// What the cache does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheFacts {
    /// Bytes that are held, about.
    pub bytes: u64,
    /// Bytes that may be held.
    pub budget: u64,
    /// Years that were answered from it.
    pub hits: u64,
    /// Years that were read from their files.
    pub misses: u64,
}

#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    facts: CacheFacts,
    kept: HashMap<Name, Kept>,
    once: HashMap<Name, Checksum>,
    turn: u64,
}

#[derive(Debug)]
struct Kept {
    checksum: Checksum,
    bars: Arc<Bars>,
    used: u64,
}

/// What there is of a year.
#[derive(Debug)]
pub(super) enum Found {
    Here(Arc<Bars>),
    /// Read it as a whole, and [`put`](Cache::put) it.
    Wanted,
    /// Read what is asked for.
    NotYet,
}

impl Cache {
    pub(super) fn new(budget: u64) -> Self {
        let facts = CacheFacts { budget, ..CacheFacts::default() };
        Self(Mutex::new(Inner { facts, ..Inner::default() }))
    }

    pub(super) fn facts(&self) -> CacheFacts {
        self.inner().facts
    }

    /// Without a mark that somebody has asked.
    pub(super) fn peek(&self, key: &SeriesKey, year: i16, checksum: Checksum) -> Option<Arc<Bars>> {
        let inner = self.inner();
        let kept = inner.kept.get(&(key.clone(), year)).filter(|kept| kept.checksum == checksum);
        kept.map(|kept| kept.bars.clone())
    }

    pub(super) fn find(&self, key: &SeriesKey, year: i16, checksum: Checksum) -> Found {
        let mut inner = self.inner();
        if inner.facts.budget == 0 {
            return Found::NotYet;
        }
        inner.turn += 1;
        let (turn, name) = (inner.turn, (key.clone(), year));
        if let Some(kept) = inner.kept.get_mut(&name).filter(|kept| kept.checksum == checksum) {
            kept.used = turn;
            let bars = kept.bars.clone();
            inner.facts.hits += 1;
            return Found::Here(bars);
        }
        inner.facts.misses += 1;
        if inner.once.len() >= ONCE_MAX {
            inner.once.clear();
        }
        match inner.once.insert(name, checksum) {
            Some(before) if before == checksum => Found::Wanted,
            _ => Found::NotYet,
        }
    }

    /// Keeps a whole year, if it may.
    pub(super) fn put(&self, key: &SeriesKey, year: i16, checksum: Checksum, bars: &Arc<Bars>) {
        let mut inner = self.inner();
        let (bytes, name) = (size(bars), (key.clone(), year));
        if bytes > inner.facts.budget {
            return;
        }
        inner.remove(&name);
        while inner.facts.bytes + bytes > inner.facts.budget {
            let oldest = inner.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { return };
            inner.remove(&oldest);
        }
        inner.facts.bytes += bytes;
        let used = inner.turn;
        inner.once.remove(&name);
        inner.kept.insert(name, Kept { checksum, bars: bars.clone(), used });
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remove(&mut self, name: &Name) {
        if let Some(kept) = self.kept.remove(name) {
            self.facts.bytes -= size(&kept.bars);
        }
    }
}

fn size(bars: &Bars) -> u64 {
    bars.len() as u64 * ROW_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bar, Symbol, Timeframe};

    fn key(symbol: &str) -> SeriesKey {
        SeriesKey { symbol: Symbol::parse(symbol).unwrap(), timeframe: Timeframe::Hours1 }
    }

    fn bars(rows: i64) -> Arc<Bars> {
        let bar = |start| Bar { start, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: None };
        Arc::new((0..rows).map(bar).collect())
    }

    const FILE: Checksum = Checksum { length: 1, crc: 1 };
    const NEW_FILE: Checksum = Checksum { length: 1, crc: 2 };

    /// Asks, and reads what is wanted.
    fn asked(cache: &Cache, symbol: &str, year: i16, file: Checksum) -> &'static str {
        match cache.find(&key(symbol), year, file) {
            Found::Here(_) => "here",
            Found::NotYet => "not yet",
            Found::Wanted => {
                cache.put(&key(symbol), year, file, &bars(10));
                "wanted"
            }
        }
    }

    #[test]
    fn what_is_asked_for_twice_is_kept_until_its_file_is_another() {
        let cache = Cache::new(10 * ROW_BYTES * 2);
        let ask = |file| asked(&cache, "AAPL", 2024, file);
        assert_eq!([FILE, FILE, FILE, FILE].map(ask), ["not yet", "wanted", "here", "here"]);
        assert_eq!([NEW_FILE, NEW_FILE, NEW_FILE].map(ask), ["not yet", "wanted", "here"]);
        let facts = cache.facts();
        assert_eq!((facts.hits, facts.misses, facts.bytes), (3, 4, 10 * ROW_BYTES));
    }

    #[test]
    fn the_budget_holds_and_the_least_recently_used_goes_first() {
        let cache = Cache::new(10 * ROW_BYTES * 2);
        for year in [2022, 2023] {
            asked(&cache, "AAPL", year, FILE);
            asked(&cache, "AAPL", year, FILE);
        }
        assert_eq!(asked(&cache, "AAPL", 2022, FILE), "here");
        asked(&cache, "MSFT", 2024, FILE);
        asked(&cache, "MSFT", 2024, FILE);
        assert_eq!(cache.facts().bytes, cache.facts().budget);
        assert_eq!(asked(&cache, "AAPL", 2022, FILE), "here");
        assert_eq!(asked(&cache, "AAPL", 2023, FILE), "not yet", "it made room");
        cache.put(&key("NVDA"), 2024, FILE, &bars(21));
        assert_eq!(asked(&cache, "MSFT", 2024, FILE), "here", "what is too large does not push others out");
        let off = Cache::new(0);
        assert_eq!([FILE, FILE, FILE].map(|file| asked(&off, "AAPL", 2024, file)), ["not yet"; 3]);
    }
}
