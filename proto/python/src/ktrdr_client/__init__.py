"""
Bars, loads and trainings of a `ktrdrd` daemon, as pandas, Polars or Arrow.

    from ktrdr_client import Client

    with Client() as ktrdr:
        ktrdr.load("NVDA", "1h", start="2025-01-01")
        frame = ktrdr.bars("NVDA", "1h", start="2025-01-01")

`AsyncClient` has the same calls for asyncio. Errors are in `ktrdr_client.errors`, what the calls give in `ktrdr_client.models`. The
contract's own messages and stubs are in `ktrdr_client.v1`, for calls that have no method here.
"""

from __future__ import annotations

from . import errors, models
from ._columns import Chunk
from ._error import KtrdrError
from ._progress import Show
from ._time import Instant
from ._wire import BUILD as __version__  # noqa: N811
from .aio import AsyncBatches, AsyncClient, AsyncWatch
from .client import Batches, Client, Watch

__all__ = [
    "AsyncBatches",
    "AsyncClient",
    "AsyncWatch",
    "Batches",
    "Chunk",
    "Client",
    "Instant",
    "KtrdrError",
    "Show",
    "Watch",
    "__version__",
    "errors",
    "models",
]
