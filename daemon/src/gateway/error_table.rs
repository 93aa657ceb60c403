//! What the gateway's error codes mean (pure). Sources: IB's message codes page; texts seen in public issues of client
//! libraries. "No data" is an error too, and shares its code with pacing and with our own cancel: code *and* text
//! decide.

use ktrdr_proto::reason::{self, Reason};

use super::Class;

/// The meaning of one error message that belongs to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub class: Class,
    /// What to tell.
    pub reason: &'static Reason,
    /// It states a fact: there are no such bars.
    pub no_data: bool,
}

const fn verdict(class: Class, reason: &'static Reason) -> Verdict {
    Verdict { class, reason, no_data: false }
}

/// Texts of 162 (and 420, 10187), in lower case; the first that occurs decides. A text in another language matches
/// none, and is an error, never "no data".
const HISTORICAL: &[(&str, Verdict)] = &[
    ("pacing violation", verdict(Class::Pacing, &reason::PACING_VIOLATION)),
    ("query cancelled", verdict(Class::Transient, &reason::GATEWAY_ERROR)),
    ("returned no data", Verdict { class: Class::Permanent, reason: &reason::HISTORY_UNAVAILABLE, no_data: true }),
    ("no market data permissions", verdict(Class::Permanent, &reason::NOT_SUBSCRIBED)),
    ("not subscribed", verdict(Class::Permanent, &reason::NOT_SUBSCRIBED)),
    ("different ip address", verdict(Class::Transient, &reason::COMPETING_SESSION)),
    ("competing", verdict(Class::Transient, &reason::COMPETING_SESSION)),
    ("no historical market data for", verdict(Class::Permanent, &reason::WHAT_TO_SHOW_UNAVAILABLE)),
    ("no data of type", verdict(Class::Permanent, &reason::WHAT_TO_SHOW_UNAVAILABLE)),
    ("expired", verdict(Class::Permanent, &reason::HISTORY_UNAVAILABLE)),
    ("unknown contract", verdict(Class::Permanent, &reason::HISTORY_UNAVAILABLE)),
    ("invalid step", verdict(Class::Permanent, &reason::GATEWAY_ERROR)),
    ("time length exceed", verdict(Class::Permanent, &reason::GATEWAY_ERROR)),
    ("is invalid", verdict(Class::Permanent, &reason::GATEWAY_ERROR)),
    ("must occur before", verdict(Class::Permanent, &reason::GATEWAY_ERROR)),
];

/// The meaning of an error message that names one of our requests.
pub(super) fn classify(code: i32, text: &str) -> Verdict {
    let text = text.to_lowercase();
    match code {
        162 | 420 | 10187 => HISTORICAL
            .iter()
            .find(|(part, _)| text.contains(part))
            .map_or(verdict(Class::Transient, &reason::HMDS_UNAVAILABLE), |(_, verdict)| *verdict),
        100 => verdict(Class::Pacing, &reason::PACING_VIOLATION),
        165 => verdict(Class::Transient, &reason::HMDS_UNAVAILABLE),
        166 => verdict(Class::Permanent, &reason::HISTORY_UNAVAILABLE),
        200 if text.contains("ambiguous") => verdict(Class::Permanent, &reason::CONTRACT_AMBIGUOUS),
        200 => verdict(Class::Permanent, &reason::CONTRACT_NOT_FOUND),
        322 if text.contains("only 50 simultaneous") => verdict(Class::Pacing, &reason::PACING_VIOLATION),
        320 | 322 | 323 | 366 => verdict(Class::Transient, &reason::GATEWAY_ERROR),
        354 | 10089 | 10091 | 10168 | 10186 => verdict(Class::Permanent, &reason::NOT_SUBSCRIBED),
        10197 => verdict(Class::Transient, &reason::COMPETING_SESSION),
        10299 => verdict(Class::Permanent, &reason::WHAT_TO_SHOW_UNAVAILABLE),
        _ => verdict(Class::Permanent, &reason::GATEWAY_ERROR),
    }
}

/// What a message that names no request says about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// IB's servers are away (1100, 2110).
    UpstreamLost,
    /// They are back (1101: subscriptions are gone; 1102: nothing is).
    UpstreamBack,
    /// A data farm is up, or will be when it is asked.
    FarmUp,
    /// A data farm is away.
    FarmDown,
    /// Nothing of interest.
    Other,
}

/// The meaning of a message that names no request.
pub(super) fn weather(code: i32) -> Weather {
    match code {
        1100 | 2110 => Weather::UpstreamLost,
        1101 | 1102 => Weather::UpstreamBack,
        2104 | 2106 | 2107 | 2108 | 2119 | 2158 => Weather::FarmUp,
        2103 | 2105 | 2157 => Weather::FarmDown,
        _ => Weather::Other,
    }
}

/// A farm of historical data has been announced: requests for bars may be sent.
pub(super) fn announces_history(code: i32) -> bool {
    matches!(code, 2106 | 2107)
}

/// The farm a notice speaks of: what follows the last colon.
pub(super) fn farm(text: &str) -> Option<&str> {
    text.rsplit_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty() && !name.contains(' '))
}

/// Hides account numbers (`DU1234567`, `U1234567`), which the gateway puts into texts.
pub(super) fn without_accounts(text: &str) -> String {
    let is_account = |word: &str| {
        let digits = word.trim_start_matches("DU").trim_start_matches(['U', 'F', 'D']);
        digits.len() >= 5 && digits.len() < word.len() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_account(word) { format!("***{}", &piece[word.len()..]) } else { piece.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_text_decide_together() {
        let prefix = "Historical Market Data Service error message:";
        for (code, text, class, name, no_data) in [
            (162, "HMDS query returned no data: AAPL@SMART Trades", Class::Permanent, "HISTORY_UNAVAILABLE", true),
            (162, "API historical data query cancelled: 7", Class::Transient, "GATEWAY_ERROR", false),
            (162, "Historical data request pacing violation", Class::Pacing, "PACING_VIOLATION", false),
            (420, "pacing violation", Class::Pacing, "PACING_VIOLATION", false),
            (
                162,
                "No historical market data for EUR/CASH@IDEALPRO Last",
                Class::Permanent,
                "WHAT_TO_SHOW_UNAVAILABLE",
                false,
            ),
            (162, "HMDS-Abfrage ergab keine Daten", Class::Transient, "HMDS_UNAVAILABLE", false),
            (
                200,
                "No security definition has been found for the request",
                Class::Permanent,
                "CONTRACT_NOT_FOUND",
                false,
            ),
            (200, "The contract description specified is ambiguous", Class::Permanent, "CONTRACT_AMBIGUOUS", false),
            (354, "Requested market data is not subscribed", Class::Permanent, "NOT_SUBSCRIBED", false),
            (99_999, "something new", Class::Permanent, "GATEWAY_ERROR", false),
        ] {
            let verdict = classify(code, &format!("{prefix}{text}"));
            assert_eq!((verdict.class, verdict.reason.name, verdict.no_data), (class, name, no_data), "{code} {text}");
        }
    }

    #[test]
    fn farms_and_accounts() {
        assert_eq!(farm("HMDS data farm connection is OK:ushmds"), Some("ushmds"));
        assert_eq!(farm("no colon"), None);
        assert_eq!(without_accounts("order for DU1234567, U7654321: no"), "order for ***, ***: no");
        assert_eq!(without_accounts("US 12345 AAPL"), "US 12345 AAPL");
    }
}
