"""From the contract's messages to `models`. Decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar

from . import _time, _words, models
from .v1 import daemon_pb2, gateway_pb2, market_data_pb2, types_pb2

T = TypeVar("T")


def optional(message: Any, field: str) -> Any:
    """A field that may be absent."""
    return getattr(message, field) if message.HasField(field) else None


def when(message: Any, field: str) -> Any:
    """An instant that may be absent."""
    return _time.aware(getattr(message, field)) if message.HasField(field) else None


def series(summary: market_data_pb2.SeriesSummary) -> models.Series:
    """One stored series."""
    return models.Series(
        symbol=summary.series.symbol,
        timeframe=_words.TIMEFRAME.word(summary.series.timeframe),
        start=_time.aware(summary.first_ns),
        end=_time.aware(summary.last_ns),
        bars=summary.bars,
        size_bytes=summary.size_bytes,
        source=_words.SOURCE.word(summary.source),
        session=_words.SESSION.word(summary.session),
        what=_words.WHAT.word(summary.what_to_show),
        assumed=summary.assumed,
        revision=summary.revision or None,
    )


def header(sent: market_data_pb2.QueryHeader) -> models.BarsHeader:
    """What the bars of an answer are."""
    return models.BarsHeader(
        symbol=sent.series.symbol,
        timeframe=_words.TIMEFRAME.word(sent.series.timeframe),
        session=_words.SESSION.word(sent.session),
        what=_words.WHAT.word(sent.what_to_show),
        source=_words.SOURCE.word(sent.source),
        rows_in_range=sent.rows_in_range,
        rows=sent.rows_sent,
        start=when(sent, "first_ns"),
        end=when(sent, "last_ns"),
        derived_from=_words.TIMEFRAME.word(sent.derived_from) if sent.derived_from else None,
        time_zone=sent.time_zone or None,
        revision=sent.revision or None,
    )


def range_(sent: types_pb2.TimeRange) -> models.Range:
    """A range of instants."""
    return models.Range(when(sent, "start_ns"), when(sent, "end_ns"))


def checked(sent: market_data_pb2.CheckResponse) -> models.Checked:
    """What a check of one series says."""
    symbol, timeframe = sent.series.symbol, _words.TIMEFRAME.word(sent.series.timeframe)
    findings = (
        models.Finding(
            code=found.code,
            severity=_words.SEVERITY.word(found.severity),
            says=found.says,
            helps=found.helps,
            count=found.count,
            first=_time.aware(found.first_ns),
            last=_time.aware(found.last_ns),
            detail=found.detail,
        )
        for found in sent.findings
    )
    gaps = (
        models.Gap(
            symbol=symbol,
            timeframe=timeframe,
            start=_time.aware(gap.range.start_ns),
            end=_time.aware(gap.range.end_ns),
            bars=gap.bars,
            sessions=gap.sessions,
            kind=_words.GAP_CLASS.word(getattr(gap, "class")),
        )
        for gap in sent.gaps
    )
    return models.Checked(
        symbol=symbol,
        timeframe=timeframe,
        session=_words.SESSION.word(sent.session),
        what=_words.WHAT.word(sent.what_to_show),
        calendar=sent.calendar,
        bars=sent.bars,
        start=_time.aware(sent.first_ns),
        end=_time.aware(sent.last_ns),
        findings=tuple(findings),
        gaps=tuple(gaps),
        gaps_total=sent.gaps_total,
    )


def within(gaps: Iterable[models.Gap], start_ns: int | None, end_ns: int | None) -> list[models.Gap]:
    """Those that touch a range."""
    start = None if start_ns is None else _time.aware(start_ns)
    end = None if end_ns is None else _time.aware(end_ns)
    return [gap for gap in gaps if (start is None or gap.end > start) and (end is None or gap.start < end)]


def contract(sent: market_data_pb2.Contract, head_ns: int | None) -> models.Contract:
    """What a symbol means."""
    return models.Contract(
        symbol=sent.symbol,
        con_id=sent.con_id,
        kind=sent.kind,
        exchange=sent.exchange,
        primary_exchange=sent.primary_exchange,
        currency=sent.currency,
        long_name=sent.long_name,
        local_symbol=sent.local_symbol,
        time_zone=sent.time_zone,
        min_tick=sent.min_tick,
        as_of=_time.aware(sent.as_of_ns),
        cached=sent.cached,
        head=None if head_ns is None else _time.aware(head_ns),
    )


def validated(sent: market_data_pb2.ValidateResponse) -> models.Contract:
    """What a symbol means, with the beginning of its history."""
    return contract(sent.contract, optional(sent, "head_ns"))


def daemon(sent: daemon_pb2.GetDaemonStatusResponse) -> models.DaemonStatus:
    """The daemon itself."""
    return models.DaemonStatus(
        version=sent.version,
        contract=sent.contract,
        pid=sent.pid,
        started_at=_time.aware(sent.started_at_ns),
        socket=sent.socket,
        data_dir=sent.data_dir,
        config_files=tuple(sent.config_files),
        series=sent.series,
        operations_running=sent.operations_running,
        memory_bytes=sent.memory_bytes,
        log_level=sent.log_level,
    )


def gateway(sent: gateway_pb2.GatewayStatus) -> models.GatewayStatus:
    """The gateway's connection."""
    return models.GatewayStatus(
        state=_words.GATEWAY_STATE.word(sent.state),
        since=_time.aware(sent.since_ns),
        reason=sent.reason,
        next=sent.next,
        address=sent.address,
        client_id=optional(sent, "client_id"),
        server_version=optional(sent, "server_version"),
        requests_open=sent.requests.open,
        requests_queued=sent.requests.queued,
        pacing_used=sent.pacing.used,
        pacing_limit=sent.pacing.limit,
        next_slot_seconds=sent.pacing.next_slot_seconds,
    )


def calendar(sent: market_data_pb2.GetCalendarResponse) -> models.Calendar:
    """When a market is open."""
    days = (
        models.CalendarDay(
            date=dt.date.fromisoformat(day.date),
            regular=tuple(map(range_, day.regular)),
            all=tuple(map(range_, day.all)),
            special=day.special,
        )
        for day in sent.days
    )
    return models.Calendar(sent.calendar.code, sent.calendar.time_zone, tuple(days))
