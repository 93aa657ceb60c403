"""What a subscription tells: from the contract's messages to `models`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from . import _outcomes, _time, _words, models
from .v1 import market_data_pb2, operations_pb2, types_pb2


def subscribed(sent: market_data_pb2.SubscribeResponse) -> tuple[str, str, str, str, bool]:
    """The beginning of a subscription: symbol, timeframe, session, what, keep."""
    header = sent.header
    return (
        header.series.symbol,
        _words.TIMEFRAME.word(header.series.timeframe),
        _words.SESSION.word(header.session),
        _words.WHAT.word(header.what_to_show),
        header.keep,
    )


def events(event: market_data_pb2.SubscribeResponse, symbol: str, timeframe: str, running: bool) -> Iterator[models.LiveEvent]:
    """What one message of a subscription tells."""
    kind = event.WhichOneof("event")
    if kind == "closed":
        gap_before = event.closed.gap_before
        for row in _rows(event.closed.bars):
            yield models.Bar(symbol, timeframe, *row, True, event.closed.filled, gap_before)
            gap_before = False
    elif kind == "running" and running:
        for row in _rows(event.running):
            yield models.Bar(symbol, timeframe, *row, False)
    elif kind == "missed":
        yield models.Missed(event.missed.bars)
    elif kind == "state":
        state = event.state
        why = operations_pb2.Failure(reason=state.reason, messages=state.messages)
        phase, since = _words.LIVE_PHASE.word(state.phase), _time.aware(state.since_ns)
        yield models.LiveState(phase, since, _outcomes.failure(why) if state.reason else None)
    elif kind == "not_kept":
        lost = event.not_kept
        yield models.NotKept(lost.bars, _outcomes.failure(operations_pb2.Failure(reason=lost.reason, messages=lost.messages)))


def _rows(columns: types_pb2.BarColumns) -> Iterator[tuple[dt.datetime, float, float, float, float, float]]:
    prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
    return zip(map(_time.aware, columns.start_ns), *prices, strict=True)
