//! Every fault there is, as one table: data, no behaviour.

use super::fault::{Value, number, text};
use crate::protocol::request::Kind;

/// When a fault takes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// On one connection, from its accept to the end of its greeting.
    Opening,
    /// On the bytes of a connection that is up.
    Wire,
    /// On the port itself: one of these at a time.
    Port,
    /// On all clients at once: what the gateway hears from its own servers.
    Upstream,
    /// A rule of the gateway that is in force for a while.
    Condition,
    /// On the answer to one request, of one of these kinds.
    Answer(&'static [Kind]),
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kind: FaultKind,
    pub(crate) name: &'static str,
    pub(crate) stage: Stage,
    /// Names and defaults.
    pub(crate) parameters: &'static [(&'static str, Value)],
    /// A client cannot see it: what it stores afterwards is wrong, or less than there is.
    pub(crate) lies: bool,
    pub(crate) what: &'static str,
    /// What a good client does.
    pub(crate) cure: &'static str,
}

impl Entry {
    /// Where it strikes, in a word.
    pub(crate) fn place(&self) -> &'static str {
        match self.stage {
            Stage::Opening | Stage::Wire | Stage::Port => "connection",
            Stage::Answer(_) => "request",
            Stage::Upstream | Stage::Condition => "system",
        }
    }
}

const BARS: &[Kind] = &[Kind::HistoricalData];
const LISTS: &[Kind] = &[Kind::HistoricalData, Kind::ContractDetails];
const DETAILS: &[Kind] = &[Kind::ContractDetails];
const DATA: &[Kind] = &[Kind::HistoricalData, Kind::ContractDetails, Kind::HeadTimestamp, Kind::MatchingSymbols];
const CANCELLED: &[Kind] = &[Kind::HistoricalData, Kind::HeadTimestamp];
const ANY: &[Kind] = &[
    Kind::HistoricalData,
    Kind::ContractDetails,
    Kind::HeadTimestamp,
    Kind::MatchingSymbols,
    Kind::CurrentTime,
    Kind::CurrentTimeInMillis,
    Kind::RealTimeBars,
    Kind::MarketData,
    Kind::MarketRule,
];

/// Defines the faults: variant and name, stage, parameters with defaults, what a client sees, what it should do.
/// Those behind `lies` cannot be seen by a client.
macro_rules! faults {
    ($($variant:ident $name:literal, $stage:expr, { $($parameter:ident: $default:expr),* }, $lies:expr, $what:literal, $cure:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultKind { $(#[doc = $what] $variant),* }

        pub(crate) const CATALOGUE: &[Entry] = &[$(Entry {
            kind: FaultKind::$variant,
            name: $name,
            stage: $stage,
            parameters: &[$((stringify!($parameter), $default)),*],
            lies: $lies,
            what: $what,
            cure: $cure,
        }),*];
    };
}

faults! {
    // the port
    Refused "refused", Stage::Port, { seconds: number(60) }, false,
        "The port is closed.", "Knocks again after growing pauses.";
    WedgeAccept "wedge_accept", Stage::Port, { seconds: number(60) }, false,
        "TCP connects, and nobody ever accepts.", "Gives up after a limit, closes, pauses longer each time.";
    Restart "restart", Stage::Port, { refused: number(60), reject: number(5), silent: number(10) }, false,
        "All is closed; then refused, closed at once, silent: so many seconds each.",
        "Takes it for one outage.";
    // one connection, opening
    AcceptThenClose "accept_then_close", Stage::Opening, {}, false,
        "Accepted and closed before a word.", "Takes it for not ready, and pauses.";
    SilentAfterAccept "silent_after_accept", Stage::Opening, { seconds: number(120) }, false,
        "The handshake is never answered.", "Gives up after a limit and closes.";
    OldVersion "old_version", Stage::Opening, { version: number(187) }, false,
        "A version that is too old for the client.", "Says so: a person must update the gateway.";
    BadZoneInAck "bad_zone_in_ack", Stage::Opening, { zone: text("Mitteleurop\u{e4}ische Zeit") }, false,
        "A clock in a zone that nobody knows.", "Does not care.";
    Reject326 "reject_326", Stage::Opening, {}, false,
        "Client id in use, and closed.", "Waits, then takes one of few other ids.";
    SilentAfterStart "silent_after_start", Stage::Opening, { seconds: number(120) }, false,
        "The start is never answered.", "Gives up after a limit and closes.";
    OmitNextValidId "omit_next_valid_id", Stage::Opening, { seconds: number(120) }, false,
        "No first order id.", "Gives up after a limit and closes.";
    OmitManagedAccounts "omit_managed_accounts", Stage::Opening, { seconds: number(120) }, false,
        "No accounts.", "Gives up after a limit and closes.";
    ReversedOrder "reversed_order", Stage::Opening, {}, false,
        "The order id before the accounts.", "Does not care.";
    LateFarms "late_farms", Stage::Opening, { ms: number(4000) }, false,
        "The farms are announced late.", "Waits for them before it asks.";
    NoFarms "no_farms", Stage::Opening, {}, false,
        "The farms are never announced.", "Waits a little, then tries one cheap request.";
    FloodBeforeReady "flood_before_ready", Stage::Opening, { frames: number(120) }, false,
        "Open orders before the accounts.", "Checks that it has heard of accounts.";
    // the bytes of a connection that is up
    Fin "fin", Stage::Wire, {}, false,
        "The connection is closed.", "Ends what was open, pauses, connects again.";
    Rst "rst", Stage::Wire, {}, false,
        "The connection is reset.", "Ends what was open, pauses, connects again.";
    Freeze "freeze", Stage::Wire, { seconds: number(90) }, false,
        "Nothing is read and nothing is said.", "Finds out by a heartbeat with a limit; closes.";
    SlowDrip "slow_drip", Stage::Wire, { bytes_per_second: number(1), seconds: number(60) }, false,
        "Answers come byte by byte.", "Every request has its limit.";
    StopReading "stop_reading", Stage::Wire, { seconds: number(60) }, false,
        "Nothing is read; what was asked before is answered.", "Every request has its limit.";
    CutMidFrame "cut_mid_frame", Stage::Wire, {}, false,
        "Closed in the middle of the next frame.", "Drops the half, takes it for a lost connection.";
    GarbageLength "garbage_length", Stage::Wire, { length: number(0xffff_ffff), seconds: number(30) }, false,
        "A length that cannot be one, then nothing that makes sense.", "Closes and connects again.";
    OversizedFrame "oversized_frame", Stage::Wire, { length: number(0x0100_0000), seconds: number(30) }, false,
        "A frame longer than frames may be.", "Closes and connects again.";
    UnknownId "unknown_id", Stage::Wire, { id: number(777) }, false,
        "A message that nobody knows.", "Ignores it.";
    BadProto "bad_proto", Stage::Wire, {}, false,
        "The next frame cannot be read.", "Its request ends by error or limit.";
    TextFrame "text_frame", Stage::Wire, {}, false,
        "A message of the other dialect.", "Ignores it, or takes the connection for broken.";
    MinusTwo "minus_two", Stage::Wire, {}, false,
        "The server says that it shuts down, and closes.", "Pauses, connects again.";
    // one request
    DropResponse "drop_response", Stage::Answer(ANY), {}, false,
        "No answer, no error.", "Limit, cancel, once more later.";
    DropNth "drop_nth", Stage::Answer(ANY), { n: number(3) }, false,
        "The nth request is not answered.", "Limit, cancel, once more later.";
    Delay "delay", Stage::Answer(ANY), { ms: number(5000) }, false,
        "The answer comes late.", "Waits, within its limit.";
    Late "late", Stage::Answer(CANCELLED), { ms: number(500), seconds: number(180) }, false,
        "The answer comes after the cancel.", "Drops it.";
    EchoCancel "echo_cancel", Stage::Answer(CANCELLED), {}, false,
        "No answer; the cancel is answered by an error.", "Drops it.";
    NoEnd "no_end", Stage::Answer(LISTS), {}, false,
        "Data without its end.", "Limit, cancel; what came is not taken for all.";
    EndFirst "end_first", Stage::Answer(LISTS), {}, false,
        "The end before the data.", "Waits for the data, or takes it for an error.";
    DupBars "dup_bars", Stage::Answer(BARS), {}, false,
        "The bars twice.", "Takes them once.";
    DupEnd "dup_end", Stage::Answer(LISTS), {}, false,
        "The end twice.", "Drops the second.";
    WrongReqId "wrong_req_id", Stage::Answer(DATA), {}, false,
        "The answer to a request that nobody made.", "Drops it; limit, cancel.";
    ForeignEnd "foreign_end", Stage::Answer(LISTS), {}, false,
        "The end of another request comes first.", "Drops it.";
    EmptyBars "empty_bars", Stage::Answer(BARS), {}, true,
        "No bars, where there are some.", "Cannot know.";
    ShortRange "short_range", Stage::Answer(BARS), {}, true,
        "The older half of the bars is missing.", "Cannot know.";
    Unsorted "unsorted", Stage::Answer(BARS), {}, false,
        "Bars from the newest to the oldest.", "Sorts them.";
    DuplicateTimestamps "duplicate_timestamps", Stage::Answer(BARS), {}, false,
        "Some bars twice; the first of the two is wrong.", "The last one wins.";
    RunningLastBar "running_last_bar", Stage::Answer(BARS), {}, false,
        "The bar of this moment comes along.", "Drops it.";
    ZonedDates "zoned_dates", Stage::Answer(BARS), {}, false,
        "Bar dates as text, where seconds were asked for.", "Reads it, or ends with an error.";
    UtcEnd "utc_end", Stage::Answer(BARS), {}, false,
        "The end's dates in the other form, which means UTC.", "Reads it.";
    ZonelessEnd "zoneless_end", Stage::Answer(BARS), {}, false,
        "The end's dates without a zone.", "Reads it, or ends with an error.";
    UnknownZoneEnd "unknown_zone_end", Stage::Answer(BARS), { zone: text("Mars/One") }, false,
        "The end's dates in a zone that nobody knows.", "Reads it, or ends with an error.";
    SentinelVolume "sentinel_volume", Stage::Answer(BARS), {}, true,
        "Volumes that mean \"unset\".", "Stores no volume.";
    NanPrice "nan_price", Stage::Answer(BARS), {}, false,
        "A price that is no number.", "Refuses the bar, and counts it.";
    ImpossiblePrice "impossible_price", Stage::Answer(BARS), {}, false,
        "A high below its low.", "Refuses the bar, and counts it.";
    WrongPrice "wrong_price", Stage::Answer(BARS), {}, true,
        "Prices that are wrong.", "Cannot know.";
    Huge "huge", Stage::Answer(BARS), { bars: number(50_000) }, false,
        "The same bars again and again, very many.", "Takes them once; other requests go on.";
    Error "error", Stage::Answer(ANY), { code: number(162), text: text("Historical Market Data Service error message:HMDS server connection failed"), id: text("request") }, false,
        "An error instead of the answer; with id -1, beside it.", "By its code.";
    ErrorThenData "error_then_data", Stage::Answer(DATA), { code: number(2174), text: text("Warning: You submitted request with date-time attributes without explicit time zone.") }, false,
        "A warning, then the answer.", "Takes the answer.";
    DataThenError "data_then_error", Stage::Answer(LISTS), { code: number(162), text: text("Historical Market Data Service error message:HMDS server connection failed") }, false,
        "Data, then an error instead of the end.", "What came is not taken for all.";
    HiddenError "hidden_error", Stage::Answer(DATA), { code: number(10089), text: text("Requested market data requires additional subscription for API.") }, false,
        "An error that client libraries take for a notice, and no answer.", "Limit, cancel; tells the code.";
    Ambiguous "ambiguous", Stage::Answer(LISTS), {}, false,
        "Error 200: the description is ambiguous.", "Asks by id or primary exchange.";
    TwoRows "two_rows", Stage::Answer(DETAILS), {}, false,
        "Every contract twice, the second of another exchange.", "Chooses by what was asked.";
    KickOnHuge "kick_on_huge", Stage::Answer(BARS), { bars: number(0) }, false,
        "Closed, because of a request for more bars than this.", "Asks for less next time.";
    // all clients
    UpstreamDown "upstream_down", Stage::Upstream, { seconds: number(30), code: number(1100), restored: number(1102) }, false,
        "The gateway has lost its servers: no answers, lookups find nothing.",
        "Asks nothing until 1101 or 1102; keeps the connection.";
    FarmFlap "farm_flap", Stage::Upstream, { farm: text("hmds"), times: number(5), ms: number(2000) }, false,
        "A farm (hmds, market, secdef) breaks and comes back.", "Keeps the connection, holds what the farm serves.";
    HmdsInactive "hmds_inactive", Stage::Upstream, { ms: number(3000) }, false,
        "The history farm sleeps; the next request wakes it, slowly.", "Asks all the same.";
    Competing "competing", Stage::Upstream, { seconds: number(60) }, false,
        "Somebody else took the session: no data.", "Pauses, tells the user.";
    ErrorStorm "error_storm", Stage::Upstream, { code: number(10197), times: number(50), ms: number(100) }, false,
        "The same notice again and again.", "Tells it once.";
    PortReset "port_reset", Stage::Upstream, { port: number(4001) }, false,
        "1300: the port was changed; all connections end.", "Tells it; stays where it is told to be.";
    // rules in force
    HoldClientId "hold_client_id", Stage::Condition, { hold: number(30), seconds: number(600) }, false,
        "After an unclean end, a client id stays taken.", "Waits, then takes one of few other ids.";
    Pacing "pacing", Stage::Condition, { mode: text("strict"), seconds: number(600) }, false,
        "Too many requests for small bars are refused.", "Keeps within the rules.";
    MessageRate "message_rate", Stage::Condition, { limit: number(50), seconds: number(600) }, false,
        "More messages a second are dropped; the third time it closes.", "Keeps within the rule.";
    OneTimeRequestPerSecond "one_time_request_per_second", Stage::Condition, { seconds: number(600) }, false,
        "A second question for the time within a second is not answered.", "Shares one answer.";
    HeadTimestampCap "head_timestamp_cap", Stage::Condition, { limit: number(50), seconds: number(600) }, false,
        "After so many head timestamps, silence.", "Keeps what it knows, and its own cap.";
    OpenCap "open_cap", Stage::Condition, { limit: number(50), seconds: number(600) }, false,
        "More open requests are refused.", "Keeps its own cap.";
}

impl FaultKind {
    /// Its row of the table.
    pub(crate) fn entry(self) -> &'static Entry {
        &CATALOGUE[self as usize]
    }

    /// Its name, in files, lists and reports.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Every kind there is.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.iter().map(|entry| entry.kind)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        CATALOGUE.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }
}

/// The table as people read it.
pub(crate) fn listing() -> String {
    let parameters = |entry: &Entry| {
        let told = entry.parameters.iter().map(|(name, default)| format!("{name}={default}"));
        let told = told.collect::<Vec<_>>().join(" ");
        // Texts are long.
        if told.chars().count() > 40 { told.chars().take(39).chain(['…']).collect() } else { told }
    };
    let mut lines =
        vec![["FAULT", "STRIKES", "PARAMETERS", "LIES", "WHAT A CLIENT SEES", "WHAT IT SHOULD DO"].map(str::to_owned)];
    lines.extend(CATALOGUE.iter().map(|entry| {
        let hidden = if entry.lies { "yes" } else { "" };
        [entry.name, entry.place(), &parameters(entry), hidden, entry.what, entry.cure].map(str::to_owned)
    }));
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let aligned = |cells: &[String; 6]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(aligned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back_to_their_rows() {
        for kind in FaultKind::all() {
            assert_eq!((FaultKind::named(kind.name()), kind.entry().kind), (Some(kind), kind));
        }
        assert!(CATALOGUE.len() >= 40);
    }

    #[test]
    fn the_list_has_a_line_for_each_and_columns_that_stand() {
        let text = listing();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), CATALOGUE.len() + 1);
        let column = lines[0].find("STRIKES").unwrap();
        for (line, entry) in lines[1..].iter().zip(CATALOGUE) {
            assert!(line.starts_with(entry.name) && line[column..].starts_with(entry.place()), "{line}");
        }
    }
}
