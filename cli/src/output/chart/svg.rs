//! A picture as SVG.

use std::io::{self, Write};

use super::picture::{HEIGHT, Ink, Rectangle, Shape, WIDTH};

/// Writes it.
pub(crate) fn write(out: &mut impl Write, shapes: &[Shape]) -> io::Result<()> {
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">"#
    )?;
    for shape in shapes {
        match shape {
            Shape::Box(Rectangle(left, top, width, height), ink) => writeln!(
                out,
                r#"<rect x="{left:.2}" y="{top:.2}" width="{width:.2}" height="{height:.2}" fill="{}"/>"#,
                color(*ink)
            )?,
            Shape::Text(left, base, text) => writeln!(
                out,
                r#"<text x="{left:.2}" y="{base:.2}" fill="{}">{}</text>"#,
                color(Ink::Text),
                escaped(text)
            )?,
        }
    }
    writeln!(out, "</svg>")
}

fn color(ink: Ink) -> String {
    let [red, green, blue] = ink.rgb();
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
