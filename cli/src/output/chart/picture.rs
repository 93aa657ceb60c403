//! A chart as shapes on a canvas (pure): what SVG and PNG have in common.

use super::candles::{candles, decimals, extent, ticks};
use crate::{output::bar::Bar, time::Stamps};

/// Size of the canvas.
pub(crate) const WIDTH: u32 = 1_200;
pub(crate) const HEIGHT: u32 = 640;

/// Margins around the candles, and the height of the volume.
const LEFT: f64 = 16.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 36.0;
const VOLUME: f64 = 110.0;
const GAP: f64 = 14.0;

/// Narrowest candle with its gap.
const NARROWEST: f64 = 3.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Background,
    Line,
    Text,
    Rising,
    Falling,
}

impl Ink {
    pub(super) fn rgb(self) -> [u8; 3] {
        match self {
            Self::Background => [255, 255, 255],
            Self::Line => [224, 226, 230],
            Self::Text => [60, 64, 72],
            Self::Rising => [22, 137, 90],
            Self::Falling => [196, 49, 49],
        }
    }
}

/// Left edge, top edge, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rectangle(pub(crate) f64, pub(crate) f64, pub(crate) f64, pub(crate) f64);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Box(Rectangle, Ink),
    /// Left end of the base line.
    Text(f64, f64, String),
}

/// The shapes of a chart, in the order in which they are painted.
pub(crate) fn picture(title: &str, bars: &[Bar], stamps: &mut Stamps) -> Vec<Shape> {
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    let mut shapes = vec![
        Shape::Box(Rectangle(0.0, 0.0, width, height), Ink::Background),
        Shape::Text(LEFT, 24.0, title.to_owned()),
    ];
    let room = width - LEFT - RIGHT;
    let candles = candles(bars, count(room / NARROWEST));
    if candles.is_empty() {
        return shapes;
    }
    let (low, high, volume) = extent(&candles);
    let bottom = height - BOTTOM - VOLUME - GAP;
    let y = |price: f64| TOP + (high - price) / (high - low) * (bottom - TOP);
    let ticks = ticks(low, high, 8);
    let places = decimals(&ticks);
    for tick in &ticks {
        shapes.push(Shape::Box(Rectangle(LEFT, y(*tick).round(), room, 1.0), Ink::Line));
        shapes.push(Shape::Text(width - RIGHT + 8.0, y(*tick) + 4.0, format!("{tick:.places$}")));
    }
    let each = room / share(candles.len());
    let body = (each * 0.7).max(1.0);
    for (nth, candle) in candles.iter().enumerate() {
        let ink = if candle.rises() { Ink::Rising } else { Ink::Falling };
        let left = LEFT + each * share(nth) + (each - body) / 2.0;
        let (upper, lower) = (candle.open.max(candle.close), candle.open.min(candle.close));
        let middle = left + body / 2.0 - 0.5;
        shapes.push(Shape::Box(Rectangle(middle, y(candle.high), 1.0, y(candle.low) - y(candle.high)), ink));
        shapes.push(Shape::Box(Rectangle(left, y(upper), body, (y(lower) - y(upper)).max(1.0)), ink));
        if volume > 0.0 {
            let tall = candle.volume / volume * VOLUME;
            shapes.push(Shape::Box(Rectangle(left, height - BOTTOM - tall, body, tall), ink));
        }
    }
    shapes.push(Shape::Box(Rectangle(LEFT, height - BOTTOM, room, 1.0), Ink::Text));
    for nth in (0..candles.len()).step_by(candles.len().div_ceil(6).max(1)) {
        let text = stamps.plain(candles[nth].start_ns).get(..16).unwrap_or_default().to_owned();
        shapes.push(Shape::Text(LEFT + each * share(nth), height - BOTTOM + 20.0, text));
    }
    shapes
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn share(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
fn count(share: f64) -> usize {
    share as usize
}
