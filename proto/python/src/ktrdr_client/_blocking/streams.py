"""Answers that come in pieces: stored bars, and live ones until somebody leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, cast

import grpc

from .. import _answers, _columns, _live, _wire, errors
from .._columns import Chunk, Columns
from .._frames import Frame
from ..models import BarsHeader, LiveEvent
from ..v1 import market_data_pb2
from .wire import Wire


class Batches(Iterator[Chunk]):
    """Stored bars in pieces of some thousand, in memory that does not grow with their number. A context, too."""

    #: What the bars are, and how many follow.
    header: BarsHeader

    def __init__(self, wire: Wire, query: Any, request: market_data_pb2.QueryRequest, timeout: float | None) -> None:
        self._messages = wire.stream(query, request, timeout)
        self.header = _answers.header(_columns.header(next(self._messages, None)))
        self._remaining = _columns.Remaining(self.header.rows)

    def _take(self) -> Columns | None:
        """The next bars; after the last ones nothing, however often."""
        for message in self._messages:
            return self._remaining.take(message)
        self._remaining.end()
        return None

    def __next__(self) -> Chunk:
        columns = self._take()
        if columns is None:
            raise StopIteration
        return _columns.chunk(columns)

    def fill(self, frame: Frame) -> Any:
        """All of them, as a frame."""
        while (columns := self._take()) is not None:
            frame.add(columns)
        return frame.done()

    def close(self) -> None:
        """Ends the answer before its end."""
        cast("Any", self._messages).close()

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Watch(Iterator[LiveEvent]):
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

    def __init__(
        self, wire: Wire, subscribe: Any, request: market_data_pb2.SubscribeRequest, running: bool, timeout: float | None
    ) -> None:
        self._wire, self._running, self._closed = wire, running, False
        self._request_id = _wire.new_id()
        self._rpc = subscribe(request, metadata=((_wire.REQUEST_ID_KEY, self._request_id),))
        self._events: Iterator[LiveEvent] = iter(())
        self._begin(timeout)

    def _begin(self, timeout: float | None) -> None:
        # the stream has no end, but its beginning may not take long
        late = threading.Timer(self._wire.limit(timeout) or threading.TIMEOUT_MAX, self._rpc.cancel)
        late.daemon = True
        late.start()
        try:
            sent = self._message()
        except errors.CancelledError:
            raise errors.TimedOut(f"no answer in time from ktrdrd at {self._wire.path}") from None
        finally:
            late.cancel()
        about = _live.subscribed(sent)
        self.symbol, self.timeframe, self.session, self.what, self.keep = about

    def _message(self) -> market_data_pb2.SubscribeResponse:
        try:
            message: market_data_pb2.SubscribeResponse = next(self._rpc)
            if not self._wire.reached:
                _wire.verify(self._rpc.initial_metadata(), self._request_id)
                self._wire.reached = True
            return message
        except grpc.RpcError as error:
            raise self._wire.failed(error, self._request_id) from None
        except BaseException:
            self._rpc.cancel()
            raise

    def __next__(self) -> LiveEvent:
        while not self._closed:
            for event in self._events:
                return event
            try:
                message = self._message()
            except StopIteration:
                raise errors.DaemonUnreachable(f"ktrdrd at {self._wire.path} ended the subscription") from None
            except errors.CancelledError:
                if self._closed:
                    break
                raise
            self._events = _live.events(message, self.symbol, self.timeframe, self._running)
        raise StopIteration

    def close(self) -> None:
        """Ends it, also from another thread."""
        self._closed = True
        self._rpc.cancel()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self._rpc.cancel()
