//! Prices as a picture: candles, and the volume below them. In the terminal, and as SVG or PNG.

mod candles;
pub(crate) mod picture;
mod png;
mod svg;
pub(crate) mod terminal;

pub(crate) use png::encode as png;
pub(crate) use svg::write as svg;
