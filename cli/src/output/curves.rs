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

/// A chart of several curves, each with its letter, epochs to the right: lines of text.
pub(crate) fn chart(curves: &[(char, &[f64])], width: usize, height: usize) -> Vec<String> {
    let all = curves.iter().flat_map(|(_, values)| values.iter().copied());
    let Some((low, high)) = bounds(all) else { return Vec::new() };
    let longest = curves.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let width = width.min(longest.max(2));
    let mut cells = vec![vec![' '; width]; height];
    for (letter, values) in curves {
        for column in 0..width {
            let at = column * (longest - 1).max(1) / (width - 1).max(1);
            if let Some(value) = values.get(at).filter(|value| value.is_finite()) {
                let row = height - 1 - step(*value, low, high, height);
                let Some(cell) = cells.get_mut(row).and_then(|cells| cells.get_mut(column)) else { continue };
                // two on one spot
                *cell = if *cell == ' ' { *letter } else { '*' };
            }
        }
    }
    let label = |row: usize| match row {
        0 => format!("{high:>10.4}"),
        row if row == height - 1 => format!("{low:>10.4}"),
        _ => " ".repeat(10),
    };
    let mut lines: Vec<String> = cells
        .iter()
        .enumerate()
        .map(|(row, cells)| format!("{} ┤{}", label(row), cells.iter().collect::<String>().trim_end()))
        .collect();
    lines.push(format!("{} └{}", " ".repeat(10), "─".repeat(width)));
    lines.push(format!(
        "{}  epoch 1{:>rest$}",
        " ".repeat(10),
        longest,
        rest = width.saturating_sub(7).max(longest.to_string().len() + 1)
    ));
    lines
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
        insta::assert_snapshot!(chart(&[('a', &a), ('b', &b)], 20, 4).join("\n"), @r"
        4.0000 ┤*
               ┤ b
               ┤ a
        1.0000 ┤  a
               └───
                epoch 1 3
        ");
        assert!(chart(&[('a', &[])], 10, 3).is_empty());
    }
}
