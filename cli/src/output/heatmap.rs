//! Completeness as a picture: a mark for each session, or for each month of a long series.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use crate::views::check::DayView;

/// A series of more sessions is drawn by months.
const SESSIONS_BY_DAY: usize = 130;
const MONTHS: &str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";

/// Draws it; nothing for a series without sessions.
pub(crate) fn draw(out: &mut impl Write, days: &[DayView]) -> io::Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    if days.len() <= SESSIONS_BY_DAY {
        by_day(out, days)?;
    } else {
        by_month(out, days)?;
    }
    writeln!(
        out,
        "          {} complete  {} 95 %  {} 75 %  {} less  {} none",
        mark(1, 1),
        mark(96, 100),
        mark(80, 100),
        mark(1, 100),
        mark(0, 1)
    )
}

/// One row a month, one column a day of it.
fn by_day(out: &mut impl Write, days: &[DayView]) -> io::Result<()> {
    let mut months: BTreeMap<(i16, i8), [Option<char>; 31]> = BTreeMap::new();
    for day in days {
        let row = months.entry((day.date.year(), day.date.month())).or_insert([None; 31]);
        if let Some(cell) = row.get_mut(usize::try_from(day.date.day() - 1).unwrap_or(usize::MAX)) {
            *cell = Some(mark(day.present, day.due));
        }
    }
    writeln!(out, "          1        10        20        30")?;
    for ((year, month), row) in months {
        let cells: String = row.iter().map(|cell| cell.unwrap_or(' ')).collect();
        writeln!(out, "{year}-{month:02}   {}", cells.trim_end())?;
    }
    Ok(())
}

/// One row a year, one column a month.
fn by_month(out: &mut impl Write, days: &[DayView]) -> io::Result<()> {
    let mut years: BTreeMap<i16, [(u32, u32); 12]> = BTreeMap::new();
    for day in days {
        let row = years.entry(day.date.year()).or_default();
        if let Some((present, due)) = row.get_mut(usize::try_from(day.date.month() - 1).unwrap_or(usize::MAX)) {
            (*present, *due) = (*present + day.present, *due + day.due);
        }
    }
    writeln!(out, "          {MONTHS}")?;
    for (year, row) in years {
        let cell = |(present, due): &(u32, u32)| {
            if *due == 0 { "   ".to_owned() } else { mark(*present, *due).to_string().repeat(3) }
        };
        let cells: Vec<String> = row.iter().map(cell).collect();
        writeln!(out, "{year}      {}", cells.join(" ").trim_end())?;
    }
    Ok(())
}

fn mark(present: u32, due: u32) -> char {
    let share = if due == 0 { 1.0 } else { f64::from(present) / f64::from(due) };
    match share {
        _ if present >= due => '█',
        share if share >= 0.95 => '▓',
        share if share >= 0.75 => '▒',
        share if share > 0.0 => '░',
        _ => '·',
    }
}
