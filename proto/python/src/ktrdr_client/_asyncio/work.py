"""What takes long: starting it, following it to its end, and giving it up."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import datetime as dt
import math
import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, cast, overload

from .. import _outcomes, _requests, _wire, errors, models
from .._blocking.work import raised
from .._progress import Progress, Show
from .._time import Instant
from ..v1 import operations_pb2
from .wire import Wire


class Work:
    """The part of a client that starts operations, and looks after them."""

    _wire: Wire

    @overload
    async def load(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *, mode: str = ...,
        session: str | None = ..., what: str | None = ..., on_split: str = ..., verify: bool = ..., progress: Show = ...,
        timeout: float | None = ...,
    ) -> models.Loaded: ...  # fmt: skip

    @overload
    async def load(
        self, symbol: str | Iterable[str], timeframe: str | Iterable[str], start: Instant | None = ...,
        end: Instant | None = ..., *, mode: str = ..., session: str | None = ..., what: str | None = ...,
        on_split: str = ..., verify: bool = ..., progress: Show = ..., timeout: float | None = ...,
    ) -> models.Loaded | builtins.list[models.Loaded]: ...  # fmt: skip

    async def load(
        self,
        symbol: str | Iterable[str],
        timeframe: str | Iterable[str],
        start: Instant | None = None,
        end: Instant | None = None,
        *,
        mode: str = "tail",
        session: str | None = None,
        what: str | None = None,
        on_split: str = "fail",
        verify: bool = False,
        progress: Show = None,
        timeout: float | None = None,
    ) -> models.Loaded | builtins.list[models.Loaded]:
        """As `Client.load`; a cancelled task cancels it."""
        many = _requests.loads(symbol, timeframe, start, end, mode, session, what, on_split, verify)
        single = isinstance(symbol, str) and isinstance(timeframe, str)
        if not single:
            done = await self._run(self._wire.on.data.LoadMany, many, progress, timeout)
            return [*cast("tuple[models.Loaded, ...]", done.result)]
        request = _requests.one_load(many)
        while True:
            answer, done = await self._start(self._wire.on.data.Load, request, progress, timeout)
            # one that was under way for other bars: what it left missing of ours is loaded now
            if not answer.joined or answer.same_request:
                return cast("models.Loaded", raised(done).result)

    async def start_load(
        self,
        symbol: str | Iterable[str],
        timeframe: str | Iterable[str],
        start: Instant | None = None,
        end: Instant | None = None,
        *,
        mode: str = "tail",
        session: str | None = None,
        what: str | None = None,
        on_split: str = "fail",
        verify: bool = False,
        timeout: float | None = None,
    ) -> models.Operation:
        """As `Client.start_load`."""
        many = _requests.loads(symbol, timeframe, start, end, mode, session, what, on_split, verify)
        many.request_id = _wire.new_id()
        if len(many.series) > 1:
            return _outcomes.operation((await self._wire.call(self._wire.on.data.LoadMany, many, timeout)).operation)
        request = _requests.one_load(many)
        request.request_id = many.request_id
        return _outcomes.operation((await self._wire.call(self._wire.on.data.Load, request, timeout)).operation)

    async def train(
        self,
        strategy: str | os.PathLike[str] | bytes,
        symbols: str | Sequence[str] | None = None,
        timeframes: str | Sequence[str] | None = None,
        start: dt.date | str | None = None,
        end: dt.date | str | None = None,
        *,
        host: str | None = None,
        labels: Sequence[str] = (),
        priority: int | None = None,
        load_missing: bool = False,
        progress: Show = None,
        timeout: float | None = None,
    ) -> models.Trained:
        """As `Client.train`; a cancelled task cancels it."""
        request = _requests.train(strategy, symbols, timeframes, start, end, host, labels, priority, load_missing)
        return cast("models.Trained", (await self._run(self._wire.on.training.Start, request, progress, timeout)).result)

    async def operations(
        self,
        state: str | Iterable[str] | None = None,
        kind: str | None = None,
        *,
        limit: int = 50,
        timeout: float | None = None,
    ) -> builtins.list[models.Operation]:
        """As `Client.operations`."""
        found: builtins.list[models.Operation] = []
        token = ""
        while len(found) < limit:
            page = await self.operations_page(state, kind, size=limit - len(found), token=token, timeout=timeout)
            found += page.operations
            token = page.next_token
            if not token:
                break
        return found

    async def operations_page(
        self,
        state: str | Iterable[str] | None = None,
        kind: str | None = None,
        *,
        size: int = 50,
        token: str = "",
        timeout: float | None = None,
    ) -> models.OperationPage:
        """As `Client.operations_page`."""
        request = _requests.list_operations(state, kind, min(size, _requests.PAGE), token)
        return _outcomes.page(await self._wire.call(self._wire.on.operations.List, request, timeout))

    async def operation(self, id: str, *, timeout: float | None = None) -> models.Operation:  # noqa: A002
        """As `Client.operation`."""
        request = operations_pb2.GetOperationRequest(id=id)
        return _outcomes.operation((await self._wire.call(self._wire.on.operations.Get, request, timeout)).operation)

    async def watch_operation(self, id: str, *, timeout: float | None = None) -> AsyncIterator[models.Operation]:  # noqa: A002
        """As `Client.watch_operation`."""
        request = operations_pb2.WatchOperationRequest(id=id)
        until = math.inf
        while True:
            try:
                async for message in self._wire.stream(self._wire.on.operations.Watch, request, timeout or math.inf):
                    until = math.inf
                    operation = _outcomes.operation(message.operation)
                    yield operation
                    if operation.ended:
                        return
                raise errors.DaemonUnreachable(f"ktrdrd at {self._wire.path} stopped before the operation had ended")
            except _wire.AWAY as error:
                until = min(until, time.monotonic() + _wire.PATIENCE)
                if not await self._wire.is_back(until):
                    error.hint = f"the operation is in the ledger: ktrdr operations status {id}"
                    raise

    async def wait(self, id: str, *, progress: Show = None, timeout: float | None = None) -> models.Operation:  # noqa: A002
        """As `Client.wait`."""
        return raised(await self._follow(id, progress, timeout, own=False))

    async def cancel(self, id: str, *, note: str = "", timeout: float | None = None) -> models.Operation:  # noqa: A002
        """As `Client.cancel`."""
        request = operations_pb2.CancelOperationRequest(id=id, note=note)
        return _outcomes.operation((await self._wire.call(self._wire.on.operations.Cancel, request, timeout)).operation)

    async def retry(self, id: str, *, timeout: float | None = None) -> models.Operation:  # noqa: A002
        """As `Client.retry`."""
        request = operations_pb2.RetryOperationRequest(id=id, request_id=_wire.new_id())
        return _outcomes.operation((await self._wire.call(self._wire.on.operations.Retry, request, timeout)).operation)

    async def _run(self, call: Any, request: Any, progress: Show, timeout: float | None) -> models.Operation:
        return raised((await self._start(call, request, progress, timeout))[1])

    async def _start(self, call: Any, request: Any, progress: Show, timeout: float | None) -> tuple[Any, models.Operation]:
        request.request_id = _wire.new_id()
        try:
            answer = await self._wire.call(call, request, None)
        except asyncio.CancelledError:
            # whether it has begun is not known; the id finds it, and makes it begin and end otherwise
            answer = await self._wire.call(call, request, None)
            await self._cancel(answer.operation.id)
            raise
        own = not getattr(answer, "joined", False)
        return answer, await self._follow(answer.operation.id, progress, timeout, own=own)

    async def _follow(self, id: str, progress: Show, timeout: float | None, *, own: bool) -> models.Operation:  # noqa: A002
        operation: models.Operation | None = None
        try:
            with Progress(progress) as shown:
                async for operation in self.watch_operation(id, timeout=timeout):
                    shown.show(operation)
        except _wire.AWAY:
            raise
        except BaseException as error:
            if own:
                ended = await self._cancel(id)
                if isinstance(error, errors.KtrdrError):
                    error.operation = ended
            raise
        assert operation is not None, "a watch ends after a final state"
        return operation

    async def _cancel(self, id: str) -> models.Operation | None:  # noqa: A002
        with contextlib.suppress(errors.KtrdrError):
            return await self.cancel(id, note="given up by the client")
        return None
