"""
What holds for every call, blocking or not: options of the channel, the request's id, the daemon's contract, and what a status
means. Nothing here waits for anything.
"""

from __future__ import annotations

import importlib.metadata
import os
import socket as sockets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import grpc
from google.rpc import error_details_pb2, status_pb2

from . import _address, errors
from ._contract import CONTRACT
from ._error import KtrdrError

BUILD = importlib.metadata.version("ktrdr-client")
DOMAIN = "ktrdr"
REQUEST_ID_KEY = "ktrdr-request-id"
CONTRACT_KEY = "ktrdr-contract"
BUILD_KEY = "ktrdr-build"
DETAILS_KEY = "grpc-status-details-bin"

#: To an answer, seconds, when nothing else is said.
TIMEOUT = 30.0
#: So long a daemon that was there may be away before that is an error: it is being restarted.
PATIENCE = 5.0
#: Between looks whether it is back.
LOOK_EVERY = 0.05

#: So long a daemon is taken for the one that it was: to look at what it says of itself takes a thirtieth of a call.
KNOWN_FOR = 1.0

_MIB = 1 << 20
OPTIONS: list[tuple[str, Any]] = [
    # grpcio would send the percent-encoded path of the socket, which HTTP/2 servers refuse
    ("grpc.default_authority", "localhost"),
    ("grpc.primary_user_agent", f"ktrdr-client/{BUILD}"),
    # bars come in chunks of 256 KiB; these let several be under way
    ("grpc.http2.lookahead_bytes", 4 * _MIB),
    ("grpc.http2.max_frame_size", _MIB),
    # chunks are smaller; this is for lists of operations
    ("grpc.max_receive_message_length", 16 * _MIB),
    # a daemon that was restarted is there again within milliseconds
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # whether one client could connect says nothing about the next one
    ("grpc.use_local_subchannel_pool", 1),
]

Metadata = Iterable[tuple[str, str | bytes]]


class Failed(Protocol):
    """An error of gRPC, blocking or not."""

    def code(self) -> grpc.StatusCode:
        """Of the status."""

    def details(self) -> str | None:
        """Its message."""

    def initial_metadata(self) -> Metadata | None:
        """Sent before the answer."""

    def trailing_metadata(self) -> Metadata | None:
        """Sent with the status."""


def new_id() -> str:
    """The id of a request: sent again with the same request, it finds the same operation."""
    return os.urandom(16).hex()


def verify(metadata: Metadata | None, request_id: str) -> None:
    """Refuse a daemon of another contract. One that does not say is taken as it is: an error may come from below it."""
    for key, value in metadata or ():
        if key == CONTRACT_KEY and value != _OURS:
            raise _mismatch(str(value), build_of(metadata), request_id)


_OURS = str(CONTRACT)


def build_of(metadata: Metadata | None) -> str:
    """What the daemon says it is."""
    return str(dict(metadata or ()).get(BUILD_KEY, "unknown"))


def connects(path: Path) -> OSError | None:
    """Whether somebody listens at the socket; otherwise why not. Does not wait."""
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except BlockingIOError:
            # many wait there already
            return None
        except OSError as error:
            return error
    return None


def meaning(error: Failed, path: Path, request_id: str) -> KtrdrError:
    """The exception that a status stands for."""
    metadata = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
    try:
        verify(metadata, request_id)
    except errors.ContractMismatch as mismatch:
        return mismatch
    info, retry_after, sent = _details(error)
    messages = lines(error.details() or error.code().name.lower().replace("_", " "))
    code = error.code()
    if info is not None and info.domain == DOMAIN:
        return named(info.reason, code, messages, dict(info.metadata), retry_after, request_id)
    if not sent and code is grpc.StatusCode.UNAVAILABLE:
        return unreachable(path, messages)
    # who notices first, we or the server, which has another word for it
    if not sent and (code is grpc.StatusCode.DEADLINE_EXCEEDED or messages == ["Timeout expired"]):
        return errors.TimedOut(f"no answer in time from ktrdrd at {path}", request_id=request_id)
    if not sent and code is grpc.StatusCode.UNIMPLEMENTED:
        text = f"ktrdrd (build {build_of(metadata)}) does not know this call yet, ktrdr-client is build {BUILD}"
        return errors.ContractMismatch(text, hint=UPDATE_DAEMON, request_id=request_id)
    return _BY_CODE.get(code, errors.UnknownError)(*messages, reason=code.name, request_id=request_id)


def named(
    reason: str,
    code: grpc.StatusCode,
    messages: Iterable[str],
    metadata: dict[str, str],
    retry_after: float | None,
    request_id: str | None,
) -> KtrdrError:
    """The exception of a reason; one that is not known yet counts by its code."""
    kind = errors.BY_REASON.get(reason) or _BY_CODE.get(code, errors.UnknownError)
    return kind(*messages, reason=reason, metadata=metadata, retry_after=retry_after, request_id=request_id)


def lines(text: str) -> list[str]:
    """The lines of a message are the error and its causes; neighbours that say the same are said once."""
    told: list[str] = []
    for line in text.splitlines():
        if line and line not in told[-1:]:
            told.append(line)
    return told


def unreachable(path: Path, causes: Iterable[str] = ()) -> KtrdrError:
    """Nobody answers; looks why."""
    why = connects(path)
    causes = [why.strerror or str(why)] if why is not None else list(causes)
    hint = None
    if isinstance(why, PermissionError):
        hint = f"you may not open {path}: call as the user who runs the daemon, or be listed under [access] in its configuration"
    if path == _address.SYSTEM_SOCKET:
        hint = "systemctl start ktrdrd.socket; who may not look into it joins its group: adduser NAME ktrdr"
    return errors.DaemonUnreachable(f"no answer from ktrdrd at {path}", *causes, hint=hint)


#: What is told when the daemon was, or is about to be, away: the next one may answer.
AWAY = (errors.DaemonUnreachable, errors.ShuttingDown)
UPDATE_DAEMON = "update ktrdrd, then: ktrdr daemon restart"


def _mismatch(theirs: str, build: str, request_id: str) -> KtrdrError:
    newer = theirs.isdecimal() and int(theirs) > CONTRACT
    update = f"update ktrdr-client (this is build {BUILD}, the daemon is {build})" if newer else UPDATE_DAEMON
    text = f"ktrdrd (build {build}) speaks contract {theirs}, ktrdr-client (build {BUILD}) speaks {CONTRACT}"
    return errors.ContractMismatch(text, metadata={"update": update}, request_id=request_id)


def _details(error: Failed) -> tuple[error_details_pb2.ErrorInfo | None, float | None, bool]:
    """What the daemon says, when to try again, and whether it said anything."""
    sent = dict(error.trailing_metadata() or ()).get(DETAILS_KEY)
    if not isinstance(sent, bytes):
        return None, None, False
    info, retry_after = None, None
    for detail in status_pb2.Status.FromString(sent).details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    return info, retry_after, True


_BY_CODE: dict[grpc.StatusCode, type[KtrdrError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgumentError,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPreconditionError,
    grpc.StatusCode.UNAVAILABLE: errors.UnavailableError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhaustedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceededError,
    grpc.StatusCode.ABORTED: errors.AbortedError,
    grpc.StatusCode.CANCELLED: errors.CancelledError,
    grpc.StatusCode.DATA_LOSS: errors.DataLossError,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDeniedError,
    grpc.StatusCode.UNAUTHENTICATED: errors.PermissionDeniedError,
    grpc.StatusCode.INTERNAL: errors.InternalError,
}
