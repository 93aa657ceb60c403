"""
Bars as they come over the wire, without a Python object a value.

A packed `repeated double` and a `bytes` field look the same on the wire. So the answers of a query are read with a *twin* of their
messages, whose columns are bytes: NumPy looks at those where they are. The twin is derived from the contract when this module is
imported; nothing of it is written down twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from . import errors
from .v1 import market_data_pb2, types_pb2

PRICES = ("open", "high", "low", "close", "volume")
#: Packed little-endian values, eight bytes each, as the contract says.
_NS, _PRICE = np.dtype("<i8"), np.dtype("<f8")

Values: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Chunk(NamedTuple):
    """Bars of one message: columns of equal length, ascending by start. Read-only; the memory is the message's own."""

    #: Start of each bar, int64, nanoseconds since the epoch, UTC.
    start_ns: Values
    #: float64, in the currency of the contract.
    open: Values
    high: Values
    low: Values
    close: Values
    #: float64: shares, contracts or units; NaN where the source has none.
    volume: Values


def _twin() -> Callable[[bytes], market_data_pb2.QueryResponse]:
    field = descriptor_pb2.FieldDescriptorProto
    pool = descriptor_pool.DescriptorPool()

    def add(file: Any) -> None:
        for dependency in file.dependencies:
            add(dependency)
        copy = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        for message in copy.message_type:
            if message.name == types_pb2.BarColumns.DESCRIPTOR.name:
                for column in message.field:
                    column.type, column.label = field.TYPE_BYTES, field.LABEL_OPTIONAL
        pool.Add(copy) if hasattr(pool, "Add") else pool.AddSerializedFile(copy.SerializeToString())

    add(market_data_pb2.DESCRIPTOR)
    found = pool.FindMessageTypeByName(market_data_pb2.QueryResponse.DESCRIPTOR.full_name)
    # but for the columns, its messages have the fields of the contract's own
    return cast("Callable[[bytes], market_data_pb2.QueryResponse]", message_factory.GetMessageClass(found).FromString)


#: Reads one message of a query; its `bars` are a matter of `chunk`.
read = _twin()


def chunk(bars: Any) -> Chunk:
    """Looks at the columns of a message that was read by `read`."""
    try:
        columns = [np.frombuffer(bars.start_ns, _NS), *(np.frombuffer(getattr(bars, name), _PRICE) for name in PRICES)]
    except ValueError as error:
        raise unusable(str(error)) from error
    if any(len(column) != len(columns[0]) for column in columns):
        raise unusable("columns of different length came")
    return Chunk(*columns)


def cut_short(came: int, wanted: int) -> errors.KtrdrError:
    """A stream that ends early must not look complete."""
    return unusable(f"{came} of {wanted} bars came")


def unusable(why: str) -> errors.KtrdrError:
    """An answer that no daemon gives."""
    return errors.Internal("the daemon's answer cannot be used", why)
