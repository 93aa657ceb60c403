"""
The data and operations endpoints of the old `ktrdr` backend, on a daemon:

    app.include_router(ktrdr_router())

Paths, parameters, documents and status codes are those of the old backend, so that its frontend and its scripts go on working. What
it got wrong is mended: counts are counts, instants have a zone, a filter filters, a retry runs, one odd bar does not hide a series,
and nothing blocks the event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

try:
    from fastapi import APIRouter
except ImportError as error:
    from ..errors import LibraryMissing

    raise LibraryMissing("FastAPI is not installed", hint='pip install "ktrdr-client[fastapi]"') from error

from ..aio import AsyncClient
from . import _data, _operations
from ._route import Route

__all__ = ["ktrdr_router"]


def ktrdr_router(client: AsyncClient | None = None, *, prefix: str = "/api/v1") -> APIRouter:
    """
    The endpoints as a router; an application includes it in one line.

    Without a client it makes one of its own, by the rules of the command line, and closes it when the application stops. A daemon
    that is away is answered with 503, and found again when it is back.
    """
    own = client is None
    client = client or AsyncClient()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        if own:
            await client.close()

    router = APIRouter(prefix=prefix, route_class=Route, lifespan=lifespan)
    _data.add(router, client)
    _operations.add(router, client)
    return router
