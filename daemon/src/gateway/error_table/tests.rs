//! What codes and texts mean, and that the handbook shows the same.

use std::fmt::Write as _;

use super::*;

#[test]
fn code_and_text_decide_together() {
    let prefix = "Historical Market Data Service error message:";
    for (code, text, class, name) in [
        (162, "HMDS query returned no data: AAPL@SMART Trades", NoData, "HISTORY_UNAVAILABLE"),
        (162, "API historical data query cancelled: 7", Transient, "REQUEST_CANCELLED"),
        (162, "Historical data request pacing violation", Pacing, "PACING_VIOLATION"),
        (420, "pacing violation", Pacing, "PACING_VIOLATION"),
        (162, "No historical market data for EUR/CASH@IDEALPRO Last", Permanent, "WHAT_TO_SHOW_UNAVAILABLE"),
        (162, "HMDS-Abfrage ergab keine Daten", Transient, "HMDS_UNAVAILABLE"),
        (200, "No security definition has been found for the request", Permanent, "CONTRACT_NOT_FOUND"),
        (200, "The contract description specified is ambiguous", Permanent, "CONTRACT_AMBIGUOUS"),
        (322, "Only 50 simultaneous API historical data requests allowed", Pacing, "TOO_MANY_OPEN_REQUESTS"),
        (354, "Requested market data is not subscribed", Permanent, "NOT_SUBSCRIBED"),
        (99_999, "something new", Permanent, "GATEWAY_ERROR"),
    ] {
        let verdict = classify(code, &format!("{prefix}{text}"));
        assert_eq!((verdict.class, verdict.reason.name), (class, name), "{code} {text}");
    }
}

#[test]
fn no_row_hides_behind_another() {
    for (at, row) in ROWS.iter().enumerate() {
        let (from, _) = row.codes[0];
        let place = |found: &Row| ROWS.iter().position(|row| row.codes == found.codes && row.text == found.text);
        let shown = row.codes.iter().any(|(from, _)| find(*from, row.text).and_then(place) == Some(at));
        let last_resort = at + 1 == ROWS.len();
        assert!(shown || last_resort, "{from} {:?} never decides", row.text);
    }
    assert!(find(2150, "").is_some() && find(9_999, "").is_none());
}

#[test]
fn farms_and_accounts() {
    assert_eq!(farm("HMDS data farm connection is OK:ushmds"), Some("ushmds"));
    assert_eq!(
        farm("HMDS data farm connection is inactive but should be available upon demand.ushmds"),
        Some("ushmds")
    );
    assert_eq!(farm("no colon"), None);
    assert_eq!(weather(2105, "broken:euhmds"), Weather::FarmDown(Farm::History, "euhmds".into()));
    assert_eq!(without_accounts("order for DU1234567, U7654321: no"), "order for ***, ***: no");
    assert_eq!(without_accounts("US 12345 AAPL"), "US 12345 AAPL");
}

fn shown(row: &Row) -> String {
    let codes = row.codes.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}–{to}") });
    let codes: Vec<String> = codes.collect();
    let text = if row.text.is_empty() { "any".to_owned() } else { format!("`{}`", row.text) };
    let scope = match row.scope {
        Request => "request",
        Connection => "connection",
        System => "IB",
        Orders => "orders",
    };
    let class = match row.class {
        Info => "info",
        Warning => "warning",
        Transient => "transient",
        Pacing => "pacing",
        Permanent => "permanent",
        NoData => "no data",
        Link => "connection",
        Fatal => "fatal",
    };
    let ends = !matches!(row.class, Info | Warning) && row.scope != Orders;
    let reason = if ends { format!("`{}`", row.reason.name) } else { String::new() };
    format!("| {} | {text} | {scope} | {class} | {reason} | {} |", codes.join(", "), row.does)
}

#[test]
fn the_handbook_shows_this_table() {
    let mut table =
        String::from("| code | text contains | concerns | what it means | reason | what the daemon does |\n");
    table.push_str("|---|---|---|---|---|---|\n");
    for row in ROWS {
        writeln!(table, "{}", shown(row)).unwrap();
    }
    crate::handbook::shows("GATEWAY.md", "codes", &table);
}
