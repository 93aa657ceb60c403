//! What a reader made of its bytes, and what holds of any answer.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What was taken, in a word or two that tell one kind from another; or what a person is told.
pub type Answer = Result<String, String>;

/// Whether a person can be told this: it says something, and nothing that a terminal would obey.
///
/// # Panics
/// When not.
pub fn fit_to_print(text: &str) {
    assert!(!text.trim().is_empty(), "the answer says nothing");
    let obeyed = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(obeyed.is_none(), "the answer holds the control character {obeyed:?}: {text:?}");
}

/// Equal for answers that differ in figures and names only.
pub(crate) fn kind(answer: &Answer) -> u64 {
    let (taken, text) = match answer {
        Ok(text) => (true, text),
        Err(text) => (false, text),
    };
    let mut hasher = DefaultHasher::new();
    taken.hash(&mut hasher);
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= matches!(c, '"' | '`');
        if !quoted && c.is_alphabetic() {
            c.hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_names_make_no_new_kind() {
        let told = |text: &str| kind(&Err(text.to_owned()));
        assert_eq!(told("line 3: \"x\" is no number"), told("line 17: \"yz\" is no number"));
        assert_ne!(told("line 3: no number"), told("line 3: no word"));
        assert_ne!(kind(&Ok(String::new())), told(""));
    }

    #[test]
    #[should_panic(expected = "control character")]
    fn what_a_terminal_would_obey_is_not_told() {
        fit_to_print("a title\u{1b}]0;x\u{7}");
    }
}
