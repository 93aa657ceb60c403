"""What is stored: which series, their bars, and whether those are right. None of it asks the gateway."""

from __future__ import annotations

import builtins
import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, overload

import grpc

from .. import _answers, _columns, _frames, _requests, _words, models
from .._frames import Library
from .._time import Instant
from .._time import end as _end
from .._time import start as _start
from ..v1 import housekeeping_pb2, housekeeping_pb2_grpc, market_data_pb2, market_data_pb2_grpc
from .streams import Batches
from .wire import Wire

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


class Stored:
    """The part of a client that reads."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._data = market_data_pb2_grpc.MarketDataStub(wire.channel)
        self._housekeeping = housekeeping_pb2_grpc.HousekeepingStub(wire.channel)
        self._query: grpc.UnaryStreamMultiCallable[Any, Any] = wire.channel.unary_stream(
            "/ktrdr.v1.MarketData/Query",
            request_serializer=market_data_pb2.QueryRequest.SerializeToString,
            response_deserializer=_columns.read,
        )

    def list(self, *, timeout: float | None = None) -> builtins.list[models.Series]:
        """All stored series, by symbol and timeframe."""
        answer = self._wire.call(self._data.ListSeries, market_data_pb2.ListSeriesRequest(), timeout)
        return [_answers.series(one) for one in answer.series]

    def range(self, symbol: str, timeframe: str, *, timeout: float | None = None) -> models.Series:
        """First and last stored bar of a series, and the exact count."""
        request = market_data_pb2.GetRangeRequest(series=_requests.series(symbol, timeframe))
        return _answers.series(self._wire.call(self._data.GetRange, request, timeout).series)

    def remembered(self, symbol: str, *, timeout: float | None = None) -> models.Contract | None:
        """What the daemon knows of a stored symbol's contract; `None` when the gateway was never asked. `validate` asks it."""
        request = housekeeping_pb2.GetInfoRequest(symbol=_words.symbol(symbol))
        answer = self._wire.call(self._housekeeping.GetInfo, request, timeout)
        return _answers.contract(answer.contract, None) if answer.HasField("contract") else None

    def calendar(self, name: str, first: dt.date | str, last: dt.date | str, *, timeout: float | None = None) -> models.Calendar:
        """When a market is open on these dates: by a calendar's code or name (`XNYS`, `NYSE`, `FOREX`), or by a symbol."""
        return _answers.calendar(self._wire.call(self._data.GetCalendar, _requests.calendar(name, first, last), timeout))

    @overload
    def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Literal["pandas"], timeout: float | None = ...,
    ) -> pandas.DataFrame: ...  # fmt: skip

    @overload
    def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Literal["polars"], timeout: float | None = ...,
    ) -> polars.DataFrame: ...  # fmt: skip

    @overload
    def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Literal["arrow"], timeout: float | None = ...,
    ) -> pyarrow.Table: ...  # fmt: skip

    @overload
    def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Library | None = ..., timeout: float | None = ...,
    ) -> Any: ...  # fmt: skip

    def bars(
        self,
        symbol: str,
        timeframe: str,
        start: Instant | None = None,
        end: Instant | None = None,
        *,
        head: int | None = None,
        tail: int | None = None,
        resample: str | None = None,
        hours: str | None = None,
        as_: Library | None = None,
        timeout: float | None = None,
    ) -> Any:
        """
        Stored bars as a frame, ascending. Never asks the gateway.

        `start` is the first instant and `end` the first one that is no longer wanted; a date is its midnight as `start`, and the
        midnight after it as `end`. `head` or `tail`: only so many of them. `resample="1d"`: longer bars, made of the stored ones
        along the sessions of the market. `hours="regular"` or `"extended"`: only bars that begin there.

        One row a bar, float64 prices in the currency of the contract, volume in shares, contracts or units:

        - `as_="pandas"`: shape (bars, 5), columns open, high, low, close, volume (NaN where the source has none); the index
          `timestamp` is the start of each bar in UTC, in nanoseconds. `frame.attrs` tells symbol, session, prices, source and more.
        - `as_="polars"`: shape (bars, 6), with a column `timestamp`, `Datetime("ns", "UTC")`; volume is null where there is none.
        - `as_="arrow"`: the same as a table.
        - `as_="numpy"`: a dictionary of six arrays of shape (bars,), `timestamp` as `datetime64[ns]`.
        - `None`: the first of pandas, Polars and Arrow that is installed.
        """
        request = _requests.query(symbol, timeframe, start, end, head, tail, resample, hours)
        wanted = _frames.library(as_)

        def work() -> Any:
            with Batches(self._wire, self._query, request, timeout) as batches:
                return batches.fill(_frames.frame(wanted, batches.header))

        return self._wire.again(work)

    def batches(
        self,
        symbol: str,
        timeframe: str,
        start: Instant | None = None,
        end: Instant | None = None,
        *,
        head: int | None = None,
        tail: int | None = None,
        resample: str | None = None,
        hours: str | None = None,
        timeout: float | None = None,
    ) -> Batches:
        """
        The same bars in pieces: an iterator of chunks of about 5,400, each six NumPy arrays of shape (bars,).

        For ranges that are larger than memory. It is not begun again after a restart of the daemon.
        """
        request = _requests.query(symbol, timeframe, start, end, head, tail, resample, hours)
        return self._wire.again(lambda: Batches(self._wire, self._query, request, timeout))

    def check(
        self, symbol: str | None = None, timeframe: str | None = None, *, timeout: float | None = None
    ) -> builtins.list[models.Checked]:
        """Whether stored bars are right and complete: of one series, or of all. Reads all of them; never asks the gateway."""
        request = market_data_pb2.CheckRequest(series=_requests.some_series(symbol, timeframe))
        return self._wire.again(lambda: [_answers.checked(one) for one in self._wire.stream(self._data.Check, request, timeout)])

    def gaps(
        self,
        symbol: str | None = None,
        timeframe: str | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        *,
        timeout: float | None = None,
    ) -> builtins.list[models.Gap]:
        """Absent bars between the first stored one and the last, of one series or of all. Closed hours are no gap."""
        checked = self.check(symbol, timeframe, timeout=timeout)
        return _answers.within((gap for one in checked for gap in one.gaps), _start(start), _end(end))
