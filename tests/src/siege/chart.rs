//! Curves over time as an SVG: small panels one below the other, each with a scale of its own that begins at nothing.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 150.0;
/// Left of the curves, for the numbers.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 22.0;
/// Lines of a scale, about.
const LINES: f64 = 4.0;

/// One curve.
#[derive(Debug)]
pub(super) struct Panel {
    /// What, and in which unit.
    pub(super) title: &'static str,
    /// Minutes, and the value.
    pub(super) points: Vec<(f64, f64)>,
}

/// All panels over the same time. `marks`: minutes at which something happened, and what.
pub(super) fn svg(panels: &[Panel], marks: &[f64], of_marks: &str) -> String {
    let end = panels.iter().flat_map(|panel| &panel.points).map(|(at, _)| *at).fold(0.0, f64::max).max(f64::EPSILON);
    let height = HEIGHT * f64::from(u32::try_from(panels.len()).unwrap_or(0));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    let x = |at: f64| LEFT + (WIDTH - LEFT - RIGHT) * at / end;
    for (number, panel) in (0..).zip(panels) {
        let from = HEIGHT * f64::from(number);
        let most = panel.points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let step = step(most / LINES);
        let top = (most / step).ceil().max(1.0) * step;
        let y = |value: f64| from + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
        // writing into a string cannot fail
        let mut put = |line: String| writeln!(text, "{line}").unwrap_or_default();
        put(format!(
            "<text x=\"{LEFT}\" y=\"{}\" fill=\"#222\" font-weight=\"bold\">{}</text>",
            from + 18.0,
            panel.title
        ));
        let mut line = 0.0;
        while line <= top + step / 2.0 {
            let (at, right) = (y(line), WIDTH - RIGHT);
            put(format!("<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>"));
            put(format!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#666\">{line}</text>",
                LEFT - 6.0,
                at + 4.0
            ));
            line += step;
        }
        for mark in marks {
            put(format!("<path d=\"M{0:.1} {1:.1}V{2:.1}\" stroke=\"#e3a857\"/>", x(*mark), y(top), y(0.0)));
        }
        let points: Vec<String> =
            panel.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        put(format!(
            "<polyline fill=\"none\" stroke=\"#2166ac\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.join(" ")
        ));
        let minutes = self::step(end / 6.0);
        let mut minute = 0.0;
        while minute <= end {
            put(format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#666\">{minute} min</text>",
                x(minute),
                from + HEIGHT - 6.0
            ));
            minute += minutes;
        }
        if number == 0 && !marks.is_empty() {
            put(format!(
                "<text x=\"{}\" y=\"18\" text-anchor=\"end\" fill=\"#b8862f\">{of_marks}</text>",
                WIDTH - RIGHT
            ));
        }
    }
    text.push_str("</svg>\n");
    text
}

/// The next of 1, 2, 5, 10, … that is not smaller.
fn step(wanted: f64) -> f64 {
    let magnitude = 10_f64.powf(wanted.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|part| part * magnitude).find(|step| *step >= wanted).unwrap_or(magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_have_round_steps_and_each_point_is_there() {
        let steps = [0.3, 1.0, 1.1, 24.0, 60.0].map(|wanted| step(wanted).to_string());
        assert_eq!(steps, ["0.5", "1", "2", "50", "100"]);
        let points: Vec<(f64, f64)> = (0..7).map(|at| (f64::from(at), 40.0)).collect();
        let drawn = svg(&[Panel { title: "Memory, MiB", points }], &[2.5], "a restart");
        assert_eq!(drawn.matches(',').count(), 7 + 1, "seven points, one comma in the title: {drawn}");
        assert!(drawn.contains("Memory, MiB") && drawn.contains("a restart") && drawn.ends_with("</svg>\n"));
    }
}
