//! The simulator's own layers: the market knows nothing of the protocol, and neither knows the server.
#![expect(clippy::unwrap_used, reason = "a test ends where its sources cannot be read")]

use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Lines of a module that name another part of this crate than the module itself.
fn names_outside(module: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module);
    let mut found = Vec::new();
    for path in sources(&root) {
        let text = std::fs::read_to_string(&path).unwrap();
        let inside = format!("crate::{module}");
        let outside = text.lines().filter(|line| line.contains("crate::") && !line.contains(&inside));
        found.extend(outside.map(|line| format!("{}: {line}", path.display())));
    }
    found
}

#[test]
fn market_and_protocol_stand_alone() {
    assert_eq!(names_outside("market"), [""; 0]);
    assert_eq!(names_outside("protocol"), [""; 0]);
}
