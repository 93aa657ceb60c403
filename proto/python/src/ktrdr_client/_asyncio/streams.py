"""Answers that come in pieces: stored bars, and live ones until somebody leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, cast

import grpc
import grpc.aio

from .. import _answers, _columns, _live, _wire, errors
from .._columns import Chunk, Columns
from .._frames import Frame
from ..models import BarsHeader, LiveEvent
from ..v1 import market_data_pb2
from .wire import Wire


class AsyncBatches(AsyncIterator[Chunk]):
    """Stored bars in pieces of some thousand, in memory that does not grow with their number. A context, too."""

    #: What the bars are, and how many follow.
    header: BarsHeader

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages
        self._remaining = _columns.Remaining(0)

    @classmethod
    async def begin(cls, wire: Wire, query: Any, request: market_data_pb2.QueryRequest, timeout: float | None) -> AsyncBatches:
        """With its header."""
        self = cls(wire.stream(query, request, timeout))
        self.header = _answers.header(_columns.header(await anext(self._messages, None)))
        self._remaining = _columns.Remaining(self.header.rows)
        return self

    async def _take(self) -> Columns | None:
        """The next bars; after the last ones nothing, however often."""
        async for message in self._messages:
            return self._remaining.take(message)
        self._remaining.end()
        return None

    async def __anext__(self) -> Chunk:
        columns = await self._take()
        if columns is None:
            raise StopAsyncIteration
        return _columns.chunk(columns)

    async def fill(self, frame: Frame) -> Any:
        """All of them, as a frame."""
        while (columns := await self._take()) is not None:
            frame.add(columns)
        return frame.done()

    async def close(self) -> None:
        """Ends the answer before its end."""
        await cast("Any", self._messages).aclose()

    async def __aenter__(self) -> AsyncBatches:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self.close()


class AsyncWatch(AsyncIterator[LiveEvent]):
    """Live bars, until it is closed. A context, too."""

    #: In its one spelling.
    symbol: str
    timeframe: str
    #: `all` or `regular`.
    session: str
    #: `trades`, `midpoint`, `bid` or `ask`.
    what: str
    #: Bars that close are stored.
    keep: bool

    def __init__(self, wire: Wire, rpc: Any, request_id: str, running: bool) -> None:
        self._wire, self._rpc, self._request_id, self._running = wire, rpc, request_id, running
        self._closed = False
        self._events: Iterator[LiveEvent] = iter(())

    @classmethod
    async def begin(
        cls, wire: Wire, subscribe: Any, request: market_data_pb2.SubscribeRequest, running: bool, timeout: float | None
    ) -> AsyncWatch:
        """With its header; the stream has no end, but its beginning may not take long."""
        request_id = _wire.new_id()
        self = cls(wire, subscribe(request, metadata=((_wire.REQUEST_ID_KEY, request_id),)), request_id, running)
        try:
            sent = await asyncio.wait_for(self._message(), wire.limit(timeout))
        except asyncio.TimeoutError:
            raise errors.TimedOut(f"no answer in time from ktrdrd at {wire.path}") from None
        if sent is None:
            raise _columns.unusable("it does not begin with its header")
        _wire.verify(await self._rpc.initial_metadata(), request_id)
        wire.reached = True
        self.symbol, self.timeframe, self.session, self.what, self.keep = _live.subscribed(sent)
        return self

    async def _message(self) -> market_data_pb2.SubscribeResponse | None:
        try:
            message = await self._rpc.read()
        except grpc.RpcError as error:
            raise self._wire.failed(error, self._request_id) from None
        except asyncio.CancelledError:
            if not self._closed:
                raise
            return None
        return None if message is grpc.aio.EOF else message

    async def __anext__(self) -> LiveEvent:
        while not self._closed:
            for event in self._events:
                return event
            message = await self._message()
            if message is not None:
                self._events = _live.events(message, self.symbol, self.timeframe, self._running)
            elif not self._closed:
                raise errors.DaemonUnreachable(f"ktrdrd at {self._wire.path} ended the subscription")
        raise StopAsyncIteration

    async def close(self) -> None:
        """Ends it, also from another task."""
        self._closed = True
        self._rpc.cancel()

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self.close()

    def __del__(self) -> None:
        self._rpc.cancel()
