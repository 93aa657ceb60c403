"""What takes long, and what has come of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._error import KtrdrError
from .stored import Range


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that an operation does."""

    name: str
    state: str
    done: int
    total: int
    message: str


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """What the host of a training has reported last."""

    #: Empty while it waits for a slot.
    host: str
    #: 1 is the next one to get a slot; 0 once it has one.
    queue_position: int
    #: Finished ones.
    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float | None
    #: 0 to 1.
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    #: Of the epochs so far, at most 60 values.
    loss_curve: tuple[float, ...]
    #: An estimate from the pace so far.
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an operation is."""

    #: 0 to 100; `None` while the total is unknown.
    percent: float | None
    done: int
    #: 0 while unknown.
    total: int
    #: What `done` and `total` count.
    unit: str
    message: str
    parts: tuple[Part, ...] = ()
    training: TrainingProgress | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load has brought."""

    symbol: str
    timeframe: str
    mode: str
    #: Bars that were not stored before.
    bars_loaded: int
    #: Bars of the series afterwards.
    bars_total: int
    #: Stored bars that the source corrected.
    bars_revised: int
    #: Requests of any kind that it sent to the gateway.
    requests_made: int
    #: What is still missing of the wanted range.
    gaps_left: tuple[Range, ...]
    operation_id: str
    #: `completed`, or how a part of a load of several series has ended.
    state: str = "completed"
    error: KtrdrError | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training has brought."""

    operation_id: str
    #: At the host.
    session_id: str
    host: str
    #: Figures of the end, such as `test_accuracy`: accuracies 0 to 1, times in seconds.
    metrics: Mapping[str, float]
    #: `host:path`, a file of that machine; empty when the host keeps none.
    model_path: str
    #: By name, one value an epoch, thinned to 200; NaN where the host had no number.
    curves: Mapping[str, tuple[float, ...]]
    #: Finished ones.
    epochs: int
    #: What a person should know.
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Everything long: a load, an import, a repair, a training."""

    id: str
    #: `load`, `loads`, `import`, `repair` or `training`.
    kind: str
    #: `pending`, `running`, `completed`, `failed`, `cancelled` or `interrupted`.
    state: str
    #: What it works on, for people: `NVDA 1h`.
    subject: str
    progress: Progress
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    #: The operation that this one retries.
    retry_of: str | None
    #: Of one that completed, or that brought something all the same.
    result: Loaded | tuple[Loaded, ...] | Trained | None = None
    #: Why it ended without completing.
    error: KtrdrError | None = field(default=None, compare=False)

    @property
    def ended(self) -> bool:
        """Nothing more happens to it."""
        return self.state not in ("pending", "running")

    @property
    def seconds(self) -> float | None:
        """How long it ran; `None` while it has not ended."""
        return (self.ended_at - (self.started_at or self.created_at)).total_seconds() if self.ended_at else None


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Some operations of many, the newest first."""

    operations: tuple[Operation, ...]
    #: Matching ones in all.
    total: int
    #: For the page after; empty on the last one.
    next_token: str
