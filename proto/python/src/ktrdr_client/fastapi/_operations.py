"""The endpoints of operations."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, HTTPException, Query
from pydantic import BaseModel

from .. import errors, models
from ..aio import AsyncClient
from . import _documents as documents

#: A client of the old backend waits five seconds for a cancellation; one that takes longer goes on without it.
CANCEL_SECONDS = 4.0

Status = Literal["pending", "running", "completed", "failed", "cancelled", "interrupted"]
Type = Literal["data_load", "training", "backtesting", "indicator_compute", "fuzzy_analysis", "data_import", "data_repair"]
ACTIVE = ("pending", "running")


class CancelRequest(BaseModel):
    """Why; `force` is accepted and changes nothing: a cancellation always reaches the work."""

    reason: str | None = None
    force: bool = False


def add(router: APIRouter, client: AsyncClient) -> None:
    """Adds them."""

    @router.get("/operations", tags=["Operations"])
    async def list_operations(
        status: Status | None = None,
        operation_type: Type | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
        active_only: bool = False,
    ) -> dict[str, Any]:
        """The newest first."""
        of_type = [kind for kind, name in documents.TYPES.items() if name == operation_type]
        kinds: list[str | None] = [*of_type] if operation_type else [None]
        states = _states(status, active_only)
        pages = [_pages(client, states, kind, offset + limit) for kind in kinds if states != ()]
        found = await asyncio.gather(*pages)
        active = await client.operations_page(ACTIVE, size=1)
        newest = heapq.merge(*(operations for operations, _ in found), key=lambda one: one.created_at, reverse=True)
        now = dt.datetime.now(dt.timezone.utc)
        return {
            "success": True,
            "data": [documents.summary(one, now) for one in list(newest)[offset : offset + limit]],
            "total_count": sum(total for _, total in found),
            "active_count": active.total,
        }

    @router.get("/operations/{operation_id}", tags=["Operations"])
    async def get_operation(operation_id: str) -> dict[str, Any]:
        """One operation."""
        return {"success": True, "data": documents.operation(await _found(client, operation_id))}

    @router.delete("/operations/{operation_id}", tags=["Operations"])
    async def cancel_operation(operation_id: str, request: Annotated[CancelRequest | None, Body()] = None) -> dict[str, Any]:
        """Asks it to stop; answers when it has, or after a few seconds."""
        operation = await _found(client, operation_id)
        if operation.ended:
            raise HTTPException(400, f"Operation {operation_id} cannot be cancelled (status: {operation.state})")
        reason = request.reason if request and request.reason else ""
        # it goes on when this answer does not wait for it
        cancelling = asyncio.ensure_future(client.cancel(operation.id, note=reason[:200]))
        _UNDER_WAY.add(cancelling)
        cancelling.add_done_callback(_over)
        done, _ = await asyncio.wait([cancelling], timeout=CANCEL_SECONDS)
        ended = cancelling.result() if done else await client.operation(operation.id)
        data = {
            "success": True,
            "operation_id": operation.id,
            "status": ended.state,
            "cancelled_at": documents.stamp(ended.ended_at),
            "cancellation_reason": reason or None,
            "task_cancelled": ended.state == "cancelled",
            "training_session_cancelled": ended.state == "cancelled" and ended.kind == "training",
        }
        return {"success": True, "data": data}

    @router.post("/operations/{operation_id}/retry", tags=["Operations"])
    async def retry_operation(operation_id: str) -> dict[str, Any]:
        """Starts it again, as a new one."""
        operation = await _found(client, operation_id)
        if operation.state not in ("failed", "cancelled", "interrupted"):
            raise HTTPException(400, f"Operation {operation_id} cannot be retried (status: {operation.state})")
        try:
            again = await client.retry(operation.id)
        except errors.OperationNotRetryable as error:
            raise HTTPException(400, ": ".join(error.messages)) from None
        return {"success": True, "data": documents.operation(again)}


_UNDER_WAY: set[asyncio.Future[models.Operation]] = set()


def _over(cancelling: asyncio.Future[models.Operation]) -> None:
    _UNDER_WAY.discard(cancelling)
    if not cancelling.cancelled():
        # whoever still waits for it is told; who does not, reads it in the operation
        cancelling.exception()


async def _found(client: AsyncClient, operation_id: str) -> models.Operation:
    try:
        return await client.operation(operation_id)
    except (errors.OperationNotFound, errors.OperationIdAmbiguous):
        raise HTTPException(404, f"Operation not found: {operation_id}") from None


def _states(status: str | None, active_only: bool) -> tuple[str, ...] | None:
    """`None`: any; empty: none can be both."""
    wanted = None if status is None else ("failed", "interrupted") if status == "failed" else (status,)
    if not active_only:
        return wanted
    return ACTIVE if wanted is None else tuple(state for state in wanted if state in ACTIVE)


async def _pages(
    client: AsyncClient, states: tuple[str, ...] | None, kind: str | None, count: int
) -> tuple[list[models.Operation], int]:
    """The newest, and how many there are."""
    found: list[models.Operation] = []
    token = ""
    while True:
        page = await client.operations_page(states, kind, size=max(1, count - len(found)), token=token)
        found += page.operations
        token = page.next_token
        if not token or len(found) >= count:
            return found, page.total
