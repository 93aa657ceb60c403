"""
Bars as a frame of whichever library is wanted, filled while they come.

NumPy, pandas: one block of memory for the whole answer, made once, into which each message is copied once. Arrow: no copy at all,
the messages' own memory becomes the table's. Polars: as NumPy, and what Polars copies itself.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import sys
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from . import errors
from ._columns import PRICES, Chunk, Values, cut_short
from .models import BarsHeader

#: `numpy` needs nothing else.
Library: TypeAlias = Literal["pandas", "polars", "arrow", "numpy"]

_MODULES = {"pandas": "pandas", "polars": "polars", "arrow": "pyarrow"}


class Frame(Protocol):
    """A frame in the making."""

    def add(self, chunk: Chunk) -> None:
        """The next bars."""

    def done(self) -> Any:
        """The frame."""


def library(wanted: str | None) -> str:
    """The library that is wanted, or the first that is installed."""
    if wanted is None:
        found = next((name for name, module in _MODULES.items() if importlib.util.find_spec(module)), None)
        if found is None:
            raise errors.LibraryMissing(
                "no library for frames is installed",
                hint='pip install "ktrdr-client[pandas]", or [polars], or [arrow]; as_="numpy" needs none',
            )
        return found
    if wanted not in (*_MODULES, "numpy"):
        raise errors.RequestInvalid(f"as_ is {wanted!r}", hint=f"use one of {' '.join(_MODULES)} numpy")
    if wanted != "numpy" and not importlib.util.find_spec(_MODULES[wanted]):
        raise errors.LibraryMissing(f"{_MODULES[wanted]} is not installed", hint=f'pip install "ktrdr-client[{wanted}]"')
    return wanted


def frame(wanted: str, header: BarsHeader) -> Frame:
    """An empty one, for the bars that follow the header."""
    kinds: dict[str, type[_Numpy | _Arrow]] = {
        "numpy": _Numpy,
        "pandas": _Pandas,
        "polars": _Polars,
        "arrow": _Arrow,
    }
    return kinds[wanted](header)


def about(header: BarsHeader) -> dict[str, Any]:
    """What goes with a frame: the series, and what its bars are."""
    told = dataclasses.asdict(header)
    return {key: told[key] for key in ("symbol", "timeframe", "session", "what", "source", "time_zone", "revision")}


class _Numpy:
    def __init__(self, header: BarsHeader) -> None:
        self.header = header
        self.start_ns = np.empty(header.rows, np.int64)
        self.block = np.empty((len(PRICES), header.rows))
        self.at = 0

    def add(self, chunk: Chunk) -> None:
        start_ns, *prices = chunk
        end = self.at + len(start_ns)
        if end > self.header.rows:
            raise cut_short(end, self.header.rows)
        self.start_ns[self.at : end] = start_ns
        for row, column in zip(self.block, prices, strict=True):
            row[self.at : end] = column
        self.at = end

    def done(self) -> Any:
        self.whole()
        columns: dict[str, Values] = {"timestamp": self.start_ns.view("datetime64[ns]")}
        return columns | dict(zip(PRICES, self.block, strict=True))

    def whole(self) -> None:
        if self.at != self.header.rows:
            raise cut_short(self.at, self.header.rows)


class _Pandas(_Numpy):
    def done(self) -> Any:
        self.whole()
        pandas = importlib.import_module("pandas")
        # numbers are instants already; times without a zone would be looked at one by one
        index = pandas.DatetimeIndex(self.start_ns, name="timestamp", tz="UTC")
        made = pandas.DataFrame(self.block.T, index=index, columns=list(PRICES), copy=False)
        made.attrs.update(about(self.header))
        return made


class _Polars(_Numpy):
    def done(self) -> Any:
        self.whole()
        polars = importlib.import_module("polars")
        stamps = polars.Series("timestamp", self.start_ns).cast(polars.Datetime("ns", "UTC"))
        columns = [polars.Series(name, row) for name, row in zip(PRICES, self.block, strict=True)]
        # there, a value that is not known is null
        return polars.DataFrame([stamps, *columns]).with_columns(polars.col("volume").fill_nan(None))


class _Arrow:
    def __init__(self, header: BarsHeader) -> None:
        if sys.byteorder != "little":
            raise errors.LibraryMissing("Arrow tables need a little-endian machine", hint='use as_="numpy"')
        self.header = header
        self.arrow = importlib.import_module("pyarrow")
        stamp, price = self.arrow.timestamp("ns", tz="UTC"), self.arrow.float64()
        told = {"ktrdr": json.dumps(about(header))}
        fields = [self.arrow.field("timestamp", stamp, nullable=False)]
        fields += [self.arrow.field(name, price, nullable=name == "volume") for name in PRICES]
        self.schema = self.arrow.schema(fields, metadata=told)
        self.batches: list[Any] = []

    def add(self, chunk: Chunk) -> None:
        known = ~np.isnan(chunk.volume)
        arrays = []
        for field, values in zip(self.schema, chunk, strict=True):
            # there, a value that is not known is null
            validity = np.packbits(known, bitorder="little") if field.nullable and not known.all() else None
            buffers = [None if validity is None else self.arrow.py_buffer(validity), self.arrow.py_buffer(values)]
            arrays.append(self.arrow.Array.from_buffers(field.type, len(values), buffers))
        self.batches.append(self.arrow.record_batch(arrays, schema=self.schema))

    def done(self) -> Any:
        rows = sum(batch.num_rows for batch in self.batches)
        if rows != self.header.rows:
            raise cut_short(rows, self.header.rows)
        return self.arrow.Table.from_batches(self.batches, schema=self.schema)
