"""What the daemon tells, as plain values. Instants are aware datetimes in UTC, to the microsecond; a bar's is its start."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ._error import KtrdrError


@dataclass(frozen=True, slots=True)
class Series:
    """Stored bars of one symbol and timeframe."""

    symbol: str
    timeframe: str
    #: Start of the first and of the last stored bar.
    start: dt.datetime
    end: dt.datetime
    #: Exact count of stored bars.
    bars: int
    #: Of its files.
    size_bytes: int
    #: `gateway`, `import` or `mixed`.
    source: str
    #: `all` or `regular`.
    session: str
    #: `trades`, `midpoint`, `bid` or `ask`.
    what: str
    #: Kind, session or prices were inferred from a file, not told by the gateway.
    assumed: bool


@dataclass(frozen=True, slots=True)
class BarsHeader:
    """What the bars of one answer are."""

    symbol: str
    timeframe: str
    session: str
    what: str
    source: str
    #: Bars of the range, before `head` or `tail` was applied, and bars of the answer.
    rows_in_range: int
    rows: int
    #: First and last bar of the range; `None` when it holds none.
    start: dt.datetime | None
    end: dt.datetime | None
    #: The bars are made of stored ones of this size; `None`: they are stored.
    derived_from: str | None
    #: IANA name of the market's clock; `None`: unknown, or not asked for.
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of instants; `None` is open."""

    start: dt.datetime | None
    end: dt.datetime | None


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
class Bar:
    """One live bar."""

    symbol: str
    timeframe: str
    start: dt.datetime
    #: In the currency of the contract.
    open: float
    high: float
    low: float
    close: float
    #: Shares, contracts or units; NaN where the source has none.
    volume: float
    #: It is over, and told once; otherwise it is still open, and told as it is now.
    closed: bool = True
    #: It came from history: it closed before, or while the subscription was interrupted.
    filled: bool = False
    #: A bar may be missing before this one: the gateway gave prices that cannot be, or refused to give any.
    gap_before: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """This client was too slow and did not get so many closed bars. What follows is in one piece again."""

    bars: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """How a subscription is."""

    #: `starting`, `flowing` or `interrupted`; the daemon subscribes again by itself.
    phase: str
    since: dt.datetime
    #: Why it is interrupted.
    error: KtrdrError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NotKept:
    """Bars that closed could not be stored; the next load brings them."""

    bars: int
    error: KtrdrError = field(compare=False)


#: What a subscription tells.
LiveEvent: TypeAlias = "Bar | Missed | LiveState | NotKept"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that a check has found."""

    #: Stable; docs/DATA.md lists them.
    code: str
    #: `error`, `warning` or `info`.
    severity: str
    says: str
    helps: str
    #: Bars, or sessions where the rule is about sessions.
    count: int
    first: dt.datetime
    last: dt.datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Absent bars in one piece."""

    symbol: str
    timeframe: str
    #: From the start of the first absent bar to the end of the last.
    start: dt.datetime
    end: dt.datetime
    bars: int
    #: Whole sessions among them.
    sessions: int
    #: `never_asked`, `asked_and_empty` or `not_traded`.
    kind: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the stored bars of a series are right and complete."""

    symbol: str
    timeframe: str
    session: str
    what: str
    #: Code of the calendar that its bars are held against; empty: none is known.
    calendar: str
    bars: int
    start: dt.datetime
    end: dt.datetime
    #: The worst first.
    findings: tuple[Finding, ...]
    #: Ascending; at most 10,000 of `gaps_total`.
    gaps: tuple[Gap, ...]
    gaps_total: int

    @property
    def ok(self) -> bool:
        """Nothing is wrong; what is incomplete or doubtful may be found all the same."""
        return all(finding.severity != "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a symbol means at IB."""

    #: Its one spelling, which series are stored under.
    symbol: str
    con_id: int
    #: `stock`, `forex`, `future`, `continuous_future` or `index`.
    kind: str
    exchange: str
    #: Where it is listed; empty for what is not a stock.
    primary_exchange: str
    #: ISO code.
    currency: str
    long_name: str
    local_symbol: str
    #: As the gateway names it.
    time_zone: str
    #: Smallest price step anywhere.
    min_tick: float
    #: When the gateway told this.
    as_of: dt.datetime
    #: It was remembered, not asked now.
    cached: bool
    #: Earliest bar; `None`: none, or the gateway could not tell.
    head: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """The daemon itself."""

    version: str
    contract: int
    pid: int
    started_at: dt.datetime
    #: Paths on the daemon's machine.
    socket: str
    data_dir: str
    config_files: tuple[str, ...]
    #: Stored series.
    series: int
    operations_running: int
    #: Resident set.
    memory_bytes: int
    log_level: str


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """The one connection to IB Gateway."""

    #: `disabled`, `disconnected`, `connecting`, `synchronising`, `ready`, `degraded`, `resting`, `wedged`, `login_needed` or
    #: `stopped`.
    state: str
    since: dt.datetime
    #: Why it is in this state, and what happens next, for people.
    reason: str
    next: str
    #: `host:port`
    address: str
    client_id: int | None
    server_version: int | None
    #: Requests that were sent and not answered, and that wait in the daemon.
    requests_open: int
    requests_queued: int
    #: Requests for bars of 30 s and less in the last ten minutes, of how many.
    pacing_used: int
    pacing_limit: int
    #: Wait for the next such request, seconds.
    next_slot_seconds: float
