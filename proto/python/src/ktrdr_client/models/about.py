"""The daemon, and its gateway."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


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
