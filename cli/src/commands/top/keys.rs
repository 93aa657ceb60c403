//! What a key does (pure).

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    cursor::Step,
    state::{Over, Pane, State, Wish},
};
use crate::{follow::has_ended, output::table::Tone};

/// Rows of a page.
const PAGE: usize = 10;

/// Keys as the help shows them.
pub(super) const HELP: [(&str, &str); 11] = [
    ("q Esc Ctrl-C", "leave"),
    ("? h", "this help"),
    ("Tab Shift-Tab", "operations, host services, series"),
    ("↑ ↓ k j", "select the row before, the next one"),
    ("PgUp PgDn", "ten rows up, down"),
    ("g Home, G End", "the first row, the last one"),
    ("c", "cancel the selected operation; asks before"),
    ("s", "another order"),
    ("e", "show or hide what has ended"),
    ("p", "pause, go on"),
    ("Ctrl-L Ctrl-Z", "draw anew, suspend"),
];

impl State {
    /// What a key changes here, and what the loop is to do.
    pub(super) fn pressed(&mut self, key: KeyEvent) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::Nothing;
        }
        self.notice = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Wish::Leave,
                KeyCode::Char('l') => Wish::Redraw,
                KeyCode::Char('z') => Wish::Suspend,
                _ => Wish::Nothing,
            };
        }
        match std::mem::take(&mut self.over) {
            Over::Nothing => self.pressed_on_picture(key.code),
            // any key takes it away
            Over::Help => Wish::Nothing,
            Over::Question(id) if matches!(key.code, KeyCode::Char('y' | 'Y')) => {
                self.stopping.insert(id.clone());
                Wish::Cancel(id)
            }
            Over::Question(id) => {
                self.notice = Some((format!("{id} goes on"), Tone::Plain));
                Wish::Nothing
            }
        }
    }

    fn pressed_on_picture(&mut self, code: KeyCode) -> Wish {
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Wish::Leave,
            KeyCode::Char('?' | 'h') => self.over = Over::Help,
            KeyCode::Up | KeyCode::Char('k') => self.step(Step::Up(1)),
            KeyCode::Down | KeyCode::Char('j') => self.step(Step::Down(1)),
            KeyCode::PageUp => self.step(Step::Up(PAGE)),
            KeyCode::PageDown => self.step(Step::Down(PAGE)),
            KeyCode::Home | KeyCode::Char('g') => self.step(Step::First),
            KeyCode::End | KeyCode::Char('G') => self.step(Step::Last),
            KeyCode::Tab => self.turn(1),
            KeyCode::BackTab => self.turn(Pane::ALL.len() - 1),
            KeyCode::Char('c') => self.ask_to_cancel(),
            KeyCode::Char('s') => self.reorder(),
            KeyCode::Char('e') => self.ended_hidden = !self.ended_hidden,
            KeyCode::Char('p') => self.paused = !self.paused,
            _ => {}
        }
        Wish::Look
    }

    fn step(&mut self, step: Step) {
        let names = self.names(self.pane);
        self.cursors[self.pane as usize].step(&names, step);
    }

    /// To another pane that has rows, or to the operations.
    fn turn(&mut self, by: usize) {
        for _ in Pane::ALL {
            self.pane = Pane::ALL[(self.pane as usize + by) % Pane::ALL.len()];
            if self.pane == Pane::Operations || !self.names(self.pane).is_empty() {
                return;
            }
        }
    }

    fn ask_to_cancel(&mut self) {
        if self.pane != Pane::Operations {
            self.notice = Some(("Tab leads to the operations".to_owned(), Tone::Plain));
            return;
        }
        let Some(operation) = self.selected_operation() else { return };
        let id = operation.id.clone();
        if has_ended(operation) {
            self.notice = Some((format!("{id} has ended already"), Tone::Plain));
        } else if self.stopping.contains(&id) {
            self.notice = Some((format!("{id} is being cancelled"), Tone::Plain));
        } else {
            self.over = Over::Question(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use ktrdr_proto::v1::{HostService, Operation, OperationState};

    use super::*;
    use crate::commands::top::look::Look;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn typed(state: &mut State, keys: &str) -> Vec<Wish> {
        keys.chars().map(|letter| state.pressed(key(KeyCode::Char(letter)))).collect()
    }

    fn state(states: &[(&str, OperationState)]) -> State {
        let operation = |(id, state): &(&str, OperationState)| Operation {
            id: (*id).to_owned(),
            state: (*state).into(),
            ..Operation::default()
        };
        State::new(Look { at_ns: 1, operations: states.iter().map(operation).collect(), ..Look::default() })
    }

    #[test]
    fn cancelling_asks_first() {
        let mut state = state(&[("a", OperationState::Running), ("b", OperationState::Running)]);
        assert_eq!(typed(&mut state, "jc"), [Wish::Look, Wish::Look]);
        assert_eq!(state.over, Over::Question("b".to_owned()));
        assert_eq!(typed(&mut state, "n"), [Wish::Nothing]);
        assert_eq!((&state.over, state.stopping.len()), (&Over::Nothing, 0));
        assert_eq!(typed(&mut state, "cy"), [Wish::Look, Wish::Cancel("b".to_owned())]);
        assert!(state.stopping.contains("b"));
        typed(&mut state, "c");
        assert_eq!(state.over, Over::Nothing, "once is enough");
        // a question is no place to leave from by accident, and Esc is a no
        typed(&mut state, "kc");
        assert_eq!(state.pressed(key(KeyCode::Esc)), Wish::Nothing);
        assert_eq!(typed(&mut state, "cq"), [Wish::Look, Wish::Nothing]);
    }

    #[test]
    fn what_has_ended_is_not_cancelled() {
        let mut ended = state(&[("a", OperationState::Completed)]);
        typed(&mut ended, "c");
        assert_eq!(ended.over, Over::Nothing);
        assert_eq!(ended.notice.as_ref().map(|(text, _)| text.as_str()), Some("a has ended already"));
        typed(&mut ended, "e");
        assert!(ended.operations().is_empty() && ended.notice.is_none());
        typed(&mut ended, "cjkgG");
        assert_eq!(ended.over, Over::Nothing, "nothing is selected");
    }

    #[test]
    fn every_way_out() {
        let mut state = state(&[]);
        assert_eq!(typed(&mut state, "q"), [Wish::Leave]);
        assert_eq!(state.pressed(key(KeyCode::Esc)), Wish::Leave);
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(state.pressed(control('c')), Wish::Leave);
        assert_eq!(state.pressed(control('z')), Wish::Suspend);
        assert_eq!(state.pressed(control('l')), Wish::Redraw);
        typed(&mut state, "?");
        assert_eq!(state.over, Over::Help);
        assert_eq!(state.pressed(control('c')), Wish::Leave, "whatever lies over it");
        typed(&mut state, "x");
        typed(&mut state, "?");
        assert_eq!((typed(&mut state, "q"), &state.over), (vec![Wish::Nothing], &Over::Nothing), "that was the help");
    }

    #[test]
    fn panes_without_rows_are_passed_over() {
        let mut state = state(&[]);
        state.pressed(key(KeyCode::Tab));
        assert_eq!(state.pane, Pane::Operations);
        state.look.services.push(HostService { name: "gpu1".to_owned(), ..HostService::default() });
        state.pressed(key(KeyCode::BackTab));
        assert_eq!(state.pane, Pane::Services);
        typed(&mut state, "c");
        assert_eq!(state.over, Over::Nothing);
        state.pressed(key(KeyCode::Tab));
        assert_eq!(state.pane, Pane::Operations);
    }

    #[test]
    fn a_pause_is_one_for_looks_only() {
        let mut state = state(&[("a", OperationState::Running)]);
        typed(&mut state, "p");
        assert!(state.paused && !state.may_ask());
        typed(&mut state, "s");
        assert_eq!(state.of_operations.word(), "newest first");
        typed(&mut state, "p");
        assert!(state.may_ask());
    }
}
