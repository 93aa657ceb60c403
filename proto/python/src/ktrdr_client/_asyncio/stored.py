"""What is stored: which series, their bars, and whether those are right. None of it asks the gateway."""

from __future__ import annotations

import builtins
import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import _answers, _frames, _requests, _words, models
from .._frames import Library
from .._time import Instant
from .._time import end as _end
from .._time import start as _start
from ..v1 import housekeeping_pb2, market_data_pb2
from .streams import AsyncBatches
from .wire import Wire

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


class Stored:
    """The part of a client that reads."""

    _wire: Wire

    async def list(self, *, timeout: float | None = None) -> builtins.list[models.Series]:
        """As `Client.list`."""
        answer = await self._wire.call(self._wire.on.data.ListSeries, market_data_pb2.ListSeriesRequest(), timeout)
        return [_answers.series(one) for one in answer.series]

    async def range(self, symbol: str, timeframe: str, *, timeout: float | None = None) -> models.Series:
        """As `Client.range`."""
        request = market_data_pb2.GetRangeRequest(series=_requests.series(symbol, timeframe))
        return _answers.series((await self._wire.call(self._wire.on.data.GetRange, request, timeout)).series)

    async def remembered(self, symbol: str, *, timeout: float | None = None) -> models.Contract | None:
        """As `Client.remembered`."""
        request = housekeeping_pb2.GetInfoRequest(symbol=_words.symbol(symbol))
        answer = await self._wire.call(self._wire.on.housekeeping.GetInfo, request, timeout)
        return _answers.contract(answer.contract, None) if answer.HasField("contract") else None

    async def calendar(
        self, name: str, first: dt.date | str, last: dt.date | str, *, timeout: float | None = None
    ) -> models.Calendar:
        """As `Client.calendar`."""
        request = _requests.calendar(name, first, last)
        return _answers.calendar(await self._wire.call(self._wire.on.data.GetCalendar, request, timeout))

    @overload
    async def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Literal["pandas"], timeout: float | None = ...,
    ) -> pandas.DataFrame: ...  # fmt: skip

    @overload
    async def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Literal["polars"], timeout: float | None = ...,
    ) -> polars.DataFrame: ...  # fmt: skip

    @overload
    async def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Literal["arrow"], timeout: float | None = ...,
    ) -> pyarrow.Table: ...  # fmt: skip

    @overload
    async def bars(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *,
        head: int | None = ..., tail: int | None = ..., resample: str | None = ..., hours: str | None = ...,
        as_: Library | None = ..., timeout: float | None = ...,
    ) -> Any: ...  # fmt: skip

    async def bars(
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
        """As `Client.bars`: one row a bar, float64 prices, instants in UTC."""
        request = _requests.query(symbol, timeframe, start, end, head, tail, resample, hours)
        wanted = _frames.library(as_)

        async def work() -> Any:
            async with await AsyncBatches.begin(self._wire, self._wire.on.query, request, timeout) as batches:
                return await batches.fill(_frames.frame(wanted, batches.header))

        return await self._wire.again(work)

    async def batches(
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
    ) -> AsyncBatches:
        """As `Client.batches`: chunks of about 5,400 bars, each six NumPy arrays of shape (bars,)."""
        request = _requests.query(symbol, timeframe, start, end, head, tail, resample, hours)
        return await self._wire.again(lambda: AsyncBatches.begin(self._wire, self._wire.on.query, request, timeout))

    async def check(
        self, symbol: str | None = None, timeframe: str | None = None, *, timeout: float | None = None
    ) -> builtins.list[models.Checked]:
        """As `Client.check`."""
        request = market_data_pb2.CheckRequest(series=_requests.some_series(symbol, timeframe))

        async def work() -> builtins.list[models.Checked]:
            return [_answers.checked(one) async for one in self._wire.stream(self._wire.on.data.Check, request, timeout)]

        return await self._wire.again(work)

    async def gaps(
        self,
        symbol: str | None = None,
        timeframe: str | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        *,
        timeout: float | None = None,
    ) -> builtins.list[models.Gap]:
        """As `Client.gaps`."""
        checked = await self.check(symbol, timeframe, timeout=timeout)
        return _answers.within((gap for one in checked for gap in one.gaps), _start(start), _end(end))
