"""The client for asyncio: the calls of `client`, awaited."""

from __future__ import annotations

import os
from types import TracebackType

import grpc.aio

from . import _answers, _requests, _wire, _words, models
from ._asyncio.stored import Stored
from ._asyncio.streams import AsyncBatches, AsyncWatch
from ._asyncio.wire import Wire
from ._asyncio.work import Work
from .v1 import daemon_pb2, gateway_pb2, market_data_pb2

__all__ = ["AsyncBatches", "AsyncClient", "AsyncWatch"]


class AsyncClient(Stored, Work):
    """
    As `Client`, for the tasks of one event loop, which it never blocks. The connection is opened by the first call.

    A task that is cancelled ends its call at the daemon and at the gateway, and cancels the load or training that it has started.
    """

    def __init__(self, socket: str | os.PathLike[str] | None = None, *, timeout: float = _wire.TIMEOUT) -> None:
        self._wire = Wire(socket, timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection, and with it what is still under way. A call after that opens another."""
        await self._wire.close()

    @property
    def socket(self) -> str:
        """The path of the socket."""
        return str(self._wire.path)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The connection, for stubs of `ktrdr_client.v1` that have no method here."""
        return self._wire.channel

    async def status(self, *, timeout: float | None = None) -> models.DaemonStatus:
        """As `Client.status`."""
        request = daemon_pb2.GetDaemonStatusRequest()
        return _answers.daemon(await self._wire.call(self._wire.on.daemon.GetStatus, request, timeout))

    async def gateway(self, *, timeout: float | None = None) -> models.GatewayStatus:
        """As `Client.gateway`."""
        request = gateway_pb2.GetGatewayStatusRequest()
        return _answers.gateway((await self._wire.call(self._wire.on.gateway.GetStatus, request, timeout)).status)

    async def validate(self, symbol: str, *, refresh: bool = False, timeout: float | None = None) -> models.Contract:
        """As `Client.validate`."""
        request = market_data_pb2.ValidateRequest(symbol=_words.symbol(symbol), refresh=refresh)
        return _answers.validated(await self._wire.call(self._wire.on.data.Validate, request, timeout))

    async def watch(
        self,
        symbol: str,
        timeframe: str,
        *,
        session: str | None = None,
        what: str | None = None,
        running: bool = False,
        keep: bool = False,
        history: int = 0,
        timeout: float | None = None,
    ) -> AsyncWatch:
        """As `Client.watch`: `async for event in await ktrdr.watch("EURUSD", "1m")`."""
        request = _requests.subscribe(symbol, timeframe, session, what, keep, history)
        return await self._wire.again(lambda: AsyncWatch.begin(self._wire, self._wire.on.data.Subscribe, request, running, timeout))
