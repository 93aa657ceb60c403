//! How stored bars are seen: flags that `data show` and `data export` share.

use clap::ValueEnum;
use jiff::tz::TimeZone;
use ktrdr_proto::{
    reason,
    v1::{HoursOfDay, QueryHeader, Timeframe},
};

use crate::{failure::Failure, flags::timeframe, time::Stamps};

/// Longer bars, some hours, another clock.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ViewArgs {
    /// Make longer bars of the stored ones, along the sessions of the market
    #[arg(long, value_name = "TF", value_parser = timeframe)]
    resample: Option<Timeframe>,

    /// Only these hours of the day
    #[arg(long, value_enum)]
    hours: Option<Hours>,

    /// Whose clock stamps are written on: utc, local, exchange, or a name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "utc")]
    tz: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Hours {
    /// Bars that begin in regular hours
    Regular,
    /// Bars that begin outside of them
    Extended,
}

/// As the daemon is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct View {
    pub(super) resample: i32,
    pub(super) hours: i32,
    pub(super) with_time_zone: bool,
}

impl ViewArgs {
    /// As with `--hours regular`.
    pub(super) fn regular(self) -> Self {
        Self { hours: Some(Hours::Regular), ..self }
    }

    pub(super) fn asked(&self) -> View {
        let hours = match self.hours {
            None => HoursOfDay::Unspecified,
            Some(Hours::Regular) => HoursOfDay::Regular,
            Some(Hours::Extended) => HoursOfDay::Extended,
        };
        View {
            resample: self.resample.unwrap_or(Timeframe::Unspecified).into(),
            hours: hours.into(),
            with_time_zone: self.tz == "exchange",
        }
    }

    /// The clock of the stamps. Bars of a day and longer are labelled by dates, which are the same on every clock.
    pub(super) fn stamps(&self, header: &QueryHeader) -> Result<Stamps, Failure> {
        let unknown = |name: &str| {
            let text = format!("there is no time zone {name:?}");
            Failure::new(&reason::REQUEST_INVALID, text).hint("utc, local, exchange, or a name such as Europe/Berlin")
        };
        let zone = match self.tz.as_str() {
            "utc" | "UTC" => return Ok(Stamps::default()),
            "local" => TimeZone::system(),
            "exchange" if header.time_zone.is_empty() => {
                let symbol = header.series.as_ref().map_or("", |series| series.symbol.as_str());
                let text = format!("no calendar is known of the market of {symbol}, so its clock is not known either");
                return Err(Failure::new(&reason::CALENDAR_UNKNOWN, text).hint("name the zone: --tz Europe/Berlin"));
            }
            "exchange" => TimeZone::get(&header.time_zone).map_err(|_| unknown(&header.time_zone))?,
            name => TimeZone::get(name).map_err(|_| unknown(name))?,
        };
        let dates = matches!(
            header.series.as_ref().map(ktrdr_proto::v1::SeriesId::timeframe),
            Some(Timeframe::Days1 | Timeframe::Weeks1 | Timeframe::Months1)
        );
        Ok(if dates { Stamps::default() } else { Stamps::on(zone) })
    }
}
