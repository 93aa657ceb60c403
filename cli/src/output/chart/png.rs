//! A picture as PNG. Letters are of a font of 8 by 8 dots.

use std::io::{self, Write};

use font8x8::legacy::BASIC_LEGACY;

use super::picture::{HEIGHT, Ink, Rectangle, Shape, WIDTH};

/// Dots of a letter.
const LETTER: usize = 8;

/// Writes it.
pub(crate) fn encode(out: impl Write, shapes: &[Shape]) -> io::Result<()> {
    let mut canvas = Canvas::new();
    for shape in shapes {
        match shape {
            Shape::Box(rectangle, ink) => canvas.fill(*rectangle, *ink),
            Shape::Text(left, base, text) => canvas.text(*left, *base, text),
        }
    }
    let mut encoder = png::Encoder::new(out, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&canvas.dots).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

struct Canvas {
    dots: Vec<u8>,
}

impl Canvas {
    fn new() -> Self {
        Self { dots: vec![255; size(WIDTH) * size(HEIGHT) * 3] }
    }

    fn dot(&mut self, column: usize, row: usize, ink: Ink) {
        if column < size(WIDTH) && row < size(HEIGHT) {
            let at = (row * size(WIDTH) + column) * 3;
            self.dots[at..at + 3].copy_from_slice(&ink.rgb());
        }
    }

    fn fill(&mut self, Rectangle(left, top, width, height): Rectangle, ink: Ink) {
        let (columns, rows) = (edge(left)..edge(left + width).max(edge(left) + 1), edge(top)..edge(top + height));
        for row in rows {
            for column in columns.clone() {
                self.dot(column, row, ink);
            }
        }
    }

    fn text(&mut self, left: f64, base: f64, text: &str) {
        let top = edge(base).saturating_sub(LETTER);
        for (nth, letter) in text.chars().enumerate() {
            let rows = BASIC_LEGACY.get(usize::try_from(u32::from(letter)).unwrap_or(0)).unwrap_or(&BASIC_LEGACY[63]);
            for (row, bits) in rows.iter().enumerate() {
                for column in (0..LETTER).filter(|column| bits & (1 << column) != 0) {
                    self.dot(edge(left) + nth * LETTER + column, top + row, Ink::Text);
                }
            }
        }
    }
}

fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the canvas; floats saturate")]
fn edge(at: f64) -> usize {
    at.round() as usize
}
