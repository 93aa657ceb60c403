"""What takes long: starting it, following it to its end, and giving it up."""

from __future__ import annotations

import builtins
import contextlib
import datetime as dt
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast, overload

from .. import _outcomes, _requests, _wire, errors, models
from .._progress import Progress, Show
from .._time import Instant
from ..v1 import market_data_pb2_grpc, operations_pb2, operations_pb2_grpc, training_pb2_grpc
from .wire import Wire


class Work:
    """The part of a client that starts operations, and looks after them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._loads = market_data_pb2_grpc.MarketDataStub(wire.channel)
        self._operations = operations_pb2_grpc.OperationsStub(wire.channel)
        self._training = training_pb2_grpc.TrainingStub(wire.channel)

    @overload
    def load(
        self, symbol: str, timeframe: str, start: Instant | None = ..., end: Instant | None = ..., *, mode: str = ...,
        session: str | None = ..., what: str | None = ..., on_split: str = ..., verify: bool = ..., progress: Show = ...,
        timeout: float | None = ...,
    ) -> models.Loaded: ...  # fmt: skip

    @overload
    def load(
        self, symbol: str | Iterable[str], timeframe: str | Iterable[str], start: Instant | None = ...,
        end: Instant | None = ..., *, mode: str = ..., session: str | None = ..., what: str | None = ...,
        on_split: str = ..., verify: bool = ..., progress: Show = ..., timeout: float | None = ...,
    ) -> models.Loaded | builtins.list[models.Loaded]: ...  # fmt: skip

    def load(
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
        """
        Brings in what is missing from the gateway, and waits for the end. Several symbols or timeframes: every symbol with every
        timeframe as one operation, and a list.

        With `start` or `end`, every mode loads exactly what is missing of that range; otherwise `tail` goes on from the last stored
        bar, `backfill` from the earliest bar there is to the first stored one, `full` does both, `local` fetches nothing.
        `session`: `all` (default) or `regular`; `what`: `trades`, `midpoint`, `bid`, `ask`.

        A bar shows the progress where somebody looks; `progress` may be a function that is given each `models.Operation`.

        What cannot be had raises its reason, with what came in `error.operation.result`; what came is stored. Ctrl-C, and a
        `timeout` (there is none by default), cancel the load; one that somebody else had started goes on.
        """
        many = _requests.loads(symbol, timeframe, start, end, mode, session, what, on_split, verify)
        single = isinstance(symbol, str) and isinstance(timeframe, str)
        if not single:
            done = self._run(self._loads.LoadMany, many, progress, timeout)
            return [*cast("tuple[models.Loaded, ...]", done.result)]
        request = _requests.one_load(many)
        while True:
            answer, done = self._start(self._loads.Load, request, progress, timeout)
            # one that was under way for other bars: what it left missing of ours is loaded now
            if not answer.joined or answer.same_request:
                return cast("models.Loaded", raised(done).result)

    def start_load(
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
        """
        As `load`, but returns at once; `wait` or `watch_operation` follow it. A load of a series that is being loaded joins that
        operation.
        """
        many = _requests.loads(symbol, timeframe, start, end, mode, session, what, on_split, verify)
        many.request_id = _wire.new_id()
        if len(many.series) > 1:
            return _outcomes.operation(self._wire.call(self._loads.LoadMany, many, timeout).operation)
        request = _requests.one_load(many)
        request.request_id = many.request_id
        return _outcomes.operation(self._wire.call(self._loads.Load, request, timeout).operation)

    def train(
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
        """
        Trains a strategy, the path of a YAML file or its bytes, on a host service, and waits for the end.

        Symbols and timeframes are those of the strategy unless given; `start` and `end` are calendar dates. It waits for a free
        slot on any host, on `host`, or on one that has all `labels`; `priority` 0 to 9, higher first. `load_missing` loads what is
        missing of the series before. Progress, errors, Ctrl-C and `timeout` are as in `load`.
        """
        request = _requests.train(strategy, symbols, timeframes, start, end, host, labels, priority, load_missing)
        return cast("models.Trained", self._run(self._training.Start, request, progress, timeout).result)

    def operations(
        self,
        state: str | Iterable[str] | None = None,
        kind: str | None = None,
        *,
        limit: int = 50,
        timeout: float | None = None,
    ) -> builtins.list[models.Operation]:
        """Operations, the newest first, at most `limit`; only those in one of these states, and of this kind."""
        found: builtins.list[models.Operation] = []
        token = ""
        while len(found) < limit:
            page = self.operations_page(state, kind, size=limit - len(found), token=token, timeout=timeout)
            found += page.operations
            token = page.next_token
            if not token:
                break
        return found

    def operations_page(
        self,
        state: str | Iterable[str] | None = None,
        kind: str | None = None,
        *,
        size: int = 50,
        token: str = "",
        timeout: float | None = None,
    ) -> models.OperationPage:
        """Operations, the newest first: one page of at most 1,000, with how many there are. `token` is that of the page before."""
        request = _requests.list_operations(state, kind, min(size, _requests.PAGE), token)
        return _outcomes.page(self._wire.call(self._operations.List, request, timeout))

    def operation(self, id: str, *, timeout: float | None = None) -> models.Operation:  # noqa: A002
        """One operation; a unique prefix of its id is enough."""
        request = operations_pb2.GetOperationRequest(id=id)
        return _outcomes.operation(self._wire.call(self._operations.Get, request, timeout).operation)

    def watch_operation(self, id: str, *, timeout: float | None = None) -> Iterator[models.Operation]:  # noqa: A002
        """
        An operation as it is now, then after each change; ends after its final state. Leaving it does nothing to the operation.

        Who is slow sees the latest state, not each. There is no `timeout` by default.
        """
        request = operations_pb2.WatchOperationRequest(id=id)
        until = math.inf
        while True:
            try:
                for message in self._wire.stream(self._operations.Watch, request, timeout or math.inf):
                    until = math.inf
                    operation = _outcomes.operation(message.operation)
                    yield operation
                    if operation.ended:
                        return
                raise errors.DaemonUnreachable(f"ktrdrd at {self._wire.path} stopped before the operation had ended")
            except _wire.AWAY as error:
                until = min(until, time.monotonic() + _wire.PATIENCE)
                if not self._wire.is_back(until):
                    error.hint = f"the operation is in the ledger: ktrdr operations status {id}"
                    raise

    def wait(self, id: str, *, progress: Show = None, timeout: float | None = None) -> models.Operation:  # noqa: A002
        """Follows an operation to its end, which leaving does not cancel. Raises the reason of one that did not complete."""
        return raised(self._follow(id, progress, timeout, own=False))

    def cancel(self, id: str, *, note: str = "", timeout: float | None = None) -> models.Operation:  # noqa: A002
        """Asks an operation to stop, and waits until it has ended. One that has ended already stays as it is."""
        request = operations_pb2.CancelOperationRequest(id=id, note=note)
        return _outcomes.operation(self._wire.call(self._operations.Cancel, request, timeout).operation)

    def retry(self, id: str, *, timeout: float | None = None) -> models.Operation:  # noqa: A002
        """Starts a failed, cancelled or interrupted operation again, as a new one linked to it; returns at once."""
        request = operations_pb2.RetryOperationRequest(id=id, request_id=_wire.new_id())
        return _outcomes.operation(self._wire.call(self._operations.Retry, request, timeout).operation)

    def _run(self, call: Any, request: Any, progress: Show, timeout: float | None) -> models.Operation:
        return raised(self._start(call, request, progress, timeout)[1])

    def _start(self, call: Any, request: Any, progress: Show, timeout: float | None) -> tuple[Any, models.Operation]:
        request.request_id = _wire.new_id()
        try:
            answer = self._wire.call(call, request, None)
        except KeyboardInterrupt:
            # whether it has begun is not known; the id finds it, and makes it begin and end otherwise
            self._cancel(self._wire.call(call, request, None).operation.id)
            raise
        own = not getattr(answer, "joined", False)
        return answer, self._follow(answer.operation.id, progress, timeout, own=own)

    def _follow(self, id: str, progress: Show, timeout: float | None, *, own: bool) -> models.Operation:  # noqa: A002
        operation: models.Operation | None = None
        try:
            with Progress(progress) as shown:
                for operation in self.watch_operation(id, timeout=timeout):
                    shown.show(operation)
        except _wire.AWAY:
            raise
        except BaseException as error:
            if own:
                ended = self._cancel(id)
                if isinstance(error, errors.KtrdrError):
                    error.operation = ended
            raise
        assert operation is not None, "a watch ends after a final state"
        return operation

    def _cancel(self, id: str) -> models.Operation | None:  # noqa: A002
        with contextlib.suppress(errors.KtrdrError):
            return self.cancel(id, note="given up by the client")
        return None


def raised(operation: models.Operation) -> models.Operation:
    """One that did not complete is an error."""
    if operation.error is not None:
        raise operation.error
    return operation
