"""What a subscription tells."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TypeAlias

from .._error import KtrdrError


@dataclass(frozen=True, slots=True)
class Bar:
    """One live bar."""

    symbol: str
    timeframe: str
    start: dt.datetime
    #: In the currency of the contract.
    open: float
    high: float
    low: float
    close: float
    #: Shares, contracts or units; NaN where the source has none.
    volume: float
    #: It is over, and told once; otherwise it is still open, and told as it is now.
    closed: bool = True
    #: It came from history: it closed before, or while the subscription was interrupted.
    filled: bool = False
    #: A bar may be missing before this one: the gateway gave prices that cannot be, or refused to give any.
    gap_before: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """This client was too slow and did not get so many closed bars. What follows is in one piece again."""

    bars: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """How a subscription is."""

    #: `starting`, `flowing` or `interrupted`; the daemon subscribes again by itself.
    phase: str
    since: dt.datetime
    #: Why it is interrupted.
    error: KtrdrError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NotKept:
    """Bars that closed could not be stored; the next load brings them."""

    bars: int
    error: KtrdrError = field(compare=False)


#: What a subscription tells.
LiveEvent: TypeAlias = "Bar | Missed | LiveState | NotKept"
