//! Which row of a table is selected, and which rows fit (pure).

use std::ops::Range;

/// Until it is moved it stays on its row; then it stays on what it was moved to, wherever that goes.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    name: Option<String>,
    row: usize,
}

/// How far a key moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Up(usize),
    Down(usize),
    First,
    Last,
}

impl Cursor {
    /// The row it is on; `None` when there is none.
    pub(super) fn row(&self, names: &[String]) -> Option<usize> {
        let last = names.len().checked_sub(1)?;
        let followed = self.name.as_ref().and_then(|name| names.iter().position(|other| other == name));
        Some(followed.unwrap_or(self.row).min(last))
    }

    pub(super) fn step(&mut self, names: &[String], step: Step) {
        let (Some(row), Some(last)) = (self.row(names), names.len().checked_sub(1)) else { return };
        self.row = match step {
            Step::Up(rows) => row.saturating_sub(rows),
            Step::Down(rows) => row.saturating_add(rows).min(last),
            Step::First => 0,
            Step::Last => last,
        };
        // at the top it waits for what comes there
        self.name = names.get(self.row).filter(|_| step != Step::First).cloned();
    }
}

/// The rows that fit: those around the selected one.
pub(super) fn window(row: usize, rows: usize, room: usize) -> Range<usize> {
    let first = row.saturating_sub(room / 2).min(rows.saturating_sub(room));
    first..rows.min(first + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn it_follows_what_it_was_moved_to() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.row(&[]), None);
        assert_eq!(cursor.row(&names("a b c")), Some(0));
        assert_eq!(cursor.row(&names("x a b c")), Some(0), "nobody moved it");
        cursor.step(&names("a b c"), Step::Down(1));
        assert_eq!(cursor.row(&names("x a b c")), Some(2));
        assert_eq!(cursor.row(&names("a c")), Some(1), "b is gone: what is there now");
        assert_eq!(cursor.row(&names("a")), Some(0));
        assert_eq!(cursor.row(&[]), None);
    }

    #[test]
    fn it_stays_on_the_table() {
        let all = names("a b c d e");
        let mut cursor = Cursor::default();
        for (step, row) in [
            (Step::Up(1), 0),
            (Step::Down(3), 3),
            (Step::Down(usize::MAX), 4),
            (Step::Up(2), 2),
            (Step::Last, 4),
            (Step::First, 0),
        ] {
            cursor.step(&all, step);
            assert_eq!(cursor.row(&all), Some(row), "{step:?}");
        }
        assert_eq!(cursor.row(&names("x a")), Some(0), "the first, whoever that is");
        cursor.step(&[], Step::Down(1));
        assert_eq!(cursor.row(&[]), None);
    }

    #[test]
    fn the_selected_row_is_always_seen() {
        for rows in 1..30 {
            for row in 0..rows {
                for room in 1..35 {
                    let seen = window(row, rows, room);
                    assert!(seen.contains(&row) && seen.len() == room.min(rows), "{row} of {rows} in {room}: {seen:?}");
                }
            }
        }
        assert_eq!(window(0, 5, 0), 0..0);
    }
}
