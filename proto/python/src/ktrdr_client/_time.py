"""Instants: what people write, as nanoseconds since the epoch, and back. Everything is UTC; what has no zone is refused."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, TypeAlias

from . import errors

#: An aware datetime (also a `pandas.Timestamp`), a date, `"2024-01-31"` or an ISO 8601 text with a zone.
Instant: TypeAlias = "dt.datetime | dt.date | str"

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_DAY = dt.timedelta(days=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NS = range(-(2**63), 2**63)
_WRITE = 'a date such as "2024-01-31", "2024-01-31T14:30:00Z", or an aware datetime'


def start(value: Instant | None) -> int | None:
    """A first instant; a date is its midnight."""
    return None if value is None else _read("start", value, dt.timedelta(0))


def end(value: Instant | None) -> int | None:
    """The instant that is no longer part of a range; a date is the midnight after it."""
    return None if value is None else _read("end", value, _DAY)


def aware(ns: int) -> dt.datetime:
    """Nanoseconds since the epoch as a datetime in UTC, to the microsecond."""
    # by position: with a name it takes twice as long
    return EPOCH + dt.timedelta(0, 0, ns // 1000)


def date(name: str, value: dt.date | str | None) -> str:
    """A calendar date, as the contract spells it; empty: none."""
    if value is None:
        return ""
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        return value.strip()
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    raise errors.WrongType(f"{name} is no date: {value!r}", hint='write "2024-01-31" or datetime.date(2024, 1, 31)')


def _read(name: str, value: Any, of_date: dt.timedelta) -> int:
    if isinstance(value, str):
        value = _text(name, value.strip())
    if isinstance(value, dt.datetime):
        return _instant(name, value)
    if isinstance(value, dt.date):
        return _in_range(name, _midnight(value) + of_date, 0)
    raise errors.WrongType(f"{name} is {value!r} ({type(value).__name__}), which is no instant", hint=f"write {_WRITE}")


def _midnight(day: dt.date) -> dt.timedelta:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.timezone.utc) - EPOCH


def _text(name: str, text: str) -> dt.date:
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        # before Python 3.11 fromisoformat knows no Z
        return dt.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
    except ValueError as error:
        raise errors.RequestInvalid(f"{name} is no instant: {text!r}", str(error), hint=f"write {_WRITE}") from None


def _instant(name: str, moment: dt.datetime) -> int:
    # a pandas.NaT is a datetime, too, but none that equals itself
    if moment != moment:
        raise errors.RequestInvalid(f"{name} is no instant: {moment}", hint=f"write {_WRITE}")
    if moment.utcoffset() is None:
        stamp = moment.isoformat(sep="T")
        raise errors.RequestInvalid(
            f"{name} has no time zone: {moment}",
            hint=f'write "{stamp}Z" if it is UTC, or give the datetime a zone: '
            f".replace(tzinfo=datetime.timezone.utc), or ZoneInfo(…) of the clock that it was read from",
        )
    # of a pandas.Timestamp, which counts nanoseconds
    return _in_range(name, moment - EPOCH, int(getattr(moment, "nanosecond", 0)))


def _in_range(name: str, since: dt.timedelta, nanoseconds: int) -> int:
    ns = (since // _MICROSECOND) * 1000 + nanoseconds
    if ns not in _NS:
        raise errors.RequestInvalid(f"{name} is outside the years 1678 to 2261", hint=f"write {_WRITE}")
    return ns
