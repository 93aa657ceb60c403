//! Every error reason, once: its gRPC code, the CLI's exit code and the hint.
//!
//! A reason is the stable name of what went wrong (`google.rpc.ErrorInfo.reason`, domain [`DOMAIN`]). Names and codes
//! never change meaning; new ones may be added. Hints are the next thing to type; `{key}` in one is replaced by the
//! error's metadata.

pub mod exit;

use tonic::Code;

/// `google.rpc.ErrorInfo.domain` of every error of ours.
pub const DOMAIN: &str = "ktrdr";

/// One kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Upper case, `[A-Z][A-Z0-9_]+`, at most 63 characters.
    pub name: &'static str,
    /// How it travels.
    pub code: Code,
    /// What a CLI process that met it exits with; see [`exit`].
    pub exit: u8,
    /// What to do about it; may contain `{key}` from the metadata.
    pub hint: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:ident, $exit:ident, $hint:literal;)*) => {
        $($(#[$doc])* pub const $name: Reason =
            Reason { name: stringify!($name), code: Code::$code, exit: exit::$exit, hint: $hint };)*
        /// All reasons, in the order of this file.
        pub const ALL: &[Reason] = &[$($name),*];
    };
}

reasons! {
    // what was asked for is wrong
    /// Not a symbol, as `docs/SYMBOLS.md` tells them.
    SYMBOL_INVALID = InvalidArgument, USAGE, "write a ticker such as AAPL, BRK.B, VOD@LSE, EURUSD, ES-202503, ES-CONT or SPX-IND";
    /// The timeframe is missing or unknown.
    TIMEFRAME_INVALID = InvalidArgument, USAGE, "use one of 1s 5s 10s 15s 30s 1m 2m 3m 4m 5m 10m 15m 20m 30m 1h 2h 3h 4h 8h 1d 1w 1M";
    /// The end is not after the start.
    RANGE_INVALID = InvalidArgument, USAGE, "give a start before the end";
    /// A load that begins after now.
    RANGE_IN_FUTURE = InvalidArgument, USAGE, "give a --start in the past";
    /// Some other field of the request is missing or wrong; the message names it.
    REQUEST_INVALID = InvalidArgument, USAGE, "see --help for what the command takes";
    /// One request id for two different requests.
    REQUEST_ID_REUSED = InvalidArgument, USAGE, "make a new request_id for each new request";
    /// The prefix of an operation id fits several.
    OPERATION_ID_AMBIGUOUS = InvalidArgument, USAGE, "give more characters; ktrdr operations list shows the ids";

    // it is not there
    /// Nothing is stored under this symbol and timeframe.
    SERIES_NOT_FOUND = NotFound, NOT_FOUND, "ktrdr data load {symbol} --timeframe {timeframe}";
    /// No such operation.
    OPERATION_NOT_FOUND = NotFound, NOT_FOUND, "ktrdr operations list";
    /// Nothing of the series was replaced on purpose.
    NOTHING_KEPT = NotFound, NOT_FOUND, "ktrdr data info {symbol} -t {timeframe} lists what can be restored";
    /// Of this market no calendar is known.
    CALENDAR_UNKNOWN = NotFound, NOT_FOUND, "ktrdr data calendar lists them";
    /// The gateway knows no such symbol.
    CONTRACT_NOT_FOUND = NotFound, NOT_FOUND, "check the spelling of {symbol}; currency pairs are written EURUSD, futures ES-202503, indices SPX-IND";
    /// Several contracts fit the symbol.
    CONTRACT_AMBIGUOUS = FailedPrecondition, FAILED, "candidates: {candidates}";

    // the state of things does not allow it
    /// The stored series has another session or other prices.
    SESSION_MISMATCH = FailedPrecondition, FAILED, "the stored series is {stored}; ask for the same ({flags}), or keep this one in another data folder";
    /// An import cannot be started again by the daemon: it does not keep the files.
    OPERATION_NOT_RETRYABLE = FailedPrecondition, FAILED, "start it again with the command you used";
    /// A check has found bars or files that are wrong.
    CHECK_FAILED = FailedPrecondition, FAILED, "docs/DATA.md tells what each code means; what helps is told with each";
    /// New prices are of another scale than the stored ones, as after a split.
    SPLIT_SUSPECTED = FailedPrecondition, FAILED, "ktrdr data load {symbol} -t {timeframe} --on-split refetch loads the whole series anew";
    /// New prices are of another scale than the stored ones, and no split explains it.
    ADJUSTMENT_CHANGED = FailedPrecondition, FAILED, "ktrdr data load {symbol} -t {timeframe} --on-split refetch loads the whole series anew";
    /// An answer lacks too many of the stored bars to be believed.
    BARS_VANISHED = FailedPrecondition, FAILED, "try again later; if it stays: ktrdr data check {symbol} -t {timeframe}";
    /// The series is being written by another operation.
    SERIES_BUSY = FailedPrecondition, FAILED, "wait for it: ktrdr operations watch {operation}";

    // the gateway
    /// Switched off by configuration.
    GATEWAY_DISABLED = FailedPrecondition, UNAVAILABLE, "set ib.enabled = true in the configuration, then restart the daemon";
    /// No connection to the gateway.
    GATEWAY_UNREACHABLE = Unavailable, UNAVAILABLE, "start IB Gateway and enable its API port, then: ktrdr ib status";
    /// The gateway answers, but its session is not usable yet.
    GATEWAY_NOT_READY = Unavailable, UNAVAILABLE, "ktrdr ib status tells what it is waiting for";
    /// The gateway speaks a version older than 213.
    GATEWAY_TOO_OLD = FailedPrecondition, UNAVAILABLE, "update IB Gateway to 10.45 or newer";
    /// Another program uses our client id.
    CLIENT_ID_IN_USE = Unavailable, UNAVAILABLE, "set another ib.client_id, or stop the other program";
    /// The connection ended while a request was open.
    GATEWAY_LOST = Unavailable, UNAVAILABLE, "the daemon reconnects by itself: ktrdr ib status";
    /// The gateway lost IB's servers.
    UPSTREAM_LOST = Unavailable, UNAVAILABLE, "wait until IB's servers are back: ktrdr ib status";
    /// IB's servers for historical data are away.
    HMDS_UNAVAILABLE = Unavailable, UNAVAILABLE, "try again in a minute";
    /// IB refused because too much was asked in too short a time.
    PACING_VIOLATION = ResourceExhausted, UNAVAILABLE, "wait ten minutes; other programs on the same login count too";
    /// Another session of the same login holds the market data.
    COMPETING_SESSION = Unavailable, UNAVAILABLE, "log the other session out, or use a second user name for the API";
    /// The request was sent and never answered.
    REQUEST_TIMED_OUT = Unavailable, UNAVAILABLE, "try again; if it stays, restart IB Gateway";
    /// Too many requests wait for the gateway.
    GATEWAY_BUSY = ResourceExhausted, UNAVAILABLE, "wait for running operations: ktrdr operations list --active";
    /// A configured quiet time: the gateway is left alone.
    GATEWAY_RESTING = Unavailable, UNAVAILABLE, "wait until {until}, or change ib.quiet";
    /// It accepts connections and says nothing, again and again.
    GATEWAY_WEDGED = Unavailable, UNAVAILABLE, "restart IB Gateway; the daemon then connects by itself";
    /// A person must log in at the gateway.
    GATEWAY_LOGIN_NEEDED = Unavailable, UNAVAILABLE, "log in at IB Gateway (once a week IB wants the second factor again)";
    /// The gateway is locked.
    GATEWAY_LOCKED = FailedPrecondition, UNAVAILABLE, "unlock IB Gateway";
    /// The gateway listens on another port now.
    GATEWAY_PORT_RESET = Unavailable, UNAVAILABLE, "set ib.port to the port that the gateway names, then restart the daemon";
    /// The gateway wants a newer client.
    CLIENT_TOO_OLD = FailedPrecondition, UNAVAILABLE, "update ktrdr";
    /// More messages than IB takes in a second.
    MESSAGE_RATE_EXCEEDED = ResourceExhausted, UNAVAILABLE, "try again in a few seconds; other programs on the same login count too";
    /// More requests open than IB allows.
    TOO_MANY_OPEN_REQUESTS = ResourceExhausted, UNAVAILABLE, "try again when others have ended; other programs on the same login count too";
    /// More live series than the login has lines for.
    TICKER_LIMIT = ResourceExhausted, FAILED, "watch fewer series at a time, here or in other programs on the same login";
    /// A request id was used twice.
    DUPLICATE_REQUEST_ID = Internal, FAILED, "try again; if it stays, report it with the daemon's log";
    /// The gateway does not know the request any more.
    REQUEST_UNKNOWN = Unavailable, UNAVAILABLE, "try again";
    /// The gateway could not read the request.
    REQUEST_UNREADABLE = Unavailable, UNAVAILABLE, "try again; if it stays, update IB Gateway";
    /// The gateway ended the request though nobody asked it to.
    REQUEST_CANCELLED = Unavailable, UNAVAILABLE, "try again";
    /// The gateway failed.
    GATEWAY_INTERNAL_ERROR = Unavailable, UNAVAILABLE, "try again; if it stays, restart IB Gateway";
    /// One of IB's data farms is away.
    FARM_BROKEN = Unavailable, UNAVAILABLE, "it comes back by itself: ktrdr ib status";
    /// IB's servers for contracts are away.
    SECDEF_UNAVAILABLE = Unavailable, UNAVAILABLE, "try again in a minute";
    /// The gateway ended a stream of live bars.
    STREAM_LOST = Unavailable, UNAVAILABLE, "the daemon subscribes again by itself";
    /// Part of the data needs a subscription.
    PARTLY_SUBSCRIBED = FailedPrecondition, FAILED, "subscribe to the market data in IB's account management";
    /// No subscription for these data.
    NOT_SUBSCRIBED = FailedPrecondition, FAILED, "subscribe to the market data in IB's account management";
    /// The contract has no history.
    HISTORY_UNAVAILABLE = FailedPrecondition, FAILED, "IB keeps no history for it (expired or delisted)";
    /// These prices do not exist for the contract.
    WHAT_TO_SHOW_UNAVAILABLE = FailedPrecondition, FAILED, "choose other prices with --what; currency pairs have midpoint, bid and ask, indices trades";
    /// The gateway refused the request for another reason.
    GATEWAY_ERROR = FailedPrecondition, FAILED, "the gateway's own code and text are above";
    /// The gateway answered something that cannot be read.
    PROTOCOL_ERROR = Internal, FAILED, "update IB Gateway; if it stays, report it with the daemon's log";
    /// Part of what was asked for could not be had.
    LOAD_INCOMPLETE = Unavailable, FAILED, "what came is stored; run the same command again for the rest";

    // host services
    /// No connection to a host service.
    HOST_UNREACHABLE = Unavailable, UNAVAILABLE, "ktrdr services check; is the service on {host} running, and its address right?";
    /// Its certificate is not trusted, or it does not speak TLS.
    HOST_CERTIFICATE = FailedPrecondition, UNAVAILABLE, "give the certificate with ca_file in the configuration of {host}, or use http:// if that is what it speaks";
    /// All connections to it are at work.
    POOL_EXHAUSTED = ResourceExhausted, UNAVAILABLE, "try again; ktrdr services list shows who waits";
    /// It failed again and again, and is left alone for a while.
    HOST_LEFT_ALONE = Unavailable, UNAVAILABLE, "ktrdr services list shows why and until when; it is asked again by itself";
    /// No answer in time.
    HOST_TIMED_OUT = DeadlineExceeded, UNAVAILABLE, "ktrdr services check {host}";
    /// The connection broke before the answer.
    HOST_LOST = Unavailable, UNAVAILABLE, "ktrdr services check {host}";
    /// An answer that no such service gives.
    HOST_UNREADABLE = Internal, UNAVAILABLE, "is the address of {host} in the configuration that of the right service?";
    /// It answered with an error.
    HOST_REFUSED = FailedPrecondition, FAILED, "the message is the service's own; its log may tell more ({route})";
    /// No host service has that name.
    HOST_NOT_FOUND = NotFound, NOT_FOUND, "ktrdr services list";

    // trainings
    /// Mistakes in a strategy file, each with its line.
    STRATEGY_INVALID = InvalidArgument, USAGE, "docs/TRAINING.md shows a strategy that can be trained";
    /// More than a strategy file can have.
    STRATEGY_TOO_LARGE = InvalidArgument, USAGE, "give the strategy's YAML file; it has at most 1 MiB";
    /// A strategy that only says how to choose symbols.
    TRAINING_NO_SYMBOLS = InvalidArgument, USAGE, "name them: --symbols EURUSD,GBPUSD";
    /// A timeframe that the strategy does not describe.
    TIMEFRAME_NOT_IN_STRATEGY = InvalidArgument, USAGE, "use one of {timeframes}, or add it to the file";
    /// A flag of the old system that no host can honour.
    FLAG_NOT_HONOURED = InvalidArgument, USAGE, "leave the flag out; the message says where it is set instead";
    /// No training host is configured.
    TRAINING_NOT_CONFIGURED = FailedPrecondition, FAILED, "add [[training.hosts]] with name and url to the configuration, or set TRAINING_HOST_SERVICE_URL where the daemon is started; then ktrdr daemon stop, and start";
    /// A start that was not answered, and a session that the host does not know.
    START_UNCONFIRMED = Unavailable, UNAVAILABLE, "ktrdr operations retry {operation}; should {host} execute the first start later, that session is in its own list only";
    /// The host says that the training failed.
    TRAINING_FAILED = FailedPrecondition, FAILED, "the message is the host's own; the log of {host} tells more";
    /// The host has forgotten the session: it was restarted.
    SESSION_LOST = Aborted, FAILED, "ktrdr operations retry {operation}";
    /// Somebody else stopped it.
    SESSION_STOPPED = Aborted, FAILED, "ktrdr operations retry {operation}";
    /// No model has that name.
    MODEL_NOT_FOUND = NotFound, NOT_FOUND, "ktrdr models list";
    /// The beginning of a name that fits several.
    MODEL_AMBIGUOUS = InvalidArgument, USAGE, "give more characters; ktrdr models list shows the names";

    /// The source of bars has no such thing.
    SOURCE_CANNOT = FailedPrecondition, FAILED, "the gateway itself has it: leave ib.host_service and USE_IB_HOST_SERVICE out; then ktrdr daemon stop, and start";

    // files and the store
    /// Neither the file's name nor a flag tells symbol and timeframe.
    FILE_NAME_UNRECOGNISED = InvalidArgument, USAGE, "name it SYMBOL_TIMEFRAME.csv, or give --symbol and --timeframe";
    /// The file cannot be opened or read.
    FILE_UNREADABLE = InvalidArgument, USAGE, "check the path and its permissions";
    /// No header line.
    FILE_EMPTY = InvalidArgument, FAILED, "the file needs a header and rows";
    /// Not text.
    FILE_NOT_CSV = InvalidArgument, FAILED, "give a comma-separated text file with a header";
    /// A needed column is missing.
    COLUMN_MISSING = InvalidArgument, FAILED, "the header needs a time column and open, high, low, close";
    /// A line is longer than any row of bars can be.
    LINE_TOO_LONG = InvalidArgument, FAILED, "give a comma-separated text file, one bar a line";
    /// Intraday stamps without a zone.
    TIME_ZONE_NEEDED = InvalidArgument, USAGE, "say what zone the stamps are in, such as --timezone America/New_York";
    /// More rows than one import takes.
    FILE_TOO_LARGE = InvalidArgument, FAILED, "split the file";
    /// Nothing of a file, or of all files, could be stored.
    NOTHING_STORED = InvalidArgument, FAILED, "the reasons are counted by kind and line above";
    /// Some rows were rejected and `--strict` was given.
    ROWS_REJECTED = InvalidArgument, FAILED, "the reasons are counted by kind and line above";
    /// A file of the series is not what the ledger says it is.
    PARTITION_DAMAGED = DataLoss, FAILED, "load or import that year again: ktrdr data load {symbol} --timeframe {timeframe} --start {start} --end {end}";
    /// The data folder cannot be written.
    STORE_UNWRITABLE = FailedPrecondition, FAILED, "check the owner and permissions of the data folder";
    /// The disk is full.
    STORE_FULL = ResourceExhausted, FAILED, "free some space in the data folder, then run the command again";
    /// Another program has the ledger locked.
    LEDGER_LOCKED = Unavailable, UNAVAILABLE, "close ktrdr.sqlite in the program that has it open for writing, then run the command again";
    /// Any other failure of the disk or the ledger.
    STORE_FAILED = Internal, FAILED, "see the daemon's log: ktrdr daemon logs";
    /// The bucket that holds the bars does not answer, or refuses.
    BUCKET_UNAVAILABLE = Unavailable, UNAVAILABLE, "see what the bucket says: ktrdr daemon status";

    // the daemon
    /// The daemon is stopping.
    SHUTTING_DOWN = Unavailable, UNREACHABLE, "ktrdr daemon start";
    /// An operation was cancelled.
    CANCELLED = Cancelled, FAILED, "ktrdr operations retry {operation}";
    /// An operation was cut off by the end of the daemon.
    INTERRUPTED = Aborted, FAILED, "run the same command again; what was stored is kept";
    /// The caller is another user.
    PEER_REFUSED = PermissionDenied, FAILED, "call as the user who runs the daemon, or be listed under [access] in its configuration";
    /// A defect of ours.
    INTERNAL = Internal, FAILED, "see the daemon's log: ktrdr daemon logs";

    // found by the client
    /// Nothing answers on the socket.
    DAEMON_UNREACHABLE = Unavailable, UNREACHABLE, "ktrdr daemon start";
    /// The socket's path is longer than the system allows.
    SOCKET_PATH_TOO_LONG = InvalidArgument, UNREACHABLE, "use a shorter --socket or KTRDR_SOCKET";
    /// Client and daemon differ in contract.
    CONTRACT_MISMATCH = FailedPrecondition, CONTRACT, "{update}";
    /// No answer within --timeout.
    TIMED_OUT = DeadlineExceeded, TIMED_OUT, "the outcome is unknown: ktrdr operations list";
    /// One user has as many calls open as the daemon grants.
    TOO_MANY_CALLS = ResourceExhausted, UNAVAILABLE, "try again; limits.calls_per_user in the configuration grants more";
    /// One user has as many operations waiting or running as the daemon grants.
    TOO_MANY_OPERATIONS = ResourceExhausted, UNAVAILABLE, "wait for some to end: ktrdr operations list --active";
    /// The imports that are under way hold as much memory as they may.
    TOO_MANY_UPLOADS = ResourceExhausted, UNAVAILABLE, "wait for other imports to end: ktrdr operations list --active";
    /// Ctrl-C.
    INTERRUPTED_BY_USER = Cancelled, INTERRUPTED, "what was stored is kept; run the same command again for the rest";
    /// The daemon did not come up.
    DAEMON_START_FAILED = Unavailable, UNREACHABLE, "ktrdr daemon logs";
    /// The daemon did not stop in time.
    DAEMON_STOP_FAILED = DeadlineExceeded, FAILED, "ktrdr daemon logs";
    /// `ktrdr doctor` has found something wrong.
    UNHEALTHY = FailedPrecondition, FAILED, "what to do stands below the table";
    /// The output cannot be written.
    OUTPUT_FAILED = Unknown, FAILED, "check the path and the free space";
}

/// Finds a reason by its name, as it came over the wire.
pub fn find(name: &str) -> Option<&'static Reason> {
    ALL.iter().find(|reason| reason.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_shaped_as_error_info_wants() {
        let names: HashSet<_> = ALL.iter().map(|reason| reason.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert!(name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'), "{name}");
        }
    }

    #[test]
    fn every_reason_has_an_exit_code_and_a_hint() {
        for reason in ALL {
            assert!(reason.exit != 0 && !reason.hint.is_empty(), "{}", reason.name);
        }
        assert_eq!(find("SERIES_NOT_FOUND"), Some(&SERIES_NOT_FOUND));
        assert_eq!(find("NOPE"), None);
    }

    /// UNAVAILABLE means "try again", so none of its exits may say that the request itself is wrong.
    #[test]
    fn codes_and_exits_agree() {
        for reason in ALL {
            match reason.code {
                Code::NotFound => assert_eq!(reason.exit, exit::NOT_FOUND, "{}", reason.name),
                Code::Unavailable => assert_ne!(reason.exit, exit::USAGE, "{}", reason.name),
                Code::Ok => panic!("{} is no error", reason.name),
                _ => {}
            }
        }
    }
}
