"""How people write the enums of the contract: one spelling here, on the command line and in JSON (`proto/src/spelling.rs`)."""

from __future__ import annotations

from typing import Any

from . import errors
from .v1 import gateway_pb2 as gateway
from .v1 import host_services_pb2, market_data_pb2, operations_pb2, types_pb2

_UNITS = {"SECONDS": "s", "MINUTES": "m", "HOURS": "h", "DAYS": "d", "WEEKS": "w", "MONTHS": "M"}


class _Words(dict[int, str]):
    """What a daemon of tomorrow says and this package does not know is told as its number."""

    def __missing__(self, number: int) -> str:
        return "unspecified" if number == 0 else str(number)


class Words:
    """The words of one enum."""

    def __init__(self, what: str, enum: Any, prefix: str, spelt: dict[str, str] | None = None) -> None:
        names = {name.removeprefix(prefix): number for name, number in enum.items() if number != 0}
        self.what = what
        self.numbers: dict[str, int] = {(spelt or {}).get(name, name.lower()): number for name, number in names.items()}
        #: Of a number.
        self.word = _Words({number: word for word, number in self.numbers.items()}).__getitem__

    def number(self, word: str | None) -> Any:
        """Of a word; `None` leaves it to the daemon."""
        if word is None:
            return 0
        if not isinstance(word, str):
            raise errors.WrongType(f"{self.what} is {word!r} ({type(word).__name__})", hint=f"use one of {self.choice()}")
        if word not in self.numbers:
            raise errors.RequestInvalid(f"{self.what} is {word!r}", hint=f"use one of {self.choice()}")
        return self.numbers[word]

    def choice(self) -> str:
        """All of them."""
        return " ".join(self.numbers)


def _timeframe(name: str) -> str:
    unit, count = name.split("_")
    return count + _UNITS[unit]


_TIMEFRAMES = [name.removeprefix("TIMEFRAME_") for name, number in types_pb2.Timeframe.items() if number != 0]
_ORDERS = market_data_pb2

TIMEFRAME = Words("timeframe", types_pb2.Timeframe, "TIMEFRAME_", {name: _timeframe(name) for name in _TIMEFRAMES})
SESSION = Words("session", types_pb2.TradingSession, "TRADING_SESSION_", {"ALL_HOURS": "all", "REGULAR_HOURS": "regular"})
WHAT = Words("what", types_pb2.WhatToShow, "WHAT_TO_SHOW_")
SOURCE = Words("source", types_pb2.Source, "SOURCE_")
MODE = Words("mode", _ORDERS.LoadMode, "LOAD_MODE_")
ON_SPLIT = Words("on_split", _ORDERS.OnSplit, "ON_SPLIT_")
HOURS = Words("hours", _ORDERS.HoursOfDay, "HOURS_OF_DAY_")
SEVERITY = Words("severity", _ORDERS.Severity, "SEVERITY_")
GAP_CLASS = Words("gap class", _ORDERS.GapClass, "GAP_CLASS_")
LIVE_PHASE = Words("phase", _ORDERS.LivePhase, "LIVE_PHASE_")
STATE = Words("state", operations_pb2.OperationState, "OPERATION_STATE_")
GATEWAY_STATE = Words("gateway state", gateway.GatewayState, "GATEWAY_STATE_")
HOST_STATE = Words("host state", host_services_pb2.HostServiceState, "HOST_SERVICE_STATE_")


def timeframe(text: str) -> Any:
    """Reads a timeframe. Case matters, `1m` and `1M` differ."""
    if not isinstance(text, str):
        raise errors.WrongType(
            f"timeframe is {text!r} ({type(text).__name__})", hint=f'write it as text, "1h": {TIMEFRAME.choice()}'
        )
    number = TIMEFRAME.numbers.get("1M" if text == "1mo" else text)
    if number is None:
        raise errors.TimeframeInvalid(f"unknown timeframe {text!r}")
    return number


def symbol(text: str) -> str:
    """A symbol as people write it; the daemon knows which ones there are."""
    if not isinstance(text, str):
        raise errors.WrongType(f"symbol is {text!r} ({type(text).__name__})", hint='write it as text: "NVDA"')
    if not text.strip():
        raise errors.SymbolInvalid("the symbol is empty")
    return text
