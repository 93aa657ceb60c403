//! What of a time is known, as one line of marks. Nights and weekends count as known, so a mark for a stretch of which all
//! sessions are missing is one of which a fifth is.

/// Marks in the line.
const WIDTH: i64 = 60;

/// From the start to the end; ranges are ascending and disjoint.
pub(crate) fn line(start: i64, end: i64, covered: &[(i64, i64)]) -> String {
    let length = (i128::from(end) - i128::from(start)).max(1);
    let at = |part: i64| i128::from(start) + length * i128::from(part) / i128::from(WIDTH);
    let mark = |part: i64| {
        let (from, to) = (at(part), at(part + 1).max(at(part) + 1));
        let overlap = |(start, end): &(i64, i64)| (i128::from(*end).min(to) - i128::from(*start).max(from)).max(0);
        let known: i128 = covered.iter().map(overlap).sum();
        match known * 100 / (to - from) {
            100.. => '█',
            80.. => '▒',
            _ => '·',
        }
    };
    (0..WIDTH).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_dark_and_what_is_not_is_a_dot() {
        let text = line(0, 600, &[(0, 300), (450, 600)]);
        assert_eq!(text, "█".repeat(30) + &"·".repeat(15) + &"█".repeat(15));
        assert_eq!(line(0, 600, &[(0, 9)]).chars().next(), Some('▒'));
        // of a day, the regular hours are missing
        assert_eq!(line(0, 60 * 240, &[(0, 175), (240, 60 * 240)]).chars().next(), Some('·'));
        assert_eq!(line(i64::MIN, i64::MAX, &[(i64::MIN, i64::MAX)]), "█".repeat(60));
    }
}
