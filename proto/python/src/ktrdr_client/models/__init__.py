"""What the daemon tells, as plain values. Instants are aware datetimes in UTC, to the microsecond; a bar's is its start."""

from __future__ import annotations

from .about import DaemonStatus, GatewayStatus
from .live import Bar, LiveEvent, LiveState, Missed, NotKept
from .stored import BarsHeader, Calendar, CalendarDay, Checked, Contract, Finding, Gap, Range, Series
from .work import Loaded, Operation, OperationPage, Part, Progress, Trained, TrainingProgress

__all__ = [
    "Bar",
    "BarsHeader",
    "Calendar",
    "CalendarDay",
    "Checked",
    "Contract",
    "DaemonStatus",
    "Finding",
    "Gap",
    "GatewayStatus",
    "LiveEvent",
    "LiveState",
    "Loaded",
    "Missed",
    "NotKept",
    "Operation",
    "OperationPage",
    "Part",
    "Progress",
    "Range",
    "Series",
    "Trained",
    "TrainingProgress",
]
