"""Stored bars as frames: what comes is what is stored, in every form."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from ktrdr_client import AsyncClient, Client, errors
from world import Daemon

UTC = dt.timezone.utc
SERIES = [("AAPL", "1h"), ("MSFT", "1m"), ("GOOGL", "1d"), ("EURUSD", "1h")]


def files(daemon: Daemon, symbol: str, timeframe: str) -> pd.DataFrame:
    """The same bars as pyarrow reads them from the store's own files."""
    folder = daemon.folder / f"data/bars/symbol={symbol}/timeframe={timeframe}"
    return pyarrow.dataset.dataset(folder, format="parquet").to_table().to_pandas().set_index("timestamp")


@pytest.mark.parametrize(("symbol", "timeframe"), SERIES)
def test_every_form_holds_what_the_files_hold(stored: Daemon, client: Client, symbol: str, timeframe: str) -> None:
    expected = files(stored, symbol, timeframe)
    frame = client.bars(symbol, timeframe, as_="pandas")
    pd.testing.assert_frame_equal(frame, expected, check_index_type=False, check_freq=False)
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"
    assert frame.attrs["symbol"] == symbol and frame.attrs["source"] == "import"
    polars = client.bars(symbol, timeframe, as_="polars")
    assert polars.schema["timestamp"] == pl.Datetime("ns", "UTC")
    for name in expected.columns:
        assert np.array_equal(polars[name].to_numpy(), expected[name], equal_nan=True), name
    arrow = client.bars(symbol, timeframe, as_="arrow")
    arrow.validate(full=True)
    assert arrow.schema.field("timestamp").type == pa.timestamp("ns", "UTC")
    assert json.loads(arrow.schema.metadata[b"ktrdr"])["timeframe"] == timeframe
    pd.testing.assert_frame_equal(arrow.to_pandas().set_index("timestamp"), expected, check_index_type=False)
    numpy = client.bars(symbol, timeframe, as_="numpy")
    assert np.array_equal(numpy["close"], expected["close"]) and numpy["timestamp"].dtype == "datetime64[ns]"
    assert client.bars(symbol, timeframe).equals(frame), "pandas is what comes first"


def test_arrow_lies_where_the_messages_were_copied_to(client: Client) -> None:
    table = client.bars("MSFT", "1m", as_="arrow")
    assert [column.num_chunks for column in table.columns] == [1] * 6
    places = [table.column(name).chunk(0).buffers()[1].address for name in ("open", "high", "low", "close", "volume")]
    assert [place - places[0] for place in places] == [8 * table.num_rows * at for at in range(5)], "one block, not copied again"


def test_a_volume_that_is_not_known_is_nan_or_null(closing, tmp_path) -> None:
    daemon = closing(Daemon())
    file = tmp_path / "SPARSE_1h.csv"
    rows = [f"2024-01-02T{hour:02}:00:00Z,1,2,1,2,{'' if hour % 3 else 5}" for hour in range(9, 20)]
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    daemon.ktrdr("data", "import", file)
    client = closing(Client(daemon.socket))
    known = [hour % 3 == 0 for hour in range(9, 20)]
    assert client.bars("SPARSE", "1h", as_="pandas")["volume"].notna().tolist() == known
    assert client.bars("SPARSE", "1h", as_="polars")["volume"].is_not_null().to_list() == known
    arrow = client.bars("SPARSE", "1h", as_="arrow")
    arrow.validate(full=True)
    assert arrow["volume"].is_valid().to_pylist() == known


def test_ranges_windows_and_views(client: Client) -> None:
    def first_and_last(**which: object) -> tuple[str, str, int]:
        frame = client.bars("AAPL", "1h", as_="pandas", **which)  # type: ignore[arg-type]
        return str(frame.index[0]), str(frame.index[-1]), len(frame)

    day = first_and_last(start="2025-05-27", end="2025-05-27")
    assert day == ("2025-05-27 08:00:00+00:00", "2025-05-27 23:00:00+00:00", 16)
    assert day == first_and_last(start=dt.date(2025, 5, 27), end=dt.datetime(2025, 5, 28, tzinfo=UTC))
    assert day == first_and_last(start="2025-05-27T00:00:00-00:00", end=pd.Timestamp("2025-05-27 20:00", tz="America/New_York"))
    assert first_and_last(tail=5)[2] == first_and_last(head=5)[2] == 5
    assert first_and_last(tail=5)[1] == first_and_last()[1]
    daily = client.bars("AAPL", "1h", resample="1d", as_="pandas")
    assert 0 < len(daily) < 20 and daily.attrs["time_zone"] == "America/New_York"
    hours = {hours: len(client.bars("AAPL", "1h", hours=hours, as_="pandas")) for hours in (None, "regular", "extended")}
    assert hours[None] == hours["regular"] + hours["extended"] > hours["regular"] > 0


def test_an_empty_range_is_an_empty_frame(client: Client) -> None:
    for as_ in ("pandas", "polars", "arrow"):
        assert len(client.bars("AAPL", "1h", start="2030-01-01", as_=as_)) == 0  # type: ignore[arg-type]
    assert client.bars("AAPL", "1h", start="2030-01-01", as_="arrow").schema.field("close").type == pa.float64()


def test_batches_need_no_more_memory_than_one(client: Client) -> None:
    with client.batches("MSFT", "1m") as batches:
        sizes = [len(chunk.close) for chunk in batches]
    assert sum(sizes) == batches.header.rows == 5746 and len(sizes) > 1
    with client.batches("MSFT", "1m") as batches:
        next(batches)
    # it was left, and the client goes on
    assert client.range("MSFT", "1m").bars == 5746


async def test_asyncio_gives_the_same(stored: Daemon, client: Client) -> None:
    async with AsyncClient(stored.socket) as asynchronous:
        for as_ in ("pandas", "polars", "arrow"):
            theirs = await asynchronous.bars("NVDA", "1h", start="2025-02-01", as_=as_)  # type: ignore[call-overload]
            assert theirs.equals(client.bars("NVDA", "1h", start="2025-02-01", as_=as_))  # type: ignore[call-overload]
        async with await asynchronous.batches("MSFT", "1m") as batches:
            assert sum([len(chunk.close) async for chunk in batches]) == 5746
        assert await asynchronous.list() == client.list()
        assert await asynchronous.range("nvda", "1h") == client.range("NVDA", "1h")
        assert (await asynchronous.status()).pid == client.status().pid
        assert (await asynchronous.gateway()).state == client.gateway().state
        assert await asynchronous.check("DEMO", "1d") == client.check("DEMO", "1d")
        assert await asynchronous.gaps("DEMO", "1d") == client.gaps("DEMO", "1d")
        # an error is equal to itself alone
        theirs, ours = (await asynchronous.operations(), client.operations())
        assert [(one.id, one.state, repr(one.error)) for one in theirs] == [(one.id, one.state, repr(one.error)) for one in ours]


def test_what_is_there_is_what_the_command_line_says(stored: Daemon, client: Client) -> None:
    listed = stored.ktrdr("data", "list")["series"]
    for series, told in zip(client.list(), listed, strict=True):
        assert (series.symbol, series.timeframe, series.bars) == (told["symbol"], told["timeframe"], told["bars"])
        assert (series.session, series.what, series.source) == (told["session"], told["what_to_show"], told["source"])
        assert (
            series.start == dt.datetime.fromisoformat(told["start"].replace("Z", "+00:00")) and series.size_bytes == told["bytes"]
        )
    checked = stored.ktrdr("data", "gaps", "NVDA", "-t", "1h")["series"][0]["gaps"]
    gaps = client.gaps("NVDA", "1h")
    assert [(gap.bars, gap.kind) for gap in gaps] == [(gap["bars"], gap["class"]) for gap in checked]
    assert client.gaps("NVDA", "1h", end=gaps[0].end) == gaps[:1] and client.gaps("NVDA", "1h", end="2020-01-01") == []
    [demo] = client.check("DEMO", "1d")
    assert not demo.ok and demo.findings[0].severity == "error"
    assert {one.symbol for one in client.check()} == {series.symbol for series in client.list()}
    [imported] = client.operations(kind="import")
    assert client.operation(imported.id[:16]) == imported and imported.ended and imported.seconds is not None
    with pytest.raises(errors.OperationNotFound):
        client.operation("op_load_00000000000000000000000000")
