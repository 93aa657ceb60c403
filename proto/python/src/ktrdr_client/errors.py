"""
Every error: one class a reason, below one class a gRPC code, below `KtrdrError`.

>>> from ktrdr_client import errors
>>> issubclass(errors.SeriesNotFound, errors.NotFoundError)
True
>>> errors.SeriesNotFound("nothing is stored", metadata={"symbol": "NVDA", "timeframe": "1h"}).hint
'ktrdr data load NVDA --timeframe 1h'

A reason that this version of the package does not know yet comes as the class of its code, with its own name in `reason`.
"""

from __future__ import annotations

from . import _reasons
from ._error import (
    AbortedError,
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    KtrdrError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnavailableError,
    UnknownError,
)
from ._reasons import *  # noqa: F403

__all__ = [
    "AbortedError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "KtrdrError",
    "LibraryMissing",
    "NotFoundError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnavailableError",
    "UnknownError",
    "WrongType",
    *_reasons.__all__,
]


class WrongType(_reasons.RequestInvalid, TypeError):
    """An argument is of a type that cannot be meant."""


class LibraryMissing(KtrdrError, ImportError):
    """The frame that was asked for needs a library that is not installed."""

    default_reason = "LIBRARY_MISSING"


#: The class of each reason.
BY_REASON: dict[str, type[KtrdrError]] = {
    getattr(_reasons, name).default_reason: getattr(_reasons, name) for name in _reasons.__all__
}

for _name in __all__:
    # where people find it
    globals()[_name].__module__ = __name__
