"""
Bars as they come over the wire, without a Python object a value, and without a copy that nobody needs.

A packed `repeated double` is its values, one after the other, behind their length. So a column is a part of its message's own
bytes, and is copied from there to where it is wanted. Which part, the field numbers of the contract say; a message that is written
in another way than daemons do (protobuf allows several) is read by protobuf itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from . import errors
from .v1 import market_data_pb2, types_pb2

PRICES = ("open", "high", "low", "close", "volume")
#: Packed little-endian values, eight bytes each, as the contract says.
NS, PRICE = np.dtype("<i8"), np.dtype("<f8")

Values: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Chunk(NamedTuple):
    """Bars of one message: columns of equal length, ascending by start. Read-only."""

    #: Start of each bar, int64, nanoseconds since the epoch, UTC.
    start_ns: Values
    #: float64, in the currency of the contract.
    open: Values
    high: Values
    low: Values
    close: Values
    #: float64: shares, contracts or units; NaN where the source has none.
    volume: Values


class Columns(NamedTuple):
    """The bytes of a chunk: start_ns, open, high, low, close and volume, eight a value, in the message's own memory."""

    rows: int
    parts: list[memoryview]


def _tag(field: Any) -> int:
    """Of something with a length before it."""
    tag: int = field.number << 3 | 2
    assert tag < 0x80, "a tag is one byte"
    return tag


_BARS = _tag(market_data_pb2.QueryResponse.DESCRIPTOR.fields_by_name["bars"])
_TAGS = [_tag(types_pb2.BarColumns.DESCRIPTOR.fields_by_name[name]) for name in ("start_ns", *PRICES)]


#: One message of the answer to a query: the columns of bars, or what is told of them.
Message: TypeAlias = "market_data_pb2.QueryResponse | list[memoryview]"


def read(message: bytes) -> Message:
    """As it comes. What grpcio calls this from hides why something is refused, so only protobuf itself refuses here."""
    try:
        parts = _parts(message)
    except (IndexError, ValueError):
        parts = None
    if parts is not None:
        return parts
    other = market_data_pb2.QueryResponse.FromString(message)
    if not other.HasField("bars"):
        return other
    columns = [np.array(other.bars.start_ns, NS), *(np.array(getattr(other.bars, name), PRICE) for name in PRICES)]
    return [memoryview(column.tobytes()) for column in columns]


def _parts(message: bytes) -> list[memoryview] | None:
    """As daemons write them: each column once, in the order of the contract, and nothing else."""
    if not message or message[0] != _BARS:
        return None
    (at, end), whole, parts = _length(message, 1), memoryview(message), []
    if end != len(message):
        return None
    for tag in _TAGS:
        if message[at] != tag:
            return None
        begin, at = _length(message, at + 1)
        if at > end:
            return None
        parts.append(whole[begin:at])
    return parts if at == end else None


def _length(message: bytes, at: int) -> tuple[int, int]:
    """Where what follows begins, and where it ends."""
    length = 0
    for shift in range(0, 5 * 7, 7):
        byte = message[at]
        length |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return at, at + length
    raise ValueError("no message is as long")


def values(part: memoryview, of: np.dtype[Any]) -> Values:
    """Numbers that one can look at: in the message itself, unless they lie across the words of memory there."""
    there = np.frombuffer(part, of)
    return there if there.flags.aligned else np.frombuffer(bytes(part), of)


def chunk(columns: Columns) -> Chunk:
    """Numbers of all columns."""
    start_ns, *prices = columns.parts
    return Chunk(values(start_ns, NS), *(values(part, PRICE) for part in prices))


def header(first: Message | None) -> market_data_pb2.QueryHeader:
    """What an answer begins with."""
    if isinstance(first, market_data_pb2.QueryResponse):
        return first.header
    raise unusable("it does not begin with its header")


def following(message: Message | None) -> Columns:
    """What comes after it. Something that later daemons may tell there has no bars."""
    if isinstance(message, market_data_pb2.QueryResponse) and not message.HasField("header"):
        return Columns(0, [memoryview(b"")] * (1 + len(PRICES)))
    # the asyncio side of grpcio gives nothing for what cannot be read
    if not isinstance(message, list):
        raise unusable("something else than bars came")
    size = len(message[0])
    if any(len(part) != size for part in message):
        raise unusable("columns of different length came")
    rows, rest = divmod(size, 8)
    if rest:
        raise unusable("a column of half a value came")
    return Columns(rows, message)


class Remaining:
    """How many bars of an answer are still to come."""

    def __init__(self, wanted: int) -> None:
        self.wanted = self.left = wanted

    def take(self, message: Message | None) -> Columns:
        """The next ones."""
        columns = following(message)
        self.left -= columns.rows
        return columns

    def end(self) -> None:
        """No more come."""
        if self.left:
            raise cut_short(self.wanted - self.left, self.wanted)


def cut_short(came: int, wanted: int) -> errors.KtrdrError:
    """A stream that ends early must not look complete."""
    return unusable(f"{came} of {wanted} bars came")


def unusable(why: str) -> errors.KtrdrError:
    """An answer that no daemon gives."""
    return errors.Internal("the daemon's answer cannot be used", why)
