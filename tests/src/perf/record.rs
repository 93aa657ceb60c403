//! The table that is kept in `docs/PERFORMANCE.md` between two marks: written anew, compared with what was committed last.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use super::{
    figure::{self, Figure},
    report::{Budget, Outcome, Report, Row},
};

const BEGIN: &str = "<!-- perf:begin -->";
const END: &str = "<!-- perf:end -->";
const FILE: &str = "docs/PERFORMANCE.md";

/// Figures of an earlier table, by what they are of. A title is part of the name.
type Before = BTreeMap<String, (Figure, String)>;

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Puts the report between the marks.
pub(super) fn write(report: &Report) -> Result<()> {
    let path = workspace().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let committed = Command::new("git").args(["show", &format!("HEAD:{FILE}")]).current_dir(workspace()).output();
    let committed = committed.ok().filter(|output| output.status.success());
    let last = committed.map_or_else(|| text.clone(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    let before = section(&last).map(|(_, table, _)| read(table)).unwrap_or_default();
    let (head, _, tail) = section(&text).with_context(|| format!("{FILE} has no {BEGIN} … {END}"))?;
    fs::write(&path, format!("{head}{BEGIN}\n{}{END}{tail}", markdown(report, &before)))
        .with_context(|| format!("cannot write {FILE}"))
}

/// What is before the marks, between them, and after them.
fn section(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.split_once(BEGIN)?;
    let (table, tail) = rest.split_once(END)?;
    Some((head, table, tail))
}

fn read(table: &str) -> Before {
    let (mut before, mut title) = (Before::new(), "");
    for line in table.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, what, _, measured, ..] = cells.as_slice() else { continue };
        if let Some(bold) = what.strip_prefix("**").and_then(|what| what.strip_suffix("**")) {
            title = bold;
        } else if let Some((figure, unit)) = figure::parse(measured) {
            before.insert(name(title, what), (figure, unit.to_owned()));
        }
    }
    before
}

fn name(title: &str, what: &str) -> String {
    format!("{title}\n{what}")
}

fn markdown(report: &Report, before: &Before) -> String {
    let mut text = format!("Measured on {} at commit {}: {}.\n\n", report.date, report.commit, report.machine);
    text.push_str("| | against | measured (95 %) | budget | | before | here |\n|---|---|---|---|---|---|---|\n");
    let mut title = "";
    for (part, row) in report.rows() {
        if part.title != title {
            title = part.title;
            line(&mut text, [&format!("**{title}**"), "", "", "", "", "", ""]);
        }
        let (measured, promise, verdict) = (row.measured(), row.promise(), row.verdict().to_string());
        let was = before.get(&name(title, &row.what)).map(|was| compared(row, was)).unwrap_or_default();
        line(&mut text, [&row.what, &row.against, &measured, &promise, &verdict, &was, row.on_this_machine()]);
    }
    // writing to a string does not fail
    writeln!(text, "\n{}.", report.conclusion()).unwrap_or_default();
    text
}

fn line(text: &mut String, cells: [&str; 7]) {
    let cells = cells.map(|cell| cell.replace('|', "/"));
    writeln!(
        text,
        "|{}|",
        cells.map(|cell| if cell.is_empty() { " ".to_owned() } else { format!(" {cell} ") }).join("|")
    )
    .unwrap_or_default();
}

/// The last figure, and whether this one is another beyond doubt.
fn compared(row: &Row, (was, unit): &(Figure, String)) -> String {
    let mut text = format!("{was} {unit}").trim_end().to_owned();
    if let Outcome::Measured { figure, budget, .. } = &row.outcome
        && figure.is_apart_from(was)
    {
        let lower = figure.value < was.value;
        text.push_str(match budget {
            None => ", **changed**",
            Some(Budget::AtMost(_)) if lower => ", **better**",
            Some(Budget::AtLeast(_)) if !lower => ", **better**",
            Some(_) => ", **worse**",
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::report::Part;

    fn report(value: f64) -> Report {
        let figure = Figure { value, low: value - 0.01, high: value + 0.01 };
        let rows = vec![
            Row::ratio("static `data range`", "the C floor", figure).at_most(2.0).here("0.97 ms"),
            Row::counted("page faults", 138.0, "").at_most(150.0),
            Row::skipped("`redis-cli ping`", "no redis-server"),
        ];
        let parts = vec![Part { name: "commands", title: "A command", rows }];
        Report { machine: "two cores".into(), date: "2026-11-30".into(), commit: "abc1234".into(), parts }
    }

    #[test]
    fn a_table_is_read_again_and_says_what_changed() {
        let first = markdown(&report(1.08), &Before::new());
        assert!(
            first.contains("| static `data range` | the C floor | 1.08 (1.07–1.09) | ≤ 2 | held | | 0.97 ms |"),
            "{first}"
        );
        assert!(first.contains("skipped: no redis-server") && first.contains("all 2 budgets held; 1 rows skipped."));
        let before = read(&first);
        assert_eq!(before.len(), 2);
        let same = markdown(&report(1.09), &before);
        assert!(same.contains("| held | 1.08 (1.07–1.09) |"), "{same}");
        let worse = markdown(&report(1.5), &before);
        assert!(worse.contains("| 1.08 (1.07–1.09), **worse** |"), "{worse}");
        assert!(markdown(&report(0.5), &before).contains("**better**"));
    }

    #[test]
    fn the_documents_have_their_marks() {
        let text = fs::read_to_string(workspace().join(FILE)).unwrap();
        assert!(section(&text).is_some());
    }
}
