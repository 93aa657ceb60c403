"""Operations, their results and why they failed: from the contract's messages to `models`. Decides nothing."""

from __future__ import annotations

from typing import Any

import grpc

from . import _answers, _time, _wire, _words, models
from ._answers import optional as _optional
from ._answers import when as _when
from ._error import KtrdrError
from .v1 import operations_pb2

_CODE_OF_STATE = {
    "failed": ("INTERNAL", grpc.StatusCode.INTERNAL, "ended without a result"),
    "cancelled": ("CANCELLED", grpc.StatusCode.CANCELLED, "cancelled"),
    "interrupted": ("INTERRUPTED", grpc.StatusCode.ABORTED, "cut off by the end of the daemon"),
}


def failure(sent: operations_pb2.Failure, metadata: dict[str, str] | None = None) -> KtrdrError:
    """A failure that is part of an answer."""
    metadata = {**(metadata or {}), **sent.metadata}
    messages = _wire.lines("\n".join(sent.messages)) or [sent.reason]
    code = grpc.StatusCode.FAILED_PRECONDITION
    return _wire.named(sent.reason, code, messages, metadata, _optional(sent, "retry_after_seconds"), None)


def _error(sent: operations_pb2.Operation, state: str) -> KtrdrError | None:
    if state not in _CODE_OF_STATE:
        return None
    reason, code, word = _CODE_OF_STATE[state]
    told = sent.failure
    return _wire.named(
        told.reason or reason,
        code,
        _wire.lines("\n".join(told.messages)) or [f"the operation was {word}"],
        {"operation": sent.id, **told.metadata},
        _optional(told, "retry_after_seconds"),
        None,
    )


def _loaded(sent: operations_pb2.LoadResult, operation_id: str, state: str, error: KtrdrError | None) -> models.Loaded:
    return models.Loaded(
        symbol=sent.series.symbol,
        timeframe=_words.TIMEFRAME.word(sent.series.timeframe),
        mode=sent.mode,
        bars_loaded=sent.bars_loaded,
        bars_total=sent.bars_total,
        bars_revised=sent.bars_revised,
        requests_made=sent.requests_made,
        gaps_left=tuple(_answers.range_(gap) for gap in sent.gaps_left),
        operation_id=operation_id,
        state=state,
        error=error,
    )


def _result(sent: operations_pb2.Operation, state: str, error: KtrdrError | None) -> Any:
    kind = sent.WhichOneof("result")
    if kind == "load":
        return _loaded(sent.load, sent.id, state, error)
    if kind == "repair":
        return _loaded(sent.repair.load, sent.id, state, error)
    if kind == "loads":
        return tuple(
            _loaded(
                one.load,
                sent.id,
                _words.STATE.word(one.state),
                failure(one.failure, {"operation": sent.id}) if one.HasField("failure") else None,
            )
            for one in sent.loads.series
        )
    if kind == "training":
        return models.Trained(
            operation_id=sent.id,
            session_id=sent.training.session_id,
            host=sent.training.host,
            metrics=dict(sent.training.metrics),
            model_path=sent.training.model_path,
            curves={curve.name: tuple(curve.values) for curve in sent.training.curves},
            epochs=sent.training.epochs,
            notes=tuple(sent.training.notes),
        )
    return None


def _training(sent: operations_pb2.TrainingProgress) -> models.TrainingProgress:
    return models.TrainingProgress(
        host=sent.host,
        queue_position=sent.queue_position,
        epoch=sent.epoch,
        epochs=sent.epochs,
        batch=sent.batch,
        batches=sent.batches,
        loss=_optional(sent, "loss"),
        accuracy=_optional(sent, "accuracy"),
        validation_loss=_optional(sent, "validation_loss"),
        validation_accuracy=_optional(sent, "validation_accuracy"),
        loss_curve=tuple(sent.loss_curve),
        seconds_left=_optional(sent, "seconds_left"),
    )


def progress(sent: operations_pb2.Progress) -> models.Progress:
    """How far an operation is."""
    parts = (models.Part(p.name, _words.STATE.word(p.state), p.done, p.total, p.message) for p in sent.parts)
    return models.Progress(
        percent=_optional(sent, "percent"),
        done=sent.done,
        total=sent.total,
        unit=sent.unit,
        message=sent.message,
        parts=tuple(parts),
        training=_training(sent.training) if sent.HasField("training") else None,
    )


def operation(sent: operations_pb2.Operation) -> models.Operation:
    """An operation; its error knows it."""
    state = _words.STATE.word(sent.state)
    error = _error(sent, state)
    told = models.Operation(
        id=sent.id,
        kind=sent.kind,
        state=state,
        subject=sent.subject,
        progress=progress(sent.progress),
        created_at=_time.aware(sent.created_at_ns),
        started_at=_when(sent, "started_at_ns"),
        ended_at=_when(sent, "ended_at_ns"),
        retry_of=_optional(sent, "retry_of"),
        result=_result(sent, state, error),
        error=error,
    )
    if error is not None:
        error.operation = told
    return told


def page(sent: operations_pb2.ListOperationsResponse) -> models.OperationPage:
    """Some operations of many."""
    return models.OperationPage(tuple(map(operation, sent.operations)), sent.total, sent.next_page_token)
