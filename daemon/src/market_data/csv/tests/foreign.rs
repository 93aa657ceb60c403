//! Any file, read as each kind of series, whole and in pieces.

use ktrdr_foreign::Target;

use super::{properties::check, *};
use crate::error::in_line;

#[test]
fn foreign_bytes() {
    let all = [
        options(Timeframe::Hours1, None),
        options(Timeframe::Minutes1, Some("America/New_York")),
        options(Timeframe::Days1, None),
    ];
    // a row takes three times its 64 bytes while the columns grow, and each file is read twice to be compared
    Target::new(env!("CARGO_MANIFEST_DIR"), "csv").memory(32, 1 << 20).check(|bytes| {
        let mut answer = Err(String::new());
        for options in &all {
            check(bytes, &[bytes.len() / 3, bytes.len() / 2], options).unwrap();
            answer = read(bytes, options.timeframe, None).map_err(|error| in_line(&error));
        }
        let file = answer?;
        let kinds = file.rejected.iter().chain(&file.notes).map(|finding| finding.reason);
        Ok(format!("{} {}", if file.bars.is_empty() { "none" } else { "some" }, kinds.collect::<Vec<_>>().join(" ")))
    });
}
