"""From what people write to the contract's messages. What cannot be meant is refused here, before anything is sent."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import _time, _words, errors
from ._time import Instant
from .v1 import market_data_pb2, operations_pb2, training_pb2, types_pb2

#: Operations of one page, at most.
PAGE = 1000
_ROWS = range(2**64)


def series(symbol: str, timeframe: str) -> types_pb2.SeriesId:
    """One series."""
    return types_pb2.SeriesId(symbol=_words.symbol(symbol), timeframe=_words.timeframe(timeframe))


def some_series(symbol: str | None, timeframe: str | None) -> list[types_pb2.SeriesId]:
    """One series, or none for all of them."""
    if symbol is None and timeframe is None:
        return []
    if symbol is None or timeframe is None:
        raise errors.RequestInvalid("only one of symbol and timeframe is given", hint="give both, or none for all stored series")
    return [series(symbol, timeframe)]


def time_range(start: Instant | None, end: Instant | None) -> types_pb2.TimeRange:
    """From a first instant to one that is no longer part of it."""
    start_ns, end_ns = _time.start(start), _time.end(end)
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise errors.RangeInvalid(
            f"the end is not after the start: {start} … {end}", hint="give a start before the end; the end is not part of it"
        )
    return types_pb2.TimeRange(start_ns=start_ns, end_ns=end_ns)


def query(
    symbol: str,
    timeframe: str,
    start: Instant | None,
    end: Instant | None,
    head: int | None,
    tail: int | None,
    resample: str | None,
    hours: str | None,
) -> market_data_pb2.QueryRequest:
    """Stored bars."""
    if head is not None and tail is not None:
        raise errors.RequestInvalid("both head and tail are given", hint="give one of them")
    for name, count in (("head", head), ("tail", tail)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
            raise errors.WrongType(f"{name} is {count!r} ({type(count).__name__})", hint=f"give a number: {name}=100")
        if count is not None and count not in _ROWS:
            raise errors.RequestInvalid(f"{name} is {count}", hint="give a number of rows")
    request = market_data_pb2.QueryRequest(
        series=series(symbol, timeframe),
        range=time_range(start, end),
        hours=_words.HOURS.number(hours),
        with_time_zone=True,
    )
    if resample is not None:
        request.resample = _words.timeframe(resample)
    if head is not None:
        request.head = head
    if tail is not None:
        request.tail = tail
    return request


def loads(
    symbols: str | Iterable[str],
    timeframes: str | Iterable[str],
    start: Instant | None,
    end: Instant | None,
    mode: str,
    session: str | None,
    what: str | None,
    on_split: str,
    verify: bool,
) -> market_data_pb2.LoadManyRequest:
    """Loads of every symbol with every timeframe."""
    wanted = [series(symbol, timeframe) for symbol in _several(symbols) for timeframe in _several(timeframes)]
    if not wanted:
        raise errors.RequestInvalid("nothing to load", hint="give a symbol and a timeframe, or several of each")
    return market_data_pb2.LoadManyRequest(
        series=wanted,
        mode=_words.MODE.number(mode),
        range=time_range(start, end),
        session=_words.SESSION.number(session),
        what_to_show=_words.WHAT.number(what),
        on_split=_words.ON_SPLIT.number(on_split),
        verify=verify,
    )


def one_load(many: market_data_pb2.LoadManyRequest) -> market_data_pb2.LoadRequest:
    """The same for its only series."""
    return market_data_pb2.LoadRequest(
        series=many.series[0],
        mode=many.mode,
        range=many.range,
        session=many.session,
        what_to_show=many.what_to_show,
        on_split=many.on_split,
        verify=many.verify,
    )


def _several(values: str | Iterable[str]) -> list[str]:
    # what is neither is told by what reads one of them
    return [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)


def calendar(name: str, first: dt.date | str, last: dt.date | str) -> market_data_pb2.GetCalendarRequest:
    """A market's hours."""
    return market_data_pb2.GetCalendarRequest(
        name=_words.symbol(name), first_date=_time.date("first", first), last_date=_time.date("last", last)
    )


def subscribe(
    symbol: str, timeframe: str, session: str | None, what: str | None, keep: bool, history: int
) -> market_data_pb2.SubscribeRequest:
    """Live bars."""
    if isinstance(history, bool) or not isinstance(history, int) or not 0 <= history <= 300:
        raise errors.RequestInvalid(f"history is {history!r}", hint="give a number of bars from 0 to 300")
    return market_data_pb2.SubscribeRequest(
        series=series(symbol, timeframe),
        session=_words.SESSION.number(session),
        what_to_show=_words.WHAT.number(what),
        keep=keep,
        history=history,
    )


def list_operations(
    states: str | Iterable[str] | None, kind: str | None, page_size: int, page_token: str
) -> operations_pb2.ListOperationsRequest:
    """One page of operations."""
    numbers = [_words.STATE.number(state) for state in _several(states)] if states is not None else []
    return operations_pb2.ListOperationsRequest(states=numbers, kind=kind or "", page_size=page_size, page_token=page_token)


def train(
    strategy: str | os.PathLike[str] | bytes,
    symbols: str | Sequence[str] | None,
    timeframes: str | Sequence[str] | None,
    start: dt.date | str | None,
    end: dt.date | str | None,
    host: str | None,
    labels: Sequence[str],
    priority: int | None,
    load_missing: bool,
) -> training_pb2.StartTrainingRequest:
    """A training. The daemon never opens a file of ours, so the strategy's content is sent."""
    if isinstance(strategy, bytes):
        file = training_pb2.StrategyFile(label="strategy", content=strategy)
    else:
        try:
            file = training_pb2.StrategyFile(label=os.fspath(strategy), content=Path(strategy).read_bytes())
        except OSError as error:
            raise errors.FileUnreadable(f"cannot read {strategy}", error.strerror or str(error)) from error
        except TypeError:
            raise errors.WrongType(
                f"strategy is {strategy!r} ({type(strategy).__name__})", hint="give the path of a YAML file, or its bytes"
            ) from None
    return training_pb2.StartTrainingRequest(
        strategy=file,
        symbols=[_words.symbol(symbol) for symbol in _several(symbols or [])],
        timeframes=_several(timeframes or []),
        start_date=_time.date("start", start),
        end_date=_time.date("end", end),
        host=host or "",
        labels=labels,
        priority=priority,
        load_missing=load_missing,
    )
