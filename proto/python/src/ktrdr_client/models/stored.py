"""What is stored, and what it belongs to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of instants; `None` is open."""

    start: dt.datetime | None
    end: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Series:
    """Stored bars of one symbol and timeframe."""

    symbol: str
    timeframe: str
    #: Start of the first and of the last stored bar.
    start: dt.datetime
    end: dt.datetime
    #: Exact count of stored bars.
    bars: int
    #: Of its files.
    size_bytes: int
    #: `gateway`, `import` or `mixed`.
    source: str
    #: `all` or `regular`.
    session: str
    #: `trades`, `midpoint`, `bid` or `ask`.
    what: str
    #: Kind, session or prices were inferred from a file, not told by the gateway.
    assumed: bool
    #: Another one whenever any of the stored bars is: who keeps them compares it. `None`: a daemon that does not tell it.
    revision: int | None


@dataclass(frozen=True, slots=True)
class BarsHeader:
    """What the bars of one answer are."""

    symbol: str
    timeframe: str
    session: str
    what: str
    source: str
    #: Bars of the range, before `head` or `tail` was applied, and bars of the answer.
    rows_in_range: int
    rows: int
    #: First and last bar of the range; `None` when it holds none.
    start: dt.datetime | None
    end: dt.datetime | None
    #: The bars are made of stored ones of this size; `None`: they are stored.
    derived_from: str | None
    #: IANA name of the market's clock; `None`: unknown, or not asked for.
    time_zone: str | None
    #: As that of the series; `None`: of bars that are made of others or chosen by hours.
    revision: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that a check has found."""

    #: Stable; docs/DATA.md lists them.
    code: str
    #: `error`, `warning` or `info`.
    severity: str
    says: str
    helps: str
    #: Bars, or sessions where the rule is about sessions.
    count: int
    first: dt.datetime
    last: dt.datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Absent bars in one piece."""

    symbol: str
    timeframe: str
    #: From the start of the first absent bar to the end of the last.
    start: dt.datetime
    end: dt.datetime
    bars: int
    #: Whole sessions among them.
    sessions: int
    #: `never_asked`, `asked_and_empty` or `not_traded`.
    kind: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the stored bars of a series are right and complete."""

    symbol: str
    timeframe: str
    session: str
    what: str
    #: Code of the calendar that its bars are held against; empty: none is known.
    calendar: str
    bars: int
    start: dt.datetime
    end: dt.datetime
    #: The worst first.
    findings: tuple[Finding, ...]
    #: Ascending; at most 10,000 of `gaps_total`.
    gaps: tuple[Gap, ...]
    gaps_total: int

    @property
    def ok(self) -> bool:
        """Nothing is wrong; what is incomplete or doubtful may be found all the same."""
        return all(finding.severity != "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a symbol means at IB."""

    #: Its one spelling, which series are stored under.
    symbol: str
    con_id: int
    #: `stock`, `forex`, `future`, `continuous_future` or `index`.
    kind: str
    exchange: str
    #: Where it is listed; empty for what is not a stock.
    primary_exchange: str
    #: ISO code.
    currency: str
    long_name: str
    local_symbol: str
    #: As the gateway names it.
    time_zone: str
    #: Smallest price step anywhere.
    min_tick: float
    #: When the gateway told this.
    as_of: dt.datetime
    #: It was remembered, not asked now.
    cached: bool
    #: Earliest bar; `None`: none, or the gateway could not tell.
    head: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """When a market is open on one date of its own clock."""

    date: dt.date
    #: Regular hours; empty when there is no session.
    regular: tuple[Range, ...]
    #: With the hours before and after, as far as they are known.
    all: tuple[Range, ...]
    #: Other hours than usual, or none on a Monday to Friday.
    special: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a market is open."""

    #: The ISO 10383 code of an exchange, `FOREX`, or `ALWAYS`.
    code: str
    #: IANA name of the market's clock.
    time_zone: str
    #: Each date that was asked for and is known, ascending.
    days: tuple[CalendarDay, ...]
