"""What `cargo perf` compares the store and the command line with: a command a line on stdin, seconds on stdout.

- `tables FOLDER`: reads the Parquet files below it into memory, for `write`
- `write FOLDER`: those tables as Parquet, with the encodings of the store, without a sync
- `read FILE`: one file into columns, on one thread
- `rows COUNT`: makes so many bars, for `csv`
- `csv FILE`: writes them with Python's own csv module
"""

import csv
import pathlib
import sys
import time

state = {"tables": [], "rows": []}


def tables(folder):
    import pyarrow.parquet as pq

    files = sorted(pathlib.Path(folder).rglob("*.parquet"))
    state["tables"] = [pq.ParquetFile(file).read() for file in files]


def write(folder):
    import pyarrow.parquet as pq

    for number, table in enumerate(state["tables"]):
        pq.write_table(
            table,
            pathlib.Path(folder, f"{number}.parquet"),
            compression="zstd",
            compression_level=1,
            use_dictionary=["open", "high", "low", "close", "volume"],
            column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
        )


def read(file):
    import pyarrow.parquet as pq

    pq.ParquetFile(file).read(use_threads=False)


def rows(count):
    stamp = "2025-06-06 {:02}:{:02}:00+00:00".format
    price = [100 + n % 977 / 100 for n in range(1000)]
    state["rows"] = [
        (stamp(n // 60 % 24, n % 60), price[n % 1000], price[n % 999], price[n % 998], price[n % 997], float(n % 9973))
        for n in range(int(count))
    ]


def write_csv(file):
    with open(file, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["", "Open", "High", "Low", "Close", "Volume"])
        writer.writerows(state["rows"])


COMMANDS = {"tables": tables, "write": write, "read": read, "rows": rows, "csv": write_csv}

if __name__ == "__main__":
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        begun = time.perf_counter()
        COMMANDS[command](argument)
        print(time.perf_counter() - begun, flush=True)
