"""Reads the bars of a bucket as one hive dataset: `read_bucket.py PORT BUCKET/PREFIX`."""

import sys

import polars
import pyarrow.dataset
import pyarrow.fs

ROWS = {("AAPL", "1h"): 153, ("GOOGL", "1d"): 359, ("NVDA", "1h"): 1689}


def with_pyarrow(port, root):
    s3 = pyarrow.fs.S3FileSystem(
        endpoint_override=f"127.0.0.1:{port}", scheme="http", access_key="quant", secret_key="quant", region="us-east-1"
    )
    bars = pyarrow.dataset.dataset(f"{root}/bars", filesystem=s3, format="parquet", partitioning="hive").to_table()
    assert str(bars.schema.field("timestamp").type) == "timestamp[us, tz=UTC]", bars.schema
    groups = bars.group_by(["symbol", "timeframe"]).aggregate([([], "count_all")]).to_pylist()
    return {(group["symbol"], group["timeframe"]): group["count_all"] for group in groups}


def with_polars(port, root):
    options = {
        "aws_endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "quant",
        "aws_secret_access_key": "quant",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    bars = polars.scan_parquet(f"s3://{root}/bars/", hive_partitioning=True, storage_options=options).collect()
    return {(symbol, timeframe): rows for symbol, timeframe, rows in bars.group_by("symbol", "timeframe").len().rows()}


if __name__ == "__main__":
    for reader in (with_pyarrow, with_polars):
        rows = reader(*sys.argv[1:])
        assert rows == ROWS, f"{reader.__name__}: {rows}"
