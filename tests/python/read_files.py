"""Reads one series as each binary file that ktrdr makes of it: `read_files.py KTRDR`."""

import io
import subprocess
import sys

import pandas
import polars
import pyarrow.ipc


def ktrdr(*words):
    return subprocess.run([sys.argv[1], "data", *words], check=True, capture_output=True).stdout


def main():
    exported = ["export", "NVDA", "-t", "1h", "--format"]
    ktrdr(*exported, "arrow", "-o", "nvda.arrow")
    ktrdr(*exported, "parquet", "-o", "nvda.parquet")
    arrow, parquet = polars.read_ipc("nvda.arrow"), polars.read_parquet("nvda.parquet")
    assert arrow.height == 1689 and arrow.schema["timestamp"] == polars.Datetime("us", "UTC"), arrow
    assert arrow.equals(parquet)
    assert pandas.read_feather("nvda.arrow").equals(pandas.read_parquet("nvda.parquet"))
    with pyarrow.ipc.open_file("nvda.arrow") as file:
        assert file.schema.metadata[b"ktrdr.symbol"] == b"NVDA", file.schema
        assert not file.schema.field("close").nullable and file.schema.field("volume").nullable

    shown = ["show", "NVDA", "-t", "1h", "--rows", "7", "--format"]
    piped = polars.read_ipc(io.BytesIO(ktrdr(*shown, "arrow")))
    assert piped.equals(arrow.tail(7)), piped
    assert polars.read_parquet(io.BytesIO(ktrdr(*shown, "parquet"))).equals(piped)


main()
