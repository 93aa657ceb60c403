//! An input that broke a law: cut down, stored, told.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

/// Attempts to cut an input down.
const ATTEMPTS_MAX: u32 = 2_000;
/// Bytes of it that are printed.
const SHOWN_MAX: usize = 600;

/// The shortest that still breaks, as far as leaving parts out goes.
pub(crate) fn cut_down(input: &[u8], breaks: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (mut shortest, mut attempts) = (input.to_vec(), 0);
    let mut size = shortest.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < shortest.len() && attempts < ATTEMPTS_MAX {
            attempts += 1;
            let mut without = shortest.clone();
            drop(without.drain(at..(at + size).min(shortest.len())));
            if breaks(&without) {
                shortest = without;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    shortest
}

/// Stores what broke a law and says how to go on.
#[expect(clippy::print_stderr, reason = "what a failing test has to say")]
pub fn keep(target: &str, input: &[u8], why: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let folder = folder().join(target);
    let path = folder.join(format!("{:016x}", hasher.finish()));
    let stored = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input));
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    eprintln!(
        "{target}: {why}\n  {} bytes: {}\n  stored ({}): {path}\n  again: KTRDR_FUZZ_INPUT={path} cargo test -p {package} foreign\n  \
         keep it: move it to corpus/{target}/ of that package, under a name that tells what it was",
        input.len(),
        input[..input.len().min(SHOWN_MAX)].escape_ascii(),
        stored.map_or_else(|error| error.to_string(), |()| "well".into()),
        path = path.display(),
    );
    path
}

/// `target/foreign`, as this program lies in `target/PROFILE/deps`.
fn folder() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(3).map_or_else(std::env::temp_dir, PathBuf::from).join("foreign")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_to_break_stays() {
        let breaks = |input: &[u8]| input.contains(&b'A') && input.contains(&b'Z');
        assert_eq!(cut_down(b"one A and two Z and more", breaks), b"AZ");
        assert_eq!(cut_down(b"", |_| true), b"");
    }
}
