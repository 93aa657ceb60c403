"""What the daemon tells, in the words of the old backend. Decides nothing and asks nobody."""

from __future__ import annotations

import collections
import datetime as dt
import zoneinfo
from collections.abc import Iterable
from typing import Any

from .. import errors, models

#: As the old backend lists them; the daemon has others, too.
TIMEFRAMES = {
    "1m": ("1 Minute", "One-minute interval data"),
    "5m": ("5 Minutes", "Five-minute interval data"),
    "15m": ("15 Minutes", "Fifteen-minute interval data"),
    "30m": ("30 Minutes", "Thirty-minute interval data"),
    "1h": ("1 Hour", "One-hour interval data"),
    "2h": ("2 Hours", "Two-hour interval data"),
    "4h": ("4 Hours", "Four-hour interval data"),
    "1d": ("Daily", "Daily interval data"),
    "1w": ("Weekly", "Weekly interval data"),
    "1M": ("Monthly", "Monthly interval data"),
}
#: What each kind of operation is called there. Those that are not of the old backend keep their names.
TYPES = {"load": "data_load", "loads": "data_load", "training": "training", "import": "data_import", "repair": "data_repair"}
INSTRUMENTS = {
    "stock": "stock",
    "forex": "forex",
    "future": "futures",
    "continuous_future": "futures",
    "index": "index",
}


def enveloped(data: Any) -> dict[str, Any]:
    """A success."""
    return {"success": True, "data": data, "error": None}


def instant(moment: dt.datetime | None) -> str | None:
    """To the second, unless there is more to say."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def stamp(moment: dt.datetime | None) -> str | None:
    """To the microsecond."""
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def symbol(name: str, series: Iterable[models.Series], about: Facts) -> dict[str, Any]:
    """A symbol of the list."""
    contract = about.contract
    return {
        "symbol": name,
        "name": (contract and contract.long_name) or name,
        "type": INSTRUMENTS.get(contract.kind, "unknown") if contract else "unknown",
        "exchange": (contract.primary_exchange or contract.exchange) if contract else "unknown",
        "currency": contract.currency if contract else "unknown",
        "available_timeframes": [one.timeframe for one in series],
        "trading_hours": about.hours,
    }


class Facts:
    """What is known of a symbol apart from its bars."""

    def __init__(self, contract: models.Contract | None, calendar: models.Calendar | None) -> None:
        self.contract = contract
        self.hours = calendar and trading_hours(calendar)


def trading_hours(calendar: models.Calendar) -> dict[str, Any] | None:
    """The usual hours of a market on its own clock, from some weeks of its calendar."""
    try:
        zone = zoneinfo.ZoneInfo(calendar.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None

    def local(when: models.Range) -> tuple[str, str]:
        bounds = [moment.astimezone(zone).strftime("%H:%M") for moment in (when.start, when.end) if moment]
        return bounds[0], bounds[-1]

    usual = [day for day in calendar.days if day.regular and not day.special]
    if not usual:
        return None
    [(regular, _)] = collections.Counter(local(day.regular[0]) for day in usual).most_common(1)
    [(whole, _)] = collections.Counter((local(day.all[0])[0], local(day.all[-1])[1]) for day in usual).most_common(1)
    extended = [(whole[0], regular[0]), (regular[1], whole[1])]
    return {
        "timezone": calendar.time_zone,
        "regular_hours": {"start": regular[0], "end": regular[1]},
        "extended_hours": [{"start": start, "end": end} for start, end in extended if start != end],
        "trading_days": sorted({day.date.weekday() for day in usual}),
    }


def bars_metadata(symbol: str, timeframe: str, header: models.BarsHeader | None) -> dict[str, Any]:
    """What goes with bars. The old backend had other keys for none than for some, and its command line read those: both."""
    found = header is not None and header.rows > 0
    start = (instant(header.start) if header and found else None) or ""
    end = (instant(header.end) if header and found else None) or ""
    count = header.rows if header else 0
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "start_date": start,
        "end_date": end,
        "point_count": count,
        "start": start,
        "end": end,
        "points": count,
    }


def load_summary(loaded: models.Loaded, operation: models.Operation) -> dict[str, Any]:
    """What a load has brought."""
    partly = isinstance(loaded.error, errors.LoadIncomplete)
    done = loaded.state == "completed"
    return {
        "status": "success" if done else "partial" if partly and loaded.bars_loaded else "failed",
        "fetched_bars": loaded.bars_loaded,
        "cached_before": loaded.bars_total > loaded.bars_loaded,
        "merged_file": "",
        "gaps_analyzed": len(loaded.gaps_left),
        "segments_fetched": operation.progress.done,
        "ib_requests_made": loaded.requests_made,
        "execution_time_seconds": operation.seconds or 0.0,
    }


def _result(operation: models.Operation) -> dict[str, Any] | None:
    result = operation.result
    if isinstance(result, models.Loaded):
        series = {"mode": result.mode, "symbol": result.symbol, "timeframe": result.timeframe}
        return {**load_summary(result, operation), **series}
    if isinstance(result, tuple):
        several = [{**load_summary(one, operation), "symbol": one.symbol, "timeframe": one.timeframe} for one in result]
        total = sum(one["fetched_bars"] for one in several)
        status = "success" if operation.state == "completed" else "partial" if total else "failed"
        seconds = operation.seconds or 0.0
        return {"status": status, "fetched_bars": total, "execution_time_seconds": seconds, "series": several}
    if isinstance(result, models.Trained):
        return {
            "session_id": result.session_id,
            "host_metrics": dict(result.metrics),
            "training_completed": operation.state == "completed",
            "host_service_used": True,
        }
    return None


def _series(operation: models.Operation) -> tuple[str | None, str | None]:
    """Symbol and timeframe of an operation on one series, whose subject is its name."""
    first = operation.result[0] if isinstance(operation.result, tuple) and operation.result else operation.result
    if isinstance(first, models.Loaded):
        return first.symbol, first.timeframe
    words = operation.subject.split()
    return (words[0], words[1]) if operation.kind in ("load", "repair") and len(words) == 2 else (None, None)


def _state(operation: models.Operation) -> str:
    # who polls for an end knows no other ends
    return "failed" if operation.state == "interrupted" else operation.state


def _step(operation: models.Operation) -> str:
    # never null: the old command line measures it
    return operation.state if operation.ended else operation.progress.message or operation.state


def _percentage(operation: models.Operation) -> float:
    # one that had nothing to do never knew a total
    return 100.0 if operation.state == "completed" else operation.progress.percent or 0.0


def _progress(operation: models.Operation) -> dict[str, Any]:
    progress = operation.progress
    training, result = progress.training, operation.result
    items = (training.epoch, training.epochs) if training else (0, None)
    if isinstance(result, models.Loaded):
        items = (result.bars_loaded, None)
    return {
        "percentage": _percentage(operation),
        "current_step": _step(operation),
        "steps_completed": progress.done,
        "steps_total": progress.total,
        "items_processed": items[0],
        "items_total": items[1],
        "current_item": next((part.name for part in progress.parts if part.state == "running"), None),
    }


def operation(one: models.Operation) -> dict[str, Any]:
    """An operation, whole."""
    name, timeframe = _series(one)
    error = one.error
    return {
        "operation_id": one.id,
        "operation_type": TYPES.get(one.kind, one.kind),
        "status": _state(one),
        "created_at": stamp(one.created_at),
        "started_at": stamp(one.started_at),
        "completed_at": stamp(one.ended_at),
        "duration_seconds": one.seconds,
        "progress": _progress(one),
        "metadata": {
            "symbol": name,
            "timeframe": timeframe,
            "mode": one.result.mode if isinstance(one.result, models.Loaded) else None,
            "start_date": None,
            "end_date": None,
            "parameters": {"subject": one.subject, **({"retry_of": one.retry_of} if one.retry_of else {})},
        },
        "error_message": ": ".join(error.messages) if error else None,
        "warnings": [],
        "errors": list(error.messages) if error and one.state != "cancelled" else [],
        "result_summary": _result(one),
        "interrupted": one.state == "interrupted",
    }


def summary(one: models.Operation, now: dt.datetime) -> dict[str, Any]:
    """An operation of the list."""
    running = one.started_at and ((one.ended_at or now) - one.started_at).total_seconds()
    return {
        "operation_id": one.id,
        "operation_type": TYPES.get(one.kind, one.kind),
        "status": _state(one),
        "created_at": stamp(one.created_at),
        "progress_percentage": _percentage(one),
        "current_step": _step(one),
        "symbol": _series(one)[0],
        "duration_seconds": running,
    }
