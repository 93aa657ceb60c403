"""Messages of bars as bytes: read as protobuf reads them, however they are written."""

import random

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from ktrdr_client import _columns, errors
from ktrdr_client.v1 import market_data_pb2 as pb

NAMES = ("start_ns", *_columns.PRICES)


def message(rows):
    one = pb.QueryResponse()
    one.bars.start_ns.extend(range(-3, rows - 3))
    for number, name in enumerate(_columns.PRICES):
        getattr(one.bars, name).extend(number + row / 7 for row in range(rows))
    return one


def said(encoded):
    """What protobuf makes of it."""
    bars = pb.QueryResponse.FromString(encoded).bars
    return [list(getattr(bars, name)) for name in NAMES]


def read(encoded):
    columns = _columns.following(_columns.read(encoded))
    chunk = _columns.chunk(columns)
    assert all(len(column) == columns.rows for column in chunk)
    return [column.tolist() for column in chunk]


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 5_400])
def test_a_message_is_what_protobuf_makes_of_it(rows):
    encoded = message(rows).SerializeToString()
    assert _columns._parts(encoded) is not None, "as a daemon writes it"
    assert read(encoded) == said(encoded)


def test_so_is_one_that_is_written_in_another_way():
    rows, parts = 40, []
    for name in NAMES:
        for half in (slice(0, 25), slice(25, rows)):
            part = pb.QueryResponse()
            getattr(part.bars, name).extend(getattr(message(rows).bars, name)[half])
            parts.append(part.SerializeToString())
    # messages of the same field are merged: first halves before second ones, the columns in any order
    random.Random(7).shuffle(columns := [parts[at : at + 2] for at in range(0, len(parts), 2)])
    encoded = b"".join(half for column in columns for half in column)
    assert _columns._parts(encoded) is None
    assert read(encoded) == said(encoded) == said(message(rows).SerializeToString())


def test_what_is_no_chunk_is_no_chunk():
    first = pb.QueryResponse()
    first.header.rows_sent = 7
    assert _columns.header(_columns.read(first.SerializeToString())).rows_sent == 7
    with pytest.raises(errors.Internal, match="cannot be used"):
        _columns.header(_columns.read(message(1).SerializeToString()))
    with pytest.raises(errors.Internal, match="cannot be used"):
        _columns.following(_columns.read(first.SerializeToString()))
    # what grpcio makes of the end, and of bytes that cannot be read
    for ends in (_columns.header, _columns.following):
        with pytest.raises(errors.Internal, match="cannot be used"):
            ends(None)


def test_columns_of_different_length_are_refused():
    one = message(3)
    del one.bars.close[1:]
    with pytest.raises(errors.Internal) as refused:
        _columns.following(_columns.read(one.SerializeToString()))
    assert "different length" in str(refused.value)


def test_bytes_that_are_cut_or_spoilt_never_end_otherwise_than_protobuf_ends_them():
    whole, rng = message(20).SerializeToString(), random.Random(11)
    spoilt = [whole[:length] for length in range(len(whole))]
    # lengths of more bytes than they need, or than there may be
    for at in [*range(8), *(at for at, tag in enumerate(whole) if tag in _columns._TAGS)]:
        spoilt += [whole[:at] + b"\x80" * more + whole[at:] for more in (1, 4, 9, 10, 11)]
        spoilt += [whole[:at] + b"\xff" * more + whole[at + 1 :] for more in (1, 5, 100_000)]
    for _ in range(2_000):
        bytes_ = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            bytes_[rng.randrange(40 if rng.random() < 0.5 else len(bytes_))] = rng.randrange(256)
        spoilt.append(bytes(bytes_))
    told = {"bars": 0, "refused": 0, "undecodable": 0, "nothing": 0}
    for encoded in spoilt:
        try:
            wanted = pb.QueryResponse.FromString(encoded)
        except DecodeError:
            with pytest.raises((DecodeError, errors.Internal)):
                _columns.following(_columns.read(encoded))
            told["undecodable"] += 1
            continue
        lengths = {len(getattr(wanted.bars, name)) for name in NAMES}
        if wanted.HasField("bars") and len(lengths) == 1:
            for ours, theirs in zip(read(encoded), said(encoded), strict=True):
                np.testing.assert_array_equal(ours, theirs)
            told["bars"] += 1
        elif wanted.HasField("bars") or wanted.HasField("header"):
            with pytest.raises(errors.Internal):
                _columns.following(_columns.read(encoded))
            told["refused"] += 1
        else:
            assert _columns.following(_columns.read(encoded)).rows == 0
            told["nothing"] += 1
    assert all(count > 0 for count in told.values()), told
