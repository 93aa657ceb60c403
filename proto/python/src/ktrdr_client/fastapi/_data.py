"""The endpoints of stored bars, and of loads."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, field_validator, model_validator

from .. import errors, models
from .._asyncio.streams import AsyncBatches
from .._columns import Chunk
from ..aio import AsyncClient
from . import _documents as documents
from ._kept import BARS, Kept, again, tag
from ._route import described, status_of

#: What is known of a symbol hardly ever changes.
REMEMBERED_SECONDS = 3600.0
AT_ONCE = 16
#: Enough for the usual hours of a market.
CALENDAR_DAYS = 28
_TICK = dt.timedelta(microseconds=1)
_DATES = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


class _Streamed(StreamingResponse):
    """Who leaves in the middle ends the reading, too."""

    def __init__(self, parts: AsyncGenerator[bytes, None], headers: dict[str, str]) -> None:
        self.parts = parts
        super().__init__(parts, headers=headers, media_type="application/json")

    async def __call__(self, *what: Any) -> None:
        try:
            await super().__call__(*what)
        finally:
            await self.parts.aclose()


class Filters(BaseModel):
    """Which hours of the day."""

    trading_hours_only: bool = False
    include_extended: bool = False


class LoadRequest(BaseModel):
    """What to load."""

    symbol: str
    timeframe: str
    mode: Literal["local", "tail", "backfill", "full"] = "local"
    start_date: dt.datetime | None = None
    end_date: dt.datetime | None = None
    filters: Filters | None = None
    #: Accepted, and not needed: every answer of the gateway is stored as it comes.
    periodic_save_minutes: float = Field(default=2.0, gt=0.1, le=60.0)

    @field_validator("timeframe")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in documents.TIMEFRAMES:
            raise ValueError(f"Timeframe must be one of {list(documents.TIMEFRAMES)}")
        return value

    @field_validator("start_date", "end_date")
    @classmethod
    def _with_zone(cls, value: dt.datetime | None) -> dt.datetime | None:
        return value if value is None else aware(value)

    @model_validator(mode="after")
    def _in_order(self) -> LoadRequest:
        if self.start_date and self.end_date and self.start_date > self.end_date:
            raise ValueError("start_date must be before end_date")
        return self


class RangeRequest(BaseModel):
    """Which series."""

    symbol: str
    timeframe: str


def aware(moment: dt.datetime) -> dt.datetime:
    """Without a zone it is UTC, as the old backend had it."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def parsed(name: str, text: str | None) -> dt.datetime | None:
    """A date or an instant of a query; a date is its midnight."""
    if not text:
        return None
    try:
        return aware(dt.datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace(" +", "+")))
    except ValueError:
        # the class says the code
        raise errors.RangeInvalid(f"Invalid {name} format: {text}", hint="write YYYY-MM-DD or an ISO 8601 instant") from None


def add(router: APIRouter, client: AsyncClient) -> None:
    """Adds them."""
    known, kept = Known(client), Kept()

    @router.get("/symbols", tags=["Data"])
    async def get_symbols() -> dict[str, Any]:
        """All symbols with stored bars."""
        stored = {name: [*series] for name, series in itertools.groupby(await client.list(), lambda one: one.symbol)}
        facts = await known.all(stored)
        return documents.enveloped([documents.symbol(name, series, facts[name]) for name, series in stored.items()])

    @router.get("/timeframes", tags=["Data"])
    async def get_timeframes() -> dict[str, Any]:
        """The lengths of a bar that the old backend knew."""
        listed = [{"id": one, "name": name, "description": text} for one, (name, text) in documents.TIMEFRAMES.items()]
        return documents.enveloped(listed)

    @router.get("/data/info", tags=["Data"])
    async def get_data_info() -> dict[str, Any]:
        """What is stored, in figures."""
        status, listed = await asyncio.gather(client.status(), client.list())
        stored = {name: [*series] for name, series in itertools.groupby(listed, lambda one: one.symbol)}
        facts = await known.all(stored)
        types: dict[str, int] = {}
        for name, series in stored.items():
            kind = documents.symbol(name, series, facts[name])["type"]
            types[kind] = types.get(kind, 0) + 1
        timeframes = sorted({one.timeframe for one in listed})
        return documents.enveloped(
            {
                "data_directory": status.data_dir,
                "total_symbols": len(stored),
                "available_symbols": [*stored],
                "symbol_types": types,
                "timeframes_available": timeframes,
                "total_timeframes": len(timeframes),
                "data_sources": ["local_files", "ib_gateway"],
                "features": ["symbol_discovery", "data_validation", "gap_filling", "real_time_updates"],
            }
        )

    @router.get("/data/{symbol}/{timeframe}", tags=["Data"])
    async def get_data(
        request: Request,
        symbol: str,
        timeframe: str,
        start_date: Annotated[str | None, Query(description="First instant, ISO 8601; a date is its midnight UTC")] = None,
        end_date: Annotated[str | None, Query(description="Last instant, itself wanted, too")] = None,
        trading_hours_only: bool = False,
        include_extended: bool = False,
    ) -> Response:
        """Stored bars; many are written while they are read. `If-None-Match` with the `ETag` is 304 while they are the same."""
        start, end = parsed("start_date", start_date), parsed("end_date", end_date)
        symbol = symbol.strip().upper()
        hours = "regular" if trading_hours_only and not include_extended else None
        what = (symbol, timeframe, (start, end))
        # which hours are regular is not told by the bars
        if hours is None and (same := await again(client, kept, what, request)):
            return same
        try:
            # the end is part of the range there
            batches = await client.batches(symbol, timeframe, start, end and end + _TICK, hours=hours)
        except errors.SeriesNotFound:
            metadata = documents.bars_metadata(symbol, timeframe, None)
            return JSONResponse(documents.enveloped({"dates": [], "ohlcv": [], "points": None, "metadata": metadata}))
        # what fails at once is an error with a document; later the answer just breaks off
        first = await anext(batches, None)
        parts = _bars(batches, first, symbol, timeframe)
        revision = batches.header.revision
        headers = {} if revision is None else {"ETag": tag(revision)}
        if revision is None or batches.header.rows > BARS:
            return _Streamed(parts, headers)
        document = b"".join([part async for part in parts])
        kept.put(what, revision, document)
        return Response(document, headers=headers, media_type="application/json")

    @router.post("/data/load", tags=["Data"])
    async def load_data(request: LoadRequest, async_mode: bool = False) -> Response:
        """Brings in what is missing; with `async_mode`, an operation to be followed."""
        regular = request.filters and request.filters.trading_hours_only and not request.filters.include_extended
        operation = await client.start_load(
            request.symbol.strip(),
            request.timeframe,
            request.start_date,
            request.end_date and request.end_date + _TICK,
            mode=request.mode,
            session="regular" if regular else None,
        )
        if async_mode:
            return JSONResponse(documents.enveloped({**_nothing_yet("started"), "operation_id": operation.id}))
        ended = [state async for state in client.watch_operation(operation.id) if state.ended]
        return _loaded(ended[-1], request)

    @router.post("/data/range", tags=["Data"])
    async def get_data_range(request: RangeRequest) -> dict[str, Any]:
        """First and last stored bar, and the exact count."""
        try:
            series = await client.range(request.symbol.strip(), request.timeframe)
        except errors.SeriesNotFound:
            text = f"Data not found for {request.symbol} ({request.timeframe})"
            raise HTTPException(404, text) from None
        return documents.enveloped(
            {
                "symbol": series.symbol,
                "timeframe": series.timeframe,
                "start_date": documents.instant(series.start),
                "end_date": documents.instant(series.end),
                "point_count": series.bars,
            }
        )


class Known:
    """What is known of symbols apart from their bars, remembered for a while."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.facts: dict[str, tuple[float, documents.Facts]] = {}

    async def all(self, names: dict[str, Any]) -> dict[str, documents.Facts]:
        """Of each of these, some at a time."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> documents.Facts:
            until, facts = self.facts.get(name, (0.0, None))
            if facts is None or time.monotonic() > until:
                async with turn:
                    facts = await self._ask(name)
                # a contract that nobody asked for yet may be known soon
                keep = REMEMBERED_SECONDS if facts.contract else 0.0
                self.facts[name] = (time.monotonic() + keep, facts)
            return facts

        found = await asyncio.gather(*map(one, names))
        self.facts = {name: self.facts[name] for name in names}
        return dict(zip(names, found, strict=True))

    async def _ask(self, name: str) -> documents.Facts:
        today = dt.datetime.now(dt.timezone.utc).date()
        calendar = None
        try:
            contract = await self.client.remembered(name)
            if contract is not None:
                calendar = await self.client.calendar(name, today - dt.timedelta(days=CALENDAR_DAYS), today)
        except errors.CalendarUnknown:
            pass
        except errors.SeriesNotFound:
            # it was deleted just now
            contract = None
        return documents.Facts(contract, calendar)


async def _bars(batches: AsyncBatches, first: Chunk | None, symbol: str, timeframe: str) -> AsyncGenerator[bytes, None]:
    """The document of bars. Of each only its instant is held: the dates come after the prices."""
    metadata = documents.bars_metadata(symbol, timeframe, batches.header)
    yield b'{"success":true,"data":{"metadata":' + orjson.dumps(metadata) + b',"points":null,"ohlcv":['
    starts, chunk, separator = [], first, b""
    async with batches:
        while chunk is not None:
            rows = np.column_stack([chunk.open, chunk.high, chunk.low, chunk.close, chunk.volume])
            yield separator + orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
            starts.append(chunk.start_ns)
            separator = b","
            chunk = await anext(batches, None)
    yield b'],"dates":['
    separator = b""
    for start_ns in starts:
        yield separator + orjson.dumps(start_ns.view("datetime64[ns]"), option=_DATES)[1:-1]
        separator = b","
    yield b']},"error":null}'


def _nothing_yet(status: str) -> dict[str, Any]:
    return {
        "status": status,
        "operation_id": None,
        "fetched_bars": 0,
        "cached_before": False,
        "merged_file": "",
        "gaps_analyzed": 0,
        "segments_fetched": 0,
        "ib_requests_made": 0,
        "execution_time_seconds": 0.0,
        "error_message": None,
    }


def _loaded(operation: models.Operation, request: LoadRequest) -> JSONResponse:
    """The document of a load that has ended."""
    error, result = operation.error, operation.result
    if request.mode == "local" and isinstance(error, errors.NotFoundError):
        raise error
    told = documents.load_summary(result, operation) if isinstance(result, models.Loaded) else _nothing_yet("failed")
    message = None if error is None else ": ".join(error.messages)
    data = {**told, "operation_id": operation.id, "error_message": message}
    if error is None:
        return JSONResponse(documents.enveloped(data))
    asked = {"symbol": request.symbol.strip().upper(), "timeframe": request.timeframe, "mode": request.mode}
    partly = data["status"] == "partial"
    document = described(error, "DATA-PartialLoad" if partly else "DATA-LoadFailed")
    document["details"] |= {**asked, "status": status_of(error)}
    # one that brought something counts as a success there, with the error beside it
    return JSONResponse({"success": partly, "data": data, "error": document})
