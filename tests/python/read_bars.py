"""Reads the folder of bars as one hive dataset, with three engines that know nothing of ktrdr."""

import json
import pathlib
import sys

import duckdb
import pandas
import polars
import pyarrow.parquet

ROWS = {
    ("AAPL", "1d"): 50,
    ("AAPL", "1h"): 153,
    ("AAPL", "5m"): 1536,
    ("DEMO", "1d"): 115,
    ("EURUSD", "1h"): 2591,
    ("GOOGL", "1d"): 359,
    ("MSFT", "1m"): 5746,
    ("NVDA", "1h"): 1689,
}
COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]
FIRST_NVDA = "2025-01-02T09:00:00+00:00"


def check(engine, counts, columns, first):
    counts = {(symbol, timeframe): rows for symbol, timeframe, rows in counts}
    assert counts == ROWS, f"{engine}: {counts}"
    assert columns[: len(COLUMNS)] == COLUMNS, f"{engine}: {columns}"
    assert first == FIRST_NVDA, f"{engine}: {first}"
    print(f"{engine}: {sum(counts.values())} rows of {len(counts)} series")


def with_duckdb(folder):
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    bars = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
    counts = db.execute(f"SELECT symbol, timeframe, count(*) FROM {bars} GROUP BY ALL").fetchall()
    described = db.execute(f"DESCRIBE SELECT * FROM {bars}").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    assert kinds["timestamp"] == "TIMESTAMP WITH TIME ZONE", kinds
    text = "strftime(min(timestamp), '%Y-%m-%dT%H:%M:%S+00:00')"
    query = f"SELECT {text} FROM {bars} WHERE symbol = 'NVDA' AND year = 2025"
    check("DuckDB", counts, [name for name, *_ in described], db.execute(query).fetchone()[0])


def with_polars(folder):
    bars = polars.scan_parquet(f"{folder}/", hive_partitioning=True).collect()
    assert bars.schema["timestamp"] == polars.Datetime("us", "UTC"), bars.schema
    assert bars.schema["volume"] == polars.Float64, bars.schema
    counts = bars.group_by("symbol", "timeframe").len().rows()
    first = bars.filter(polars.col("symbol") == "NVDA")["timestamp"].min()
    check("Polars", counts, bars.columns, first.isoformat())


def with_pandas(folder):
    bars = pandas.read_parquet(folder)
    assert str(bars["timestamp"].dtype).endswith(", UTC]"), bars.dtypes
    sizes = bars.groupby(["symbol", "timeframe"], observed=True).size()
    counts = [(symbol, timeframe, int(rows)) for (symbol, timeframe), rows in sizes.items()]
    first = bars[bars["symbol"] == "NVDA"]["timestamp"].min()
    check("pandas", counts, list(bars.columns), first.isoformat())


def with_spark_types(folder):
    """Spark (4.3 was tried) takes microseconds in UTC for its timestamp, and refuses nanoseconds."""
    files = list(pathlib.Path(folder).rglob("*.parquet"))
    for file in files:
        schema = pyarrow.parquet.ParquetFile(file).schema
        columns = [schema.column(at) for at in range(len(schema))]
        assert [column.name for column in columns] == COLUMNS, file
        assert [column.physical_type for column in columns] == ["INT64"] + ["DOUBLE"] * 5, file
        stamp = json.loads(columns[0].logical_type.to_json())
        wanted = {"Type": "Timestamp", "isAdjustedToUTC": True, "timeUnit": "microseconds"}
        assert stamp.items() >= wanted.items(), stamp
    assert files


if __name__ == "__main__":
    with_duckdb(sys.argv[1])
    with_polars(sys.argv[1])
    with_pandas(sys.argv[1])
    with_spark_types(sys.argv[1])
