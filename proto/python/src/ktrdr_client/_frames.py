"""
Bars as a frame of whichever library is wanted, filled while they come.

One block of memory for the whole answer, made once, into which each message is copied once. It is the frame's own from then on;
Polars copies it once more.
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
from ._columns import NS, PRICE, PRICES, Columns, Values, cut_short
from .models import BarsHeader

#: `numpy` needs nothing else.
Library: TypeAlias = Literal["pandas", "polars", "arrow", "numpy"]

_MODULES = {"pandas": "pandas", "polars": "polars", "arrow": "pyarrow"}


class Frame(Protocol):
    """A frame in the making."""

    def add(self, columns: Columns) -> None:
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
        self.start_ns = np.empty(header.rows, NS)
        self.block = np.empty((len(PRICES), header.rows), PRICE)
        self.places = [memoryview(column.view(np.uint8)) for column in (self.start_ns, *self.block)]
        self.at = 0

    def add(self, columns: Columns) -> None:
        end = self.at + columns.rows
        if end > self.header.rows:
            raise cut_short(end, self.header.rows)
        for place, part in zip(self.places, columns.parts, strict=True):
            place[8 * self.at : 8 * end] = part
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


class _Arrow(_Numpy):
    def __init__(self, header: BarsHeader) -> None:
        if sys.byteorder != "little":
            raise errors.LibraryMissing("Arrow tables need a little-endian machine", hint='use as_="numpy"')
        super().__init__(header)

    def done(self) -> Any:
        self.whole()
        arrow = importlib.import_module("pyarrow")
        fields = [arrow.field("timestamp", arrow.timestamp("ns", tz="UTC"), nullable=False)]
        fields += [arrow.field(name, arrow.float64(), nullable=name == "volume") for name in PRICES]
        columns = []
        for field, values in zip(fields, (self.start_ns, *self.block), strict=True):
            validity = None
            # there, a value that is not known is null
            if field.nullable and not (known := ~np.isnan(values)).all():
                validity = arrow.py_buffer(np.packbits(known, bitorder="little"))
            columns.append(arrow.Array.from_buffers(field.type, len(values), [validity, arrow.py_buffer(values)]))
        return arrow.Table.from_arrays(columns, schema=arrow.schema(fields, metadata={"ktrdr": json.dumps(about(self.header))}))
