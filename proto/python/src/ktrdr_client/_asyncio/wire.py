"""
Calls of asyncio: the twin of `_blocking.wire`. The channel is made by the first call, in the loop that runs then.

Not here: what is asked (`stored`, `work`), what a status means (`_wire`).
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, cast

import grpc
import grpc.aio

from .. import _address, _columns, _wire, errors
from ..v1 import (
    daemon_pb2_grpc,
    gateway_pb2_grpc,
    housekeeping_pb2_grpc,
    market_data_pb2,
    market_data_pb2_grpc,
    operations_pb2_grpc,
    training_pb2_grpc,
)

T = TypeVar("T")


class Stubs:
    """The services on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.daemon = daemon_pb2_grpc.DaemonStub(channel)
        self.gateway = gateway_pb2_grpc.GatewayStub(channel)
        self.data = market_data_pb2_grpc.MarketDataStub(channel)
        self.housekeeping = housekeeping_pb2_grpc.HousekeepingStub(channel)
        self.operations = operations_pb2_grpc.OperationsStub(channel)
        self.training = training_pb2_grpc.TrainingStub(channel)
        self.query: Any = channel.unary_stream(
            "/ktrdr.v1.MarketData/Query",
            request_serializer=market_data_pb2.QueryRequest.SerializeToString,
            response_deserializer=_columns.read,
        )


class Wire:
    """The way to the daemon, for the tasks of one loop."""

    def __init__(self, socket: str | os.PathLike[str] | None, timeout: float) -> None:
        self.path = _address.find(socket)
        self.timeout = timeout
        self.reached = False
        self._channel: grpc.aio.Channel | None = None
        self._stubs: Stubs | None = None

    @property
    def on(self) -> Stubs:
        """The services, on the connection."""
        if self._stubs is None:
            self._stubs = Stubs(self.channel)
        return self._stubs

    @property
    def channel(self) -> grpc.aio.Channel:
        """The connection."""
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(_address.target(self.path), options=_wire.OPTIONS)
        return self._channel

    async def close(self) -> None:
        """Ends it; a call after that makes another."""
        channel, self._channel, self._stubs = self._channel, None, None
        if channel is not None:
            await channel.close()

    def limit(self, timeout: float | None) -> float | None:
        """Seconds to an answer; `None` is no limit, as gRPC has it."""
        limit = self.timeout if timeout is None else timeout
        return None if math.isinf(limit) else limit

    async def once(self, call: Any, request: Any, timeout: float | None) -> Any:
        """One call, sent once. A task that is cancelled ends it at the daemon."""
        request_id = _wire.new_id()
        rpc = call(request, timeout=self.limit(timeout), metadata=((_wire.REQUEST_ID_KEY, request_id),))
        try:
            answer = await rpc
            metadata = await rpc.initial_metadata()
        except grpc.RpcError as error:
            raise self.failed(error, request_id) from None
        _wire.verify(metadata, request_id)
        self.reached = True
        return answer

    async def call(self, call: Any, request: Any, timeout: float | None) -> Any:
        """One call that may be repeated: it only looks, or carries an id by which the daemon knows it again."""
        return await self.again(lambda: self.once(call, request, timeout))

    async def again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Work that may be done again from its beginning, after the daemon was restarted in the middle of it."""
        until = math.inf
        while True:
            try:
                return await work()
            except _wire.AWAY:
                until = min(until, time.monotonic() + _wire.PATIENCE)
                if not await self.is_back(until):
                    raise

    async def stream(self, call: Any, request: Any, timeout: float | None) -> AsyncIterator[Any]:
        """The messages of an answer. Leaving it ends it at the daemon."""
        request_id = _wire.new_id()
        rpc = call(request, timeout=self.limit(timeout), metadata=((_wire.REQUEST_ID_KEY, request_id),))
        verified = False
        try:
            async for message in rpc:
                if not verified:
                    _wire.verify(await rpc.initial_metadata(), request_id)
                    verified = self.reached = True
                yield message
        except grpc.RpcError as error:
            raise self.failed(error, request_id) from None
        finally:
            rpc.cancel()

    def failed(self, error: grpc.RpcError, request_id: str) -> errors.KtrdrError:
        """What a status means."""
        failure = _wire.meaning(cast("_wire.Failed", error), self.path, request_id)
        self.reached = self.reached or not isinstance(failure, errors.DaemonUnreachable)
        return failure

    async def is_back(self, until: float) -> bool:
        """Whether trying again makes sense, until then: somebody listens, or did before and is waited for."""
        while True:
            # also the one that is about to leave listens, and a new one is not tried at once
            await asyncio.sleep(_wire.LOOK_EVERY)
            if time.monotonic() >= until:
                return False
            if _wire.connects(self.path) is None:
                return True
            if not self.reached:
                return False
