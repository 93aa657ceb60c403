"""What holds for every endpoint: how errors become documents, and the header with the time it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from .. import errors

#: Of the errors that the old backend had codes for; all others have the code of their endpoint.
CODES: dict[type[errors.KtrdrError], str] = {
    errors.SeriesNotFound: "DATA-FileNotFound",
    errors.SymbolInvalid: "DATA-InvalidSymbol",
    errors.TimeframeInvalid: "DATA-InvalidTimeframe",
    errors.RangeInvalid: "DATA-InvalidDate",
    errors.RangeInFuture: "DATA-InvalidDate",
    errors.DaemonUnreachable: "CONNECTION_ERROR",
    errors.ShuttingDown: "CONNECTION_ERROR",
    errors.TimedOut: "CONNECTION_ERROR",
}
#: What an endpoint's other errors are called.
ENDPOINT_CODES = {
    "get_symbols": "DATA-SymbolListError",
    "get_data_info": "DATA-GetError",
    "get_data": "DATA-GetError",
    "load_data": "DATA-LoadError",
    "get_data_range": "DATA-RangeError",
    "list_operations": "OPERATIONS-ListError",
    "get_operation": "OPERATIONS-GetStatusError",
    "cancel_operation": "OPERATIONS-CancelError",
    "retry_operation": "OPERATIONS-RetryError",
}
STATUS: list[tuple[type[errors.KtrdrError], int]] = [
    (errors.NotFoundError, 404),
    (errors.PermissionDeniedError, 403),
    (errors.InvalidArgumentError, 400),
    (errors.FailedPreconditionError, 400),
    (errors.UnavailableError, 503),
    (errors.ResourceExhaustedError, 503),
    (errors.DeadlineExceededError, 503),
    (errors.AbortedError, 503),
]


class Route(APIRoute):
    """An endpoint whose answers, refusals among them, have the old backend's form, whatever application it is part of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI makes it, with that around it."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            begun = time.perf_counter()
            try:
                response = await handle(request)
            except errors.KtrdrError as error:
                response = refusal(error, ENDPOINT_CODES.get(self.name, "DATA_ERROR"))
            except RequestValidationError as error:
                response = await request_validation_exception_handler(request, error)
            except HTTPException as error:
                response = await http_exception_handler(request, error)
            response.headers["X-Process-Time"] = f"{(time.perf_counter() - begun) * 1000:.2f}ms"
            return response

        return answer


def status_of(error: errors.KtrdrError) -> int:
    """400 when the request is wrong, 404, 403, 503 when trying again makes sense, 500 when it is our fault."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def refusal(error: errors.KtrdrError, code: str) -> JSONResponse:
    """The document of an error."""
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}
    document = {"success": False, "error": described(error, CODES.get(type(error), code))}
    return JSONResponse(document, status_of(error), headers)


def described(error: errors.KtrdrError, code: str) -> dict[str, Any]:
    """An error as part of a document. What the old backend did not tell is in the details."""
    details: dict[str, Any] = {**error.metadata, "reason": error.reason, "hint": error.hint}
    if error.retry_after is not None:
        details["retry_after_seconds"] = error.retry_after
    if error.request_id is not None:
        details["request_id"] = error.request_id
    return {"code": code, "message": ": ".join(error.messages), "details": details}
