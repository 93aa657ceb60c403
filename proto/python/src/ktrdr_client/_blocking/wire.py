"""
Calls that wait: one channel, what is repeated after a restart of the daemon, and what a stream leaves behind when it is left.

Not here: what is asked (`stored`, `work`), what a status means (`_wire`).
"""

from __future__ import annotations

import math
import os
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TypeVar, cast

import grpc

from .. import _address, _wire, errors

Request = TypeVar("Request")
Response = TypeVar("Response")
T = TypeVar("T")


class Wire:
    """The way to the daemon. Threads may share it."""

    def __init__(self, socket: str | os.PathLike[str] | None, timeout: float) -> None:
        self.path = _address.find(socket)
        self.timeout = timeout
        self.channel = grpc.insecure_channel(_address.target(self.path), options=_wire.OPTIONS)
        #: It has answered before: away it is restarted, not absent.
        self.reached = False
        #: By the clock of `time.monotonic`.
        self._known_until = -math.inf

    def limit(self, timeout: float | None) -> float | None:
        """Seconds to an answer; `None` is no limit, as gRPC has it."""
        limit = self.timeout if timeout is None else timeout
        return None if math.isinf(limit) else limit

    def once(self, call: grpc.UnaryUnaryMultiCallable[Request, Response], request: Request, timeout: float | None) -> Response:
        """One call, sent once."""
        request_id = _wire.new_id()
        limit, metadata = self.limit(timeout), ((_wire.REQUEST_ID_KEY, request_id),)
        try:
            if time.monotonic() < self._known_until:
                return call(request, timeout=limit, metadata=metadata)
            answer, rpc = call.with_call(request, timeout=limit, metadata=metadata)
        except grpc.RpcError as error:
            raise self.failed(error, request_id) from None
        except KeyboardInterrupt as interrupt:
            # the call lives in those frames, and a debugger may keep them
            traceback.clear_frames(interrupt.__traceback__)
            raise
        _wire.verify(rpc.initial_metadata(), request_id)
        self.reached, self._known_until = True, time.monotonic() + _wire.KNOWN_FOR
        return answer

    def call(self, call: grpc.UnaryUnaryMultiCallable[Request, Response], request: Request, timeout: float | None) -> Response:
        """One call that may be repeated: it only looks, or carries an id by which the daemon knows it again."""
        return self.again(lambda: self.once(call, request, timeout))

    def again(self, work: Callable[[], T]) -> T:
        """Work that may be done again from its beginning, after the daemon was restarted in the middle of it."""
        until = math.inf
        while True:
            try:
                return work()
            except _wire.AWAY:
                until = min(until, time.monotonic() + _wire.PATIENCE)
                if not self.is_back(until):
                    raise

    def stream(
        self, call: grpc.UnaryStreamMultiCallable[Request, Response], request: Request, timeout: float | None
    ) -> Iterator[Response]:
        """The messages of an answer. Leaving it, by whatever way, ends it at the daemon."""
        request_id = _wire.new_id()
        rpc = call(request, timeout=self.limit(timeout), metadata=((_wire.REQUEST_ID_KEY, request_id),))
        verified = False
        try:
            for message in rpc:
                if not verified:
                    _wire.verify(rpc.initial_metadata(), request_id)
                    verified = self.reached = True
                yield message
        except grpc.RpcError as error:
            raise self.failed(error, request_id) from None
        finally:
            rpc.cancel()

    def failed(self, error: grpc.RpcError, request_id: str) -> errors.KtrdrError:
        """What a status means."""
        self._known_until = -math.inf
        failure = _wire.meaning(cast("_wire.Failed", error), self.path, request_id)
        self.reached = self.reached or not isinstance(failure, errors.DaemonUnreachable)
        return failure

    def is_back(self, until: float) -> bool:
        """Whether trying again makes sense, until then: somebody listens, or did before and is waited for."""
        while True:
            # also the one that is about to leave listens, and a new one is not tried at once
            time.sleep(_wire.LOOK_EVERY)
            if time.monotonic() >= until:
                return False
            if _wire.connects(self.path) is None:
                return True
            if not self.reached:
                return False
