"""Writes the tables of exchange sessions that the daemon embeds, from a pinned version of exchange_calendars.

    pip install exchange_calendars==4.13.2
    python tests/calendars/generate.py daemon/src/market_data/calendar/tables

One file an exchange, named by its ISO 10383 code. Lines:

    zone America/New_York            the exchange's wall clock; all times are of it
    known 2000-01-01 2030-12-31      first and last day that the table says anything about
    from 2000-01-01 09:30-16:00      hours of Mondays to Fridays from that day on; a lunch break makes two parts
    closed 2000-01-17                a Monday to Friday without a session
    hours 2000-07-03 09:30-13:00     a day with other hours, or a session on a weekend

A time with < is of the day before.
"""

import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import exchange_calendars
import pandas

PINNED = "4.13.2"
FIRST, LAST = pandas.Timestamp("2000-01-01"), pandas.Timestamp("2030-12-31")
CODES = """XNYS CMES XTSE XLON XETR XPAR XAMS XMIL XMAD XSWX XSTO XCSE XHEL XOSL XTKS XHKG XASX XSES XKRX XBOM""".split()
# exchange_calendars lets a session of CME last to the next one; trading halts for the hour before it
DAILY_BREAK = {"CMES": pandas.Timedelta(hours=1)}


def calendar(code):
    """The calendar and its last known day."""
    for year in range(LAST.year, FIRST.year, -1):
        last = pandas.Timestamp(f"{year}-12-31")
        try:
            return exchange_calendars.get_calendar(code, start=FIRST, end=last), last
        except ValueError:
            continue
    raise SystemExit(f"{code} is known in no year")


def wall(day, instant, zone):
    local = instant.tz_convert(zone)
    before = "<" if local.date() < day.date() else ""
    return f"{before}{local:%H:%M}"


def hours(code, row, day, zone):
    close = row["close"]
    if wall(day, close, zone) == "17:00":
        close -= DAILY_BREAK.get(code, pandas.Timedelta(0))
    parts = [(row["open"], row["break_start"]), (row["break_end"], close)]
    if pandas.isna(row["break_start"]):
        parts = [(row["open"], close)]
    return " ".join(f"{wall(day, begin, zone)}-{wall(day, end, zone)}" for begin, end in parts)


def usual(table):
    """Hours from which day on: others are the most common ones of a quarter; the first day that has them begins them."""
    changes, days = [], list(table.items())
    for at in range(0, len(days), 60):
        common = Counter(text for _, text in days[at : at + 60]).most_common(1)[0][0]
        if not changes:
            changes.append((FIRST, common))
        elif common != changes[-1][1]:
            later = (day for day, text in days[max(0, at - 60) :] if text == common and day > changes[-1][0])
            changes.append((next(later), common))
    return changes


def write(code, folder):
    exchange, last = calendar(code)
    zone = exchange.tz
    table = {day: hours(code, row, day, zone) for day, row in exchange.schedule.iterrows()}
    lines = [f"# exchange_calendars {PINNED}, {code}", f"zone {zone}", f"known {FIRST:%Y-%m-%d} {last:%Y-%m-%d}"]
    changes = usual(table)
    lines += [f"from {day:%Y-%m-%d} {text}" for day, text in changes]
    for day in pandas.date_range(FIRST, last):
        expected = [text for since, text in changes if since <= day][-1] if day.weekday() < 5 else None
        if table.get(day) != expected:
            lines.append(f"hours {day:%Y-%m-%d} {table[day]}" if day in table else f"closed {day:%Y-%m-%d}")
    (folder / f"{code}.txt").write_text("\n".join(lines) + "\n")
    print(code, len(lines), "lines, until", f"{last:%Y-%m-%d}")


def main():
    if version("exchange_calendars") != PINNED:
        raise SystemExit(f"exchange_calendars {PINNED} is needed")
    for code in CODES:
        write(code, Path(sys.argv[1]))


main()
