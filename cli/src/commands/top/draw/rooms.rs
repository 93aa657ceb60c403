//! Which part of the picture gets how many lines.

use super::super::state::Pane;

/// A rule and the titles of columns.
const AROUND_ROWS: u16 = 2;
/// Rows that a pane has before the one with the focus gets more.
const ROWS: [u16; 3] = [4, 3, 3];
/// Fewer rows would be no use to somebody who wants to select one.
const ROWS_IN_FOCUS: u16 = 3;
/// A rule and two lines.
const DETAIL: u16 = 3;

/// Lines of each, from the top; 0: left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rooms {
    pub(super) panes: [u16; 3],
    pub(super) detail: u16,
}

/// Shares out the lines below the header. What has no rows needs none, but for the operations, which say that there are none.
pub(super) fn rooms(lines: u16, rows: [usize; 3], focus: Pane) -> Rooms {
    let wanted = |pane: Pane| match rows[pane as usize] {
        0 if pane != Pane::Operations => 0,
        rows => AROUND_ROWS.saturating_add(u16::try_from(rows.max(1)).unwrap_or(u16::MAX)),
    };
    let needed = wanted(focus).min(AROUND_ROWS + ROWS_IN_FOCUS);
    let detail = if rows[focus as usize] > 0 { DETAIL } else { 0 };
    let mut rooms = Rooms { detail, ..Rooms::default() };
    for pane in Pane::ALL.into_iter().filter(|pane| *pane != focus) {
        rooms.panes[pane as usize] = wanted(pane).min(AROUND_ROWS + ROWS[pane as usize]);
    }
    // where room is short, the least needed goes
    let mut goes = [None, Some(Pane::Series), Some(Pane::Services), Some(Pane::Operations)].into_iter();
    while rooms.taken() + needed > lines
        && let Some(part) = goes.next()
    {
        match part {
            None => rooms.detail = 0,
            Some(pane) => rooms.panes[pane as usize] = 0,
        }
    }
    rooms.panes[focus as usize] = wanted(focus).min(lines - rooms.taken());
    // and where it is not, those that have more rows get it
    for pane in Pane::ALL {
        let spare = lines - rooms.taken();
        let room = &mut rooms.panes[pane as usize];
        if *room > 0 {
            *room = wanted(pane).min(*room + spare);
        }
    }
    rooms
}

impl Rooms {
    fn taken(&self) -> u16 {
        self.panes.iter().sum::<u16>() + self.detail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_gets_what_the_others_do_not_need() {
        let at = |lines, rows, focus| {
            let rooms = rooms(lines, rows, focus);
            (rooms.panes, rooms.detail)
        };
        assert_eq!(at(20, [100, 2, 300], Pane::Operations), ([8, 4, 5], 3));
        assert_eq!(at(20, [100, 2, 300], Pane::Series), ([6, 4, 7], 3));
        assert_eq!(at(40, [3, 2, 300], Pane::Operations), ([5, 4, 28], 3));
        assert_eq!(at(16, [100, 2, 300], Pane::Operations), ([7, 4, 5], 0), "details go first");
        assert_eq!(at(13, [100, 2, 300], Pane::Operations), ([9, 4, 0], 0));
        assert_eq!(at(6, [100, 2, 300], Pane::Services), ([0, 4, 0], 0));
        assert_eq!(at(20, [0, 0, 0], Pane::Operations), ([3, 0, 0], 0));
        assert_eq!(at(2, [9, 9, 9], Pane::Series), ([0, 0, 2], 0));
    }

    #[test]
    fn nothing_is_shared_out_twice() {
        for lines in 0..80 {
            for rows in [[0, 0, 0], [1, 0, 1], [9, 2, 3], [100, 20, 300], [usize::MAX; 3]] {
                for focus in Pane::ALL {
                    let rooms = rooms(lines, rows, focus);
                    assert!(rooms.taken() <= lines, "{lines} {rows:?} {focus:?}: {rooms:?}");
                }
            }
        }
    }
}
