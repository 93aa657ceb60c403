//! Flags that several commands share, and how their values are read. What belongs to one command alone is beside it, in
//! `commands`.

use std::{path::PathBuf, time::Duration};

use clap::{Arg, ArgAction, Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use ktrdr_proto::{
    spelling::{self, TIMEFRAMES},
    v1::{Timeframe, WhatToShow},
};

use crate::commands::completions::{symbols, timeframes};

const HEADING: &str = "Global options";

/// Longest wait for one answer, unless it is given; as in the flag below.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Flags that stand before or after the subcommand.
#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// Socket of the daemon; `KTRDR_SOCKET` names it too
    #[arg(long, global = true, value_name = "PATH", help_heading = HEADING)]
    pub(crate) socket: Option<PathBuf>,

    /// Start no daemon when there is none; `KTRDR_AUTOSTART=0` says it for good
    #[arg(long, global = true, help_heading = HEADING)]
    pub(crate) no_start: bool,

    /// Longest wait for one answer; following an operation has no limit
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = HEADING)]
    pub(crate) timeout: Duration,

    /// How results are printed
    #[arg(short, long, global = true, value_enum, help_heading = HEADING)]
    pub(crate) format: Option<Format>,

    /// Say more, on stderr
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = HEADING)]
    pub(crate) verbose: u8,

    /// Say nothing but results and errors
    #[arg(short, long, global = true, help_heading = HEADING)]
    pub(crate) quiet: bool,

    /// When to colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = HEADING)]
    pub(crate) color: Color,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    /// One document a line
    Jsonl,
    Csv,
    /// Of bars, into a file or a pipe
    Parquet,
    /// Of bars, into a file or a pipe
    Arrow,
}

impl Format {
    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// `-f` as it was on commands that nothing had to be forced on. Those take the letter from `--format`, with
/// `mut_arg("format", without_letter)`: the global flags are there before a deferred command adds its own.
#[derive(Debug, Args)]
pub(crate) struct Force {
    /// Accepted for old scripts; nothing needs forcing
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Takes the letter from a global flag, where a command has the letter for something else.
pub(crate) fn without_letter(argument: Arg) -> Arg {
    argument.short(None)
}

/// A symbol and its timeframe.
#[derive(Debug, Args)]
pub(crate) struct Series {
    /// Symbol such as AAPL, BRK.B, VOD@LSE, EURUSD, ES-202503 or SPX
    #[arg(add = ArgValueCompleter::new(symbols))]
    pub(crate) symbol: String, // checked by the daemon, which owns the rule

    /// Length of a bar: 1s 5s 10s 15s 30s 1m 2m 3m 4m 5m 10m 15m 20m 30m 1h 2h 3h 4h 8h 1d 1w 1M
    #[arg(short, long, value_name = "TF", default_value = "1d", value_parser = timeframe, add = ArgValueCompleter::new(timeframes))]
    pub(crate) timeframe: Timeframe,
}

/// The two dates that bound a range.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Dates {
    /// First instant: a date, `YYYY-MM-DD HH:MM` or RFC 3339; UTC unless it says otherwise
    #[arg(long, value_name = "DATE", value_parser = crate::time::parse_start)]
    pub(crate) start: Option<i64>,

    /// Where to stop: a date includes that day, an instant is not part of the range
    #[arg(long, value_name = "DATE", value_parser = crate::time::parse_end)]
    pub(crate) end: Option<i64>,
}

/// `--what`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    Trades,
    Midpoint,
    Bid,
    Ask,
}

impl From<What> for WhatToShow {
    fn from(what: What) -> Self {
        match what {
            What::Trades => Self::Trades,
            What::Midpoint => Self::Midpoint,
            What::Bid => Self::Bid,
            What::Ask => Self::Ask,
        }
    }
}

/// Reads a timeframe, or tells all there are.
pub(crate) fn timeframe(text: &str) -> Result<Timeframe, String> {
    spelling::parse_timeframe(text).ok_or_else(|| {
        if let Some(timeframe) = meant(text) {
            return format!("did you mean {timeframe}?");
        }
        let all: Vec<_> = TIMEFRAMES.iter().map(|(_, spelling)| *spelling).collect();
        format!("use one of {}", all.join(" "))
    })
}

/// What pandas, other programs and haste call it. `m` is a minute and `M` a month, so that letter is taken as it is.
fn meant(text: &str) -> Option<&'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let unit = unit.trim();
    let unit = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" | "t" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        "d" | "day" | "days" | "b" => "d",
        "w" | "week" | "weeks" => "w",
        "mo" | "month" | "months" => "M",
        "m" => unit,
        _ => return None,
    };
    let count = if count.is_empty() { 1 } else { count.parse::<u32>().ok()? };
    let spelt = match (count, unit) {
        (count, "m") if count >= 60 && count.is_multiple_of(60) => format!("{}h", count / 60),
        (24, "h") => "1d".to_owned(),
        (7, "d") => "1w".to_owned(),
        (count, unit) => format!("{count}{unit}"),
    };
    TIMEFRAMES.iter().map(|(_, spelling)| *spelling).find(|spelling| *spelling == spelt)
}

/// Reads a positive number of seconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "give a positive number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeframes_of_other_programs_are_understood_and_not_taken() {
        for (text, means) in [
            ("1H", "1h"),
            ("60m", "1h"),
            ("1min", "1m"),
            ("5 mins", "5m"),
            ("D", "1d"),
            ("1D", "1d"),
            ("1W", "1w"),
            ("24h", "1d"),
            ("1month", "1M"),
        ] {
            assert_eq!(timeframe(text), Err(format!("did you mean {means}?")), "{text}");
        }
        for unknown in ["7h", "x", "", "1y", "99999999999h"] {
            assert!(timeframe(unknown).is_err_and(|text| text.starts_with("use one of 1s 5s")), "{unknown}");
        }
    }

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(seconds("30"), Ok(TIMEOUT), "the default of the flag");
        for wrong in ["0", "-1", "NaN", "inf", "soon", "1e30"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
