"""The client that waits for its answers. `aio` has the same calls for asyncio."""

from __future__ import annotations

import os
from types import TracebackType

import grpc

from . import _answers, _requests, _wire, _words, models
from ._blocking.stored import Stored
from ._blocking.streams import Batches, Watch
from ._blocking.wire import Wire
from ._blocking.work import Work
from .v1 import daemon_pb2, daemon_pb2_grpc, gateway_pb2, gateway_pb2_grpc, market_data_pb2

__all__ = ["Batches", "Client", "Watch"]


class Client(Stored, Work):
    """
    A daemon, over its Unix socket, on one connection that is opened by the first call. Threads may share it.

    The socket is found as the command line finds it: the argument, `$KTRDR_SOCKET`, the user's, the system's. A daemon that is not
    there is not started: `ktrdr daemon start` does that.

    Every call takes a `timeout` in seconds, of its whole answer (`math.inf` for none). A call that is given up, by its timeout, by
    Ctrl-C or by closing the client, ends at the daemon and at the gateway, too. A call that may be sent twice is sent again
    when the daemon was restarted under it.
    """

    def __init__(self, socket: str | os.PathLike[str] | None = None, *, timeout: float = _wire.TIMEOUT) -> None:
        wire = Wire(socket, timeout)
        Stored.__init__(self, wire)
        Work.__init__(self, wire)
        self._daemon = daemon_pb2_grpc.DaemonStub(wire.channel)
        self._gateway = gateway_pb2_grpc.GatewayStub(wire.channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and with it what is still under way."""
        self._wire.channel.close()

    @property
    def socket(self) -> str:
        """The path of the socket."""
        return str(self._wire.path)

    @property
    def channel(self) -> grpc.Channel:
        """The connection, for stubs of `ktrdr_client.v1` that have no method here."""
        return self._wire.channel

    def status(self, *, timeout: float | None = None) -> models.DaemonStatus:
        """The daemon itself."""
        return _answers.daemon(self._wire.call(self._daemon.GetStatus, daemon_pb2.GetDaemonStatusRequest(), timeout))

    def gateway(self, *, timeout: float | None = None) -> models.GatewayStatus:
        """The one connection to IB Gateway: how it is, why, and what happens next."""
        answer = self._wire.call(self._gateway.GetStatus, gateway_pb2.GetGatewayStatusRequest(), timeout)
        return _answers.gateway(answer.status)

    def validate(self, symbol: str, *, refresh: bool = False, timeout: float | None = None) -> models.Contract:
        """
        What a symbol means at IB and how far back its history goes. Asks the gateway, unless the daemon knows it and asked
        within a week.
        """
        request = market_data_pb2.ValidateRequest(symbol=_words.symbol(symbol), refresh=refresh)
        return _answers.validated(self._wire.call(self._data.Validate, request, timeout))

    def watch(
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
    ) -> Watch:
        """
        Bars as they are made: an iterator of `models.Bar`, each once and ascending, and in between of `Missed`, `LiveState` and
        `NotKept`. It goes on until it is closed, or left.

        `running=True` tells the open bar, too, as it is now (`bar.closed` is false). `history`: so many of the last closed bars to
        begin with, at most 300. `keep=True` stores the bars that close. For 5s and longer. `timeout` is for the beginning.

        However many watch a series, the gateway has one subscription for it. A lost connection is made again by the daemon, and the
        hole filled first. A stop of the daemon ends it with an error.
        """
        request = _requests.subscribe(symbol, timeframe, session, what, keep, history)
        return self._wire.again(lambda: Watch(self._wire, self._data.Subscribe, request, running, timeout))
