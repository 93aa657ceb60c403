//! The store at work, for `cargo perf`, which runs it beside other tools: one command a line on stdin, seconds on stdout.
//!
//! - `fill FOLDER SYMBOL ROWS`: a data folder with a series of one-minute bars
//! - `holes FOLDER SYMBOL COUNT`: one of twenty years, with so many of them unknown
//! - `write ROWS`: as `fill`, in a new folder, durably
//! - `read FOLDER SYMBOL YEAR`: a year into columns, checked against the ledger
//! - `read-all FOLDER SYMBOL`: every year, one after the other

use std::{
    error::Error,
    io::{BufRead, Write, stdin, stdout},
    path::Path,
    time::Instant,
};

use ktrdrd::{
    model::{Bar, Bars, Basis, MINUTE, Nanos, SeriesKey, Session, Source, Symbol, TimeRange, Timeframe, WhatToShow},
    store::{Aside, Commit, CoverageKind, Layout, Store, year_of, year_start},
};

/// The daemon's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Regular minutes of a year's sessions.
const ROWS_OF_YEAR: i64 = 98_280;
const LAST_YEAR: i16 = 2025;

fn main() -> Result<(), Box<dyn Error>> {
    for line in stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let seconds = match words.as_slice() {
            ["fill", folder, symbol, rows] => write(Path::new(folder), symbol, rows.parse()?)?,
            ["write", rows] => write(tempfile::tempdir()?.path(), "AAPL", rows.parse()?)?,
            ["holes", folder, symbol, count] => holes(Path::new(folder), symbol, count.parse()?)?,
            ["read", folder, symbol, year] => read(Path::new(folder), symbol, year.parse()?)?,
            ["read-all", folder, symbol] => read_all(Path::new(folder), symbol)?,
            _ => continue,
        };
        writeln!(stdout(), "{seconds}")?;
        stdout().flush()?;
    }
    Ok(())
}

fn key(symbol: &str) -> Result<SeriesKey, Box<dyn Error>> {
    Ok(SeriesKey { symbol: Symbol::parse(symbol)?, timeframe: Timeframe::Minutes1 })
}

fn write(folder: &Path, symbol: &str, rows: i64) -> Result<f64, Box<dyn Error>> {
    let years = years(rows);
    let covered = TimeRange::new(year_start(years[0].0), year_start(LAST_YEAR + 1))?;
    commit(folder, symbol, Session::RegularHours, years, vec![covered])
}

/// Known from 2006 on, but for 37 minutes every 17 hours.
fn holes(folder: &Path, symbol: &str, count: Nanos) -> Result<f64, Box<dyn Error>> {
    let (first, end) = (year_start(2006), year_start(LAST_YEAR + 1));
    let hole = |nth: Nanos| first + nth * 17 * 60 * MINUTE;
    let known = |nth: Nanos| TimeRange::new(hole(nth) + 37 * MINUTE, if nth + 1 < count { hole(nth + 1) } else { end });
    let cover = (0..count).map(known).collect::<Result<_, _>>()?;
    commit(folder, symbol, Session::AllHours, years(390), cover)
}

fn commit(
    folder: &Path,
    symbol: &str,
    session: Session,
    years: Vec<(i16, Bars)>,
    cover: Vec<TimeRange>,
) -> Result<f64, Box<dyn Error>> {
    let store = Store::open(Layout::new(folder.to_path_buf()))?;
    let commit = Commit {
        basis: Basis { session, what: WhatToShow::Trades },
        source: Source::Gateway,
        assumed: false,
        years,
        cover: cover.into_iter().map(|range| (range, CoverageKind::Bars)).collect(),
        uncover: Vec::new(),
        aside: Aside::Gone,
        revisions: Vec::new(),
        import: None,
        as_of: 0,
    };
    let begun = Instant::now();
    store.commit(&key(symbol)?, commit)?;
    Ok(begun.elapsed().as_secs_f64())
}

fn read(folder: &Path, symbol: &str, year: i16) -> Result<f64, Box<dyn Error>> {
    let store = Store::open(Layout::new(folder.to_path_buf()))?;
    let key = key(symbol)?;
    let begun = Instant::now();
    let bars = store.read_year(&key, year)?;
    let seconds = begun.elapsed().as_secs_f64();
    if bars.is_empty() { Err("no bars of that year".into()) } else { Ok(seconds) }
}

fn read_all(folder: &Path, symbol: &str) -> Result<f64, Box<dyn Error>> {
    let store = Store::open(Layout::new(folder.to_path_buf()))?;
    let key = key(symbol)?;
    let state = store.state(&key).ok_or("there is no such series")?;
    let begun = Instant::now();
    for (year, ..) in state.files() {
        store.read_year(&key, year)?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// The last years of a walk, full ones but for the first.
fn years(rows: i64) -> Vec<(i16, Bars)> {
    let (mut years, mut left, mut year) = (Vec::new(), rows, LAST_YEAR);
    while left > 0 {
        years.push((year, of_year(year, left.min(ROWS_OF_YEAR))));
        left -= ROWS_OF_YEAR;
        year -= 1;
    }
    years.reverse();
    years
}

fn of_year(year: i16, rows: i64) -> Bars {
    let mut state: u64 = 0x0139_408d_cbbf_7a44 ^ u64::from(year.unsigned_abs());
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i32::try_from(state % below).unwrap_or(0)
    };
    let mut price = 18_000;
    let bar = |nth: Nanos| {
        let open = price;
        price = (price + next(21) - 10).max(1_000);
        let (high, low) = (open.max(price) + next(8), open.min(price) - next(8));
        let cents = |value: i32| f64::from(value) / 100.0;
        let start = session_minute(year, nth);
        Bar {
            start,
            open: cents(open),
            high: cents(high),
            low: cents(low),
            close: cents(price),
            volume: Some(f64::from(next(9_000) * 10)),
        }
    };
    (0..rows).map(bar).filter(|bar| year_of(bar.start) == year).collect()
}

/// 390 minutes a day from 14:30, five days a week.
fn session_minute(year: i16, nth: Nanos) -> Nanos {
    let (day, minute) = (nth / 390, nth % 390);
    year_start(year) + (day / 5 * 7 + day % 5) * 1_440 * MINUTE + (870 + minute) * MINUTE
}
