//! `ktrdr data calendar`: when a market is open.

use clap_complete::ArgValueCompleter;
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use ktrdr_proto::v1::{GetCalendarRequest, ListCalendarsRequest};

use crate::{
    commands::completions,
    context::Context,
    failure::Stop,
    output::table::{Align, Table},
    views::{
        calendar::{CalendarView, DayView, MarketsView},
        contract::Hours,
    },
};

/// When a market is open
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data calendar                                    all markets there are calendars of
  ktrdr data calendar NYSE                               the next two weeks
  ktrdr data calendar AAPL --from 2025-12-22 --to 2026-01-05
  ktrdr data calendar CME --from 2026-01-01 --to 2026-12-31 --special
  ktrdr data calendar FX --format json

Times are of the market's own clock; in JSON they are UTC. A day is named by its end: Monday of currency pairs begins on
Sunday. Of what a calendar does not know, no day is told.")]
pub(crate) struct Args {
    /// A market (NYSE, CME, LSE, FX, 24/7 …) or a symbol
    #[arg(add = ArgValueCompleter::new(completions::markets))]
    market: Option<String>,

    /// First date [default: today]
    #[arg(long, value_name = "DATE", requires = "market")]
    from: Option<Date>,

    /// Last date [default: 13 days after the first]
    #[arg(long, value_name = "DATE", requires = "market")]
    to: Option<Date>,

    /// Only days with other hours than usual, and weekdays without a session
    #[arg(long, requires = "market")]
    special: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let Some(name) = args.market else {
        let request = client.request(ListCalendarsRequest {});
        let view = MarketsView::from(client.answer(client.market_data().list_calendars(request)).await?);
        return Ok(context.out.show(json, &view, || markets(&view))?);
    };
    let first = args.from.unwrap_or_else(|| TimeZone::system().to_datetime(Timestamp::now()).date());
    let last = args.to.unwrap_or_else(|| first.saturating_add(13.days()));
    let request = GetCalendarRequest { name, first_date: first.to_string(), last_date: last.to_string() };
    let answer = client.answer(client.market_data().get_calendar(client.request(request))).await?;
    let mut view = CalendarView::from(answer);
    view.days.retain(|day| day.special || !args.special);
    if !json {
        context.out.line(&format!("{} ({})", view.calendar.code, view.calendar.time_zone))?;
    }
    context.out.show(json, &view, || days(&view))?;
    if !json && view.calendar.known_until < last.to_string() {
        context.talk.say(&format!("Nothing is known beyond {}", view.calendar.known_until));
    }
    Ok(())
}

fn markets(view: &MarketsView) -> Table {
    let mut table = Table::new([
        ("Code", Align::Left),
        ("Names", Align::Left),
        ("Clock", Align::Left),
        ("Known until", Align::Left),
    ]);
    for market in &view.calendars {
        table.row([
            market.code.as_str().into(),
            market.names.join(" ").into(),
            market.time_zone.as_str().into(),
            market.known_until.as_str().into(),
        ]);
    }
    table
}

fn days(view: &CalendarView) -> Table {
    let zone = TimeZone::get(&view.calendar.time_zone).unwrap_or(TimeZone::UTC);
    let mut table = Table::new([
        ("Date", Align::Left),
        ("Day", Align::Left),
        ("Regular", Align::Left),
        ("All hours", Align::Left),
        ("Note", Align::Left),
    ]);
    for day in &view.days {
        let date: Option<Date> = day.date.parse().ok();
        let weekday = date.map(|date| date.strftime("%a").to_string()).unwrap_or_default();
        let hours = |hours: &[Hours]| spell(hours, date, &zone);
        table.row([
            day.date.as_str().into(),
            weekday.into(),
            hours(&day.regular).into(),
            hours(&day.all).into(),
            note(day).into(),
        ]);
    }
    table
}

fn note(day: &DayView) -> &'static str {
    match (day.open, day.special) {
        (true, true) => "other hours",
        (false, true) => "closed",
        (true, false) => "usual",
        (false, false) => "no session",
    }
}

/// `09:30-16:00`; a time of the day before has its weekday.
fn spell(hours: &[Hours], date: Option<Date>, zone: &TimeZone) -> String {
    let time = |instant: crate::time::Instant| {
        let at = zone.to_datetime(instant.timestamp());
        let other = date.is_some_and(|date| at.date() < date);
        at.strftime(if other { "%a %H:%M" } else { "%H:%M" }).to_string()
    };
    let parts: Vec<String> = hours.iter().map(|part| format!("{}-{}", time(part.start), time(part.end))).collect();
    if parts.is_empty() { "–".to_owned() } else { parts.join(", ") }
}
