//! What is typed in a block, line by line, and what is shown for it.

/// Something typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) command: String,
    /// In the document.
    pub(super) line: usize,
    /// What the document shows below it; of a script nothing.
    pub(super) shown: Vec<String>,
}

/// The commands of an `sh` block. Lines that end with a backslash go on; remarks are for people.
pub(super) fn script(text: &str, first: usize) -> Vec<Typed> {
    let mut typed: Vec<Typed> = Vec::new();
    let mut goes_on = false;
    for (line, text) in (first..).zip(text.lines()) {
        if let Some(last) = typed.last_mut().filter(|_| goes_on) {
            last.command.push('\n');
            last.command.push_str(text);
        } else if !text.trim().is_empty() && !text.trim_start().starts_with('#') {
            typed.push(Typed { command: text.to_owned(), line, shown: Vec::new() });
        }
        goes_on = text.ends_with('\\');
    }
    typed
}

/// The exchanges of a `console` block: `$ ` begins a command, everything else is what it said.
pub(super) fn session(text: &str, first: usize) -> Vec<Typed> {
    let mut typed: Vec<Typed> = Vec::new();
    for (line, text) in (first..).zip(text.lines()) {
        match (text.strip_prefix("$ "), typed.last_mut()) {
            (Some(command), _) => typed.push(Typed { command: command.to_owned(), line, shown: Vec::new() }),
            (None, Some(last)) => last.shown.push(text.to_owned()),
            (None, None) => {}
        }
    }
    // empty lines between two exchanges are for the eye
    for one in &mut typed {
        while one.shown.last().is_some_and(|line| line.trim().is_empty()) {
            one.shown.pop();
        }
    }
    typed
}

impl Typed {
    /// How it ends: 0, unless its remark says `exits N`.
    pub(super) fn expected_exit(&self) -> i32 {
        let number = |remark: &str| {
            remark.split_whitespace().next().and_then(|word| word.trim_end_matches([':', ',', ';', '.']).parse().ok())
        };
        self.command.rsplit_once("# exits ").and_then(|(_, remark)| number(remark)).unwrap_or(0)
    }
}

#[test]
fn a_script_is_its_commands() {
    let typed = script("# first\nktrdr a \\\n  b\n\nktrdr c # exits 7: none\n", 10);
    let told: Vec<_> = typed.iter().map(|one| (one.command.as_str(), one.line, one.expected_exit())).collect();
    assert_eq!(told, [("ktrdr a \\\n  b", 11, 0), ("ktrdr c # exits 7: none", 14, 7)]);
}

#[test]
fn a_session_is_commands_and_what_they_said() {
    let typed = session("$ ktrdr a\none\n\ntwo\n\n$ ktrdr b\n", 3);
    let told: Vec<_> = typed.iter().map(|one| (one.command.as_str(), one.line, one.shown.join("|"))).collect();
    assert_eq!(told, [("ktrdr a", 3, "one||two".to_owned()), ("ktrdr b", 8, String::new())]);
}
