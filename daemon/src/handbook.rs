//! For tests: the parts of the documents that programs write, each between `<!-- NAME -->` and `<!-- /NAME -->`.

use std::{
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

/// Fails unless the document in `docs/` shows this text there. With `KTRDR_FREEZE=1` it is written.
#[track_caller]
pub(crate) fn shows(document: &str, name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(document);
    let mut file = File::options().read(true).write(true).open(path).expect("a document");
    // several tests may write into one document
    file.lock().expect("a lock");
    let mut all = String::new();
    file.read_to_string(&mut all).expect("a text");
    let marks = [format!("<!-- {name} -->\n"), format!("<!-- /{name} -->")];
    let (before, rest) = all.split_once(&marks[0]).expect("the first mark");
    let (shown, after) = rest.split_once(&marks[1]).expect("the second mark");
    if std::env::var_os("KTRDR_FREEZE").is_none() {
        assert_eq!(shown, text, "docs/{document}: KTRDR_FREEZE=1 writes it anew");
        return;
    }
    let now = [before, &marks[0], text, &marks[1], after].concat();
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(now.as_bytes())).expect("a write");
}
