//! Whether an output is the one that a document shows, but for what differs from run to run.

use std::sync::LazyLock;

use regex::Regex;

/// What differs, and what stands for it.
static VARYING: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let all = [
        (r"\bop_([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}\b", "op_${1}_ID"),
        (r"\bpid(:?) +\d+", "pid${1} N"),
        // prices are older than that; the present is not
        (r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?", "NOW"),
        (r"\b\d+\.\d+ ?(s|m|ms|µs)\b", "TIME"),
        (r"\b\d+ (ms|µs)\b", "TIME"),
        (r"\b\d+(\.\d+)? (KiB|MiB|GiB|TiB)\b", "SIZE"),
        // how far it had come by then
        (r"\bcancelled +\d+%", "cancelled N%"),
        (r"\bbuild [0-9][^ ,]*", "build B"),
        // a column is as wide as what is in it
        (r"─+", "─"),
        (r" +", " "),
    ];
    all.iter().filter_map(|(pattern, put)| Some((Regex::new(pattern).ok()?, *put))).collect()
});

fn plain(line: &str) -> String {
    VARYING
        .iter()
        .fold(line.trim_end().to_owned(), |line, (pattern, put)| pattern.replace_all(&line, *put).into_owned())
}

/// A line that is `…` stands for any lines, `…` in a line for any text.
pub(super) fn alike(shown: &[String], told: &[String]) -> bool {
    let [shown, told] = [shown, told].map(|lines| lines.iter().map(|line| plain(line)).collect::<Vec<_>>());
    lines_fit(&shown, &told)
}

fn lines_fit(shown: &[String], told: &[String]) -> bool {
    match shown.split_first() {
        None => told.is_empty(),
        Some((line, rest)) if line.trim() == "…" => (0..=told.len()).any(|skipped| lines_fit(rest, &told[skipped..])),
        Some((line, rest)) => {
            told.split_first().is_some_and(|(first, others)| fits(line, first) && lines_fit(rest, others))
        }
    }
}

fn fits(shown: &str, told: &str) -> bool {
    let Some((begin, rest)) = shown.split_once('…') else { return shown == told };
    let Some(told) = told.strip_prefix(begin) else { return false };
    (0..=told.len()).any(|at| told.is_char_boundary(at) && fits(rest, &told[at..]))
}

#[test]
fn what_differs_from_run_to_run_is_alike_and_nothing_else_is() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let alike = |shown: &str, told: &str| alike(&lines(shown), &lines(told));
    assert!(alike("Duration  0.1s  pid 7\n────", "Duration      12.5s  pid 4321\n──"));
    assert!(alike(
        "op_load_01M8NEM759VGVXMZFSGJ785DWN 2026-11-30T05:25:13Z",
        "op_load_01M8NF9R9X947N5E573EAARBBR 2031-01-01T00:00:00.5Z"
    ));
    assert!(!alike("Bars stored 1,632", "Bars stored 1,631") && !alike("2025-01-02", "2025-01-03"));
    assert!(alike("a\n…\nz", "a\nb\nc\nz") && alike("a\n…", "a") && !alike("a\n…\nz", "a\nb"));
    assert!(alike("free: … left", "free: 74 left") && !alike("free: … left", "free: 74 right"));
    assert!(!alike("a", "a\nb") && !alike("a\nb", "a"));
}
