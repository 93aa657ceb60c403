//! What the gateway's codes mean, as data. Sources: IB's page of message codes; texts seen in public issues of client
//! libraries. "No data" is an error too, and shares its code with pacing and with our own cancel: code *and* text
//! decide, and the first row that fits counts. `docs/GATEWAY.md` shows the same table; a test compares them.

use ktrdr_proto::reason::{self, Reason};

use super::outages::{Farm, Weather};
use ktrdr_proto::text::one_line;

/// What a message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// For information.
    Info,
    /// Something to know; nothing ends.
    Warning,
    /// The same request may succeed later.
    Transient,
    /// Too much was asked.
    Pacing,
    /// The same request will fail again.
    Permanent,
    /// A fact: there is nothing.
    NoData,
    /// The connection, or the gateway's own to IB.
    Connection,
    /// A person is needed.
    Fatal,
}

/// Whom a message concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The request it names.
    Request,
    /// Our connection to the gateway.
    Connection,
    /// IB's side.
    System,
    /// Orders, which we never send.
    Orders,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// From and to, both included.
    pub(super) codes: &'static [(i32, i32)],
    /// Part of the text, in lower case; empty: any text.
    pub(super) text: &'static str,
    /// Whom it concerns.
    pub(super) scope: Scope,
    /// What it means.
    pub(super) class: Class,
    /// What is told, when a request ends with it.
    pub(super) reason: &'static Reason,
    /// What the daemon does.
    pub(super) does: &'static str,
}

const fn row(
    codes: &'static [(i32, i32)],
    text: &'static str,
    scope: Scope,
    class: Class,
    reason: &'static Reason,
    does: &'static str,
) -> Row {
    Row { codes, text, scope, class, reason, does }
}

const fn one(code: i32) -> (i32, i32) {
    (code, code)
}

/// History is refused with one code for everything; so are others that mean the same.
const HISTORY: &[(i32, i32)] = &[one(162), one(420), one(10187), one(10189), one(10190)];

use Class::{Connection as Link, Fatal, Info, NoData, Pacing, Permanent, Transient, Warning};
use Scope::{Connection, Orders, Request, System};

/// The table.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(HISTORY, "pacing violation", Request, Pacing, &reason::PACING_VIOLATION, "stops asking for a minute, longer each time, then asks half as much for an hour"),
    row(HISTORY, "query cancelled", Request, Transient, &reason::REQUEST_CANCELLED, "ignores the echo of its own cancel; asks again if it did not cancel"),
    row(HISTORY, "returned no data", Request, NoData, &reason::HISTORY_UNAVAILABLE, "remembers that there is nothing, unless history is away or the day is not over"),
    row(HISTORY, "no market data permissions", Request, Permanent, &reason::NOT_SUBSCRIBED, "ends the request"),
    row(HISTORY, "not subscribed", Request, Permanent, &reason::NOT_SUBSCRIBED, "ends the request"),
    row(HISTORY, "different ip address", Request, Transient, &reason::COMPETING_SESSION, "asks for no data for a minute, then again"),
    row(HISTORY, "competing", Request, Transient, &reason::COMPETING_SESSION, "asks for no data for a minute, then again"),
    row(HISTORY, "no historical market data for", Request, Permanent, &reason::WHAT_TO_SHOW_UNAVAILABLE, "ends the request"),
    row(HISTORY, "no data of type", Request, Permanent, &reason::WHAT_TO_SHOW_UNAVAILABLE, "ends the request"),
    row(HISTORY, "expired", Request, Permanent, &reason::HISTORY_UNAVAILABLE, "ends the request"),
    row(HISTORY, "unknown contract", Request, Permanent, &reason::HISTORY_UNAVAILABLE, "ends the request"),
    row(HISTORY, "invalid step", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request"),
    row(HISTORY, "time length exceed", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request"),
    row(HISTORY, "is invalid", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request"),
    row(HISTORY, "must occur before", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request"),
    row(&[one(10189), one(10190)], "", Request, Permanent, &reason::TICKER_LIMIT, "ends the request"),
    row(&[one(162), one(420), one(10187)], "", Request, Transient, &reason::HMDS_UNAVAILABLE, "asks three times, 15 s apart at least; a text in another language is never taken for no data"),
    row(&[one(100)], "", Connection, Pacing, &reason::MESSAGE_RATE_EXCEEDED, "sends nothing for 5 s, then asks again"),
    row(&[one(101)], "", Request, Permanent, &reason::TICKER_LIMIT, "ends the request"),
    row(&[one(102)], "", Request, Permanent, &reason::DUPLICATE_REQUEST_ID, "ends the request; a defect of ours"),
    row(&[(103, 161), (201, 203), one(399)], "", Orders, Info, &reason::GATEWAY_ERROR, "ignores it: no order is ever sent"),
    row(&[one(165)], "successful", Request, Info, &reason::HMDS_UNAVAILABLE, "waits on"),
    row(&[one(165)], "", Request, Transient, &reason::HMDS_UNAVAILABLE, "asks three times"),
    row(&[one(166)], "", Request, Permanent, &reason::HISTORY_UNAVAILABLE, "ends the request"),
    row(&[one(200)], "ambiguous", Request, Permanent, &reason::CONTRACT_AMBIGUOUS, "ends the request and tells the candidates"),
    row(&[one(200)], "", Request, Permanent, &reason::CONTRACT_NOT_FOUND, "ends the request; never remembered"),
    row(&[one(300), one(310), one(365), one(385), one(386)], "", Request, Info, &reason::REQUEST_UNKNOWN, "ignores it: what was cancelled had already ended"),
    row(&[one(366)], "", Request, Transient, &reason::REQUEST_UNKNOWN, "ignores it after a cancel; asks again when the gateway has lost a request"),
    row(&[one(309), one(316), one(317)], "", Request, Warning, &reason::GATEWAY_ERROR, "waits on: market depth is not used"),
    row(&[one(320)], "", Request, Transient, &reason::REQUEST_UNREADABLE, "asks again"),
    row(&[one(321)], "", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request and shows the text, which names the field"),
    row(&[one(322)], "only 50 simultaneous", Request, Pacing, &reason::TOO_MANY_OPEN_REQUESTS, "keeps one request open at a time until the next session, and asks again"),
    row(&[one(322)], "duplicate ticker id", Request, Permanent, &reason::DUPLICATE_REQUEST_ID, "ends the request; a defect of ours"),
    row(&[one(322), one(323)], "", Request, Transient, &reason::GATEWAY_INTERNAL_ERROR, "asks again"),
    row(&[one(326)], "", Connection, Link, &reason::CLIENT_ID_IN_USE, "waits 10 s and more, then tries the next of three ids"),
    row(&[one(327)], "", Connection, Permanent, &reason::GATEWAY_ERROR, "ends the request; a defect of ours"),
    row(&[one(354)], "", Request, Permanent, &reason::NOT_SUBSCRIBED, "ends the request"),
    row(&[one(430)], "", Request, NoData, &reason::HISTORY_UNAVAILABLE, "ends the request"),
    row(&[one(438)], "", System, Fatal, &reason::GATEWAY_LOCKED, "says that a person must unlock the gateway"),
    row(&[one(501)], "", Connection, Info, &reason::GATEWAY_ERROR, "ignores it"),
    row(&[one(502), one(504)], "", Connection, Link, &reason::GATEWAY_UNREACHABLE, "connects again after a pause"),
    row(&[one(503)], "", Connection, Fatal, &reason::GATEWAY_TOO_OLD, "says which version is needed"),
    row(&[(505, 508)], "", Connection, Link, &reason::PROTOCOL_ERROR, "closes and connects again after a pause"),
    row(&[one(1100), one(2110)], "", System, Link, &reason::UPSTREAM_LOST, "keeps the connection, sends nothing, and takes no answer for a fact"),
    row(&[one(1101)], "", System, Info, &reason::UPSTREAM_LOST, "asks again for what was open, and subscribes again"),
    row(&[one(1102)], "", System, Info, &reason::UPSTREAM_LOST, "goes on"),
    row(&[one(1300)], "", Connection, Link, &reason::GATEWAY_PORT_RESET, "tells the new port; ib.port says which one is used"),
    row(&[one(2103)], "", System, Warning, &reason::FARM_BROKEN, "shows it; never reconnects for it"),
    row(&[one(2104), one(2108), one(2119)], "", System, Info, &reason::FARM_BROKEN, "shows it"),
    row(&[one(2105)], "", System, Warning, &reason::HMDS_UNAVAILABLE, "holds requests for history up to a minute, then goes on"),
    row(&[one(2106), one(2107)], "", System, Info, &reason::HMDS_UNAVAILABLE, "goes on; an inactive farm wakes when it is asked"),
    row(&[one(2157)], "", System, Warning, &reason::SECDEF_UNAVAILABLE, "holds lookups of contracts up to a minute, then goes on"),
    row(&[one(2158)], "", System, Info, &reason::SECDEF_UNAVAILABLE, "goes on"),
    row(&[(2100, 2102), one(2109), one(2137), one(2148), one(2161), (2168, 2170)], "", Orders, Info, &reason::GATEWAY_ERROR, "ignores it"),
    row(&[one(2174), one(2176), one(2188)], "", Request, Warning, &reason::GATEWAY_ERROR, "waits on: the data still come"),
    row(&[one(10089), one(10091), one(10168), one(10186)], "", Request, Permanent, &reason::NOT_SUBSCRIBED, "ends the request"),
    row(&[one(10090)], "", Request, Warning, &reason::PARTLY_SUBSCRIBED, "waits on: the rest comes"),
    row(&[one(10167)], "", Request, Warning, &reason::NOT_SUBSCRIBED, "waits on: delayed data come"),
    row(&[one(10182), one(10225)], "", Request, Transient, &reason::STREAM_LOST, "subscribes again"),
    row(&[one(10197)], "", System, Transient, &reason::COMPETING_SESSION, "asks for no data for a minute, then again"),
    row(&[one(10285)], "", Connection, Fatal, &reason::CLIENT_TOO_OLD, "ends the request: update ktrdr"),
    row(&[one(10299)], "", Request, Permanent, &reason::WHAT_TO_SHOW_UNAVAILABLE, "ends the request; the text names the right prices"),
    row(&[one(10314), one(10339)], "", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request and shows the text"),
    row(&[(2100, 2199)], "", System, Warning, &reason::GATEWAY_ERROR, "logs and counts it; nothing ends"),
];

/// For codes that no row has: as an answer to a request.
const UNKNOWN: Row = row(&[], "", Request, Permanent, &reason::GATEWAY_ERROR, "ends the request with code and text");

impl Row {
    fn fits(&self, code: i32, text: &str) -> bool {
        self.codes.iter().any(|(from, to)| (*from..=*to).contains(&code)) && text.contains(self.text)
    }
}

/// The meaning of one error message that ends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub class: Class,
    /// What to tell.
    pub reason: &'static Reason,
}

/// The row of a message; `None` for a code that is not listed.
pub(super) fn find(code: i32, text: &str) -> Option<&'static Row> {
    let text = text.to_lowercase();
    ROWS.iter().find(|row| row.fits(code, &text))
}

/// The meaning of a message that ended one of our requests.
pub(super) fn classify(code: i32, text: &str) -> Verdict {
    let row = find(code, text).unwrap_or(&UNKNOWN);
    let class = match row.class {
        // whatever it was meant to say, it ended a request without an answer: asking once more is safe
        Info | Warning => Transient,
        class => class,
    };
    Verdict { class, reason: row.reason }
}

/// Codes that the crate takes for information even when they name a request and it gets nothing else.
pub(super) fn is_kept_back(code: i32) -> bool {
    find(code, "").is_some_and(|row| row.scope == Request && row.class == Permanent)
}

/// What a message that names no request says about IB's side.
pub(super) fn weather(code: i32, text: &str) -> Weather {
    let farm = || farm(text).unwrap_or("unnamed").to_owned();
    match code {
        438 => Weather::Locked,
        1100 | 2110 => Weather::UpstreamLost,
        1101 => Weather::UpstreamBack { data_lost: true },
        1102 => Weather::UpstreamBack { data_lost: false },
        2103 => Weather::FarmDown(Farm::Market, farm()),
        2105 => Weather::FarmDown(Farm::History, farm()),
        2157 => Weather::FarmDown(Farm::Contracts, farm()),
        2104 | 2108 | 2119 => Weather::FarmUp(Farm::Market, farm()),
        2106 | 2107 => Weather::FarmUp(Farm::History, farm()),
        2158 => Weather::FarmUp(Farm::Contracts, farm()),
        10197 => Weather::Competing,
        _ => Weather::Other,
    }
}

/// A farm of historical data has been announced: requests for bars may be sent.
pub(super) fn announces_history(code: i32) -> bool {
    matches!(code, 2106 | 2107)
}

/// The farm a notice speaks of: what follows the last colon, or "available upon demand.".
fn farm(text: &str) -> Option<&str> {
    let (_, name) = text.rsplit_once(':').or_else(|| text.rsplit_once("demand."))?;
    Some(name.trim())
        .filter(|name| (1..=40).contains(&name.len()) && !name.contains(|c: char| c == ' ' || c.is_control()))
}

/// For people: without account numbers (`DU1234567`, `U1234567`), which the gateway puts into texts, nor what a terminal would obey.
pub(super) fn without_accounts(text: &str) -> String {
    let is_account = |word: &str| {
        let digits = word.trim_start_matches("DU").trim_start_matches(['U', 'F', 'D']);
        digits.len() >= 5 && digits.len() < word.len() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    one_line(text)
        .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_account(word) { format!("***{}", &piece[word.len()..]) } else { piece.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests;
