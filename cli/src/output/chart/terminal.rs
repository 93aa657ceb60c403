//! Candles in the terminal: each a column, with two steps a line.

use std::io::{self, Write};

use super::candles::{Candle, candles, decimals, extent, ticks};
use crate::{output::bar::Bar, time::Stamps};

/// Lines of the prices and of the volume.
const LINES: usize = 20;
const VOLUME_LINES: usize = 4;
/// Columns for the prices on the right.
const AXIS: usize = 12;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// What half a cell shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Nothing,
    Wick,
    Body,
}

/// `width`: columns of the terminal. Without colour, falling bodies are double lines.
pub(crate) fn draw(
    out: &mut impl Write,
    bars: &[Bar],
    stamps: &mut Stamps,
    width: usize,
    colored: bool,
) -> io::Result<()> {
    let room = width.saturating_sub(AXIS + 1).max(10);
    let candles = candles(bars, room);
    if candles.is_empty() {
        return Ok(());
    }
    let (low, high, volume) = extent(&candles);
    let ticks = ticks(low, high, 5);
    let places = decimals(&ticks);
    let label = |line: usize| {
        let (top, bottom) = (price_at(low, high, line * 2), price_at(low, high, line * 2 + 2));
        ticks.iter().find(|tick| **tick <= top && **tick > bottom).map(|tick| format!(" {tick:.places$}"))
    };
    for line in 0..LINES {
        for candle in &candles {
            let half = |step| half_at(candle, price_at(low, high, step + 1), price_at(low, high, step));
            cell(out, symbol(half(line * 2), half(line * 2 + 1), candle.rises() || colored), candle, colored)?;
        }
        writeln!(out, "│{}", label(line).unwrap_or_default())?;
    }
    if volume > 0.0 {
        for line in (0..VOLUME_LINES).rev() {
            for candle in &candles {
                cell(out, block(candle.volume / volume, line), candle, colored)?;
            }
            let label = if line + 1 == VOLUME_LINES { format!(" {}", short(volume)) } else { String::new() };
            writeln!(out, "│{label}")?;
        }
    }
    writeln!(out, "{}┘", "─".repeat(candles.len()))?;
    dates(out, &candles, stamps)
}

fn cell(out: &mut impl Write, symbol: char, candle: &Candle, colored: bool) -> io::Result<()> {
    if !colored || symbol == ' ' {
        return write!(out, "{symbol}");
    }
    write!(out, "{}{symbol}{PLAIN}", if candle.rises() { GREEN } else { RED })
}

/// The price at a step from the top, of which each line has two.
#[expect(clippy::cast_precision_loss, reason = "a few dozen")]
fn price_at(low: f64, high: f64, step: usize) -> f64 {
    high - (high - low) * step as f64 / (LINES * 2) as f64
}

fn half_at(candle: &Candle, from: f64, to: f64) -> Half {
    let (bottom, top) = (candle.open.min(candle.close), candle.open.max(candle.close));
    let middle = f64::midpoint(from, to);
    if (bottom <= middle && middle <= top) || (from <= bottom && top < to) {
        Half::Body
    } else if candle.low <= middle && middle <= candle.high {
        Half::Wick
    } else {
        Half::Nothing
    }
}

fn symbol(upper: Half, lower: Half, single: bool) -> char {
    match (upper, lower) {
        (Half::Body, Half::Body) if single => '┃',
        (Half::Body, Half::Body) => '║',
        (Half::Body, Half::Wick) => '╿',
        (Half::Wick, Half::Body) => '╽',
        (Half::Body, Half::Nothing) => '╹',
        (Half::Nothing, Half::Body) => '╻',
        (Half::Wick, Half::Wick) => '│',
        (Half::Wick, Half::Nothing) => '╵',
        (Half::Nothing, Half::Wick) => '╷',
        (Half::Nothing, Half::Nothing) => ' ',
    }
}

/// One line of a column that is so full.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 8")]
fn block(share: f64, line: usize) -> char {
    let eighths = (share * (VOLUME_LINES * 8) as f64).round() - (line * 8) as f64;
    BLOCKS[eighths.clamp(0.0, 8.0) as usize]
}

/// `1.2M`
fn short(volume: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let fits = units.into_iter().find(|(unit, _)| volume >= *unit);
    fits.map_or_else(|| format!("{volume:.0}"), |(unit, name)| format!("{:.1}{name}", volume / unit))
}

/// The first date, the last, and one in the middle where there is room.
fn dates(out: &mut impl Write, candles: &[Candle], stamps: &mut Stamps) -> io::Result<()> {
    let mut text = |candle: &Candle| stamps.plain(candle.start_ns).get(..16).unwrap_or_default().to_owned();
    let (first, last) = (text(&candles[0]), text(&candles[candles.len() - 1]));
    let width = candles.len();
    if width < first.len() * 2 + 2 {
        return writeln!(out, "{first} to {last}");
    }
    let middle = text(&candles[width / 2]);
    if width < first.len() * 4 {
        return writeln!(out, "{first}{last:>rest$}", rest = width - first.len());
    }
    let rest = width - first.len() * 2;
    writeln!(out, "{first}{middle:^rest$}{last}")
}
