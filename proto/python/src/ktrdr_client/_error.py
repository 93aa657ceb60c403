"""What every error has, and one class for each gRPC code. The classes of the reasons are generated; see `errors`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .models import Operation

_KEY = re.compile(r"\{(\w+)\}")


class KtrdrError(Exception):
    """
    A call that did not do what it was asked for.

    Catch it for all of them, `NotFoundError` and its like for a kind, `errors.SeriesNotFound` and its like for one reason.
    """

    #: The reason when nothing else is told, and the next thing to type; `{key}` is filled from the metadata.
    default_reason: ClassVar[str] = "UNKNOWN"
    hint_template: ClassVar[str | None] = None

    #: Stable name of what went wrong, such as `SERIES_NOT_FOUND`; docs/TROUBLESHOOTING.md has a page for each.
    reason: str
    #: The error and its causes, outermost first.
    messages: tuple[str, ...]
    #: What to do about it.
    hint: str | None
    #: A retry makes sense after so many seconds.
    retry_after: float | None
    #: Ties the error to the daemon's log; `None` when it never got there.
    request_id: str | None
    #: What the error is about, such as `symbol`.
    metadata: Mapping[str, str]
    #: Of a load, a training …: what has become of it.
    operation: Operation | None

    def __init__(
        self,
        *messages: str,
        reason: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
        operation: Operation | None = None,
    ) -> None:
        super().__init__(*messages)
        self.reason = reason or self.default_reason
        self.messages = messages or (self.reason,)
        self.metadata = dict(metadata or {})
        self.hint = hint or filled(self.hint_template, self.metadata)
        self.retry_after = retry_after
        self.request_id = request_id
        self.operation = operation

    def __str__(self) -> str:
        lines = [": ".join(self.messages)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.messages, dict(self.__dict__))


def _again(kind: type[KtrdrError], messages: tuple[str, ...], state: dict[str, Any]) -> KtrdrError:
    """An error that was sent to another process."""
    error = kind(*messages)
    error.__dict__.update(state)
    return error


def filled(hint: str | None, metadata: Mapping[str, str]) -> str | None:
    """
    Fill `{key}` as the command line does: a key that was not sent reads as a placeholder in a command, and makes any other
    hint useless.
    """
    if hint is None:
        return None
    keys = _KEY.findall(hint)
    if any(key not in metadata for key in keys) and "ktrdr " not in hint:
        return None
    return _KEY.sub(lambda found: metadata.get(found[1], found[1].upper()), hint)


class InvalidArgumentError(KtrdrError, ValueError):
    """What was asked for is wrong."""

    default_reason = "INVALID_ARGUMENT"


class NotFoundError(KtrdrError, LookupError):
    """It is not there."""

    default_reason = "NOT_FOUND"


class FailedPreconditionError(KtrdrError):
    """The state of things does not allow it."""

    default_reason = "FAILED_PRECONDITION"


class UnavailableError(KtrdrError):
    """Not now; trying again makes sense."""

    default_reason = "UNAVAILABLE"


class ResourceExhaustedError(KtrdrError):
    """Too much at once, or no room."""

    default_reason = "RESOURCE_EXHAUSTED"


class DeadlineExceededError(KtrdrError, TimeoutError):
    """It took too long."""

    default_reason = "DEADLINE_EXCEEDED"


class AbortedError(KtrdrError):
    """It was cut off."""

    default_reason = "ABORTED"


class CancelledError(KtrdrError):
    """Somebody cancelled it."""

    default_reason = "CANCELLED"


class DataLossError(KtrdrError):
    """Stored data are damaged."""

    default_reason = "DATA_LOSS"


class PermissionDeniedError(KtrdrError):
    """The caller may not."""

    default_reason = "PERMISSION_DENIED"


class InternalError(KtrdrError):
    """A defect of ours."""

    default_reason = "INTERNAL"


class UnknownError(KtrdrError):
    """Anything else."""
