//! Learning curves in the terminal: a spark line of one, a chart of several.

/// Eighths of a line's height.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `width` values, each as high as it is between the lowest and the highest.
pub(crate) fn spark(values: &[f64], width: usize) -> String {
    let values = &values[values.len().saturating_sub(width)..];
    let Some((low, high)) = bounds(values.iter().copied()) else { return String::new() };
    let block = |value: &f64| if value.is_finite() { BLOCKS[step(*value, low, high, BLOCKS.len())] } else { ' ' };
    values.iter().map(block).collect()
}

/// A chart of several curves, each drawn with its letter, epochs to the right: lines of text.
pub(crate) fn chart(curves: &[(char, &[f64])], width: usize, height: usize) -> Vec<String> {
    let all = curves.iter().flat_map(|(_, values)| values.iter().copied());
    let Some((low, high)) = bounds(all) else { return Vec::new() };
    let longest = curves.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let mut cells = vec![vec![' '; width]; height];
    for (letter, values) in curves {
        for column in 0..width {
            let Some(value) = between(values, column, (longest - 1, width - 1)) else { continue };
            let row = height - 1 - step(value, low, high, height);
            let Some(cell) = cells.get_mut(row).and_then(|cells| cells.get_mut(column)) else { continue };
            // two on one spot
            *cell = if *cell == ' ' { *letter } else { '*' };
        }
    }
    let label = |row: usize| match row {
        0 => format!("{high:>10.4}"),
        row if row == height - 1 => format!("{low:>10.4}"),
        _ => " ".repeat(10),
    };
    let drawn = |(row, cells): (usize, &Vec<char>)| {
        format!("{} ┤{}", label(row), cells.iter().collect::<String>()).trim_end().to_owned()
    };
    let mut lines: Vec<String> = cells.iter().enumerate().map(drawn).collect();
    lines.push(format!("{} └{}", " ".repeat(10), "─".repeat(width)));
    lines.push(format!("{}  epochs 1 to {longest}", " ".repeat(10)));
    lines
}

/// The value at a column, on the line between two epochs; `of` are the last epoch and the last column.
#[expect(clippy::cast_precision_loss, reason = "epochs and columns")]
fn between(values: &[f64], column: usize, (last, columns): (usize, usize)) -> Option<f64> {
    let scaled = column * last;
    let (at, rest) = (scaled / columns.max(1), scaled % columns.max(1));
    let before = *values.get(at)?;
    let after = if rest == 0 { before } else { *values.get(at + 1)? };
    let value = before + (after - before) * rest as f64 / columns.max(1) as f64;
    value.is_finite().then_some(value)
}

fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |bounds, value| match bounds {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few steps")]
fn step(value: f64, low: f64, high: f64, steps: usize) -> usize {
    if high <= low {
        return 0;
    }
    (((value - low) / (high - low) * (steps - 1) as f64).round() as usize).min(steps - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_line_falls_as_the_loss_does() {
        assert_eq!(spark(&[3.0, 2.0, f64::NAN, 1.0], 10), "█▅ ▁");
        assert_eq!(
            (spark(&[1.0, 2.0], 1), spark(&[], 5), spark(&[f64::NAN], 5)),
            ("▁".into(), String::new(), String::new())
        );
    }

    #[test]
    fn a_chart_shows_each_curve_and_where_they_meet() {
        let (a, b) = (vec![4.0, 2.0, 1.0], vec![4.0, 3.0]);
        insta::assert_snapshot!(chart(&[('a', &a), ('b', &b)], 20, 4).join("\n"), @r#"
        4.0000 ┤***bb
               ┤   aa***bb
               ┤        aaaaaaa
        1.0000 ┤               aaaaa
               └────────────────────
                epochs 1 to 3
        "#);
        assert!(chart(&[('a', &[])], 10, 3).is_empty());
    }
}
