"""The store beside pyarrow, paired: same bars, same machine, one after the other, again and again.

    python -m venv venv && venv/bin/pip install pyarrow
    cargo bench -p ktrdrd --bench bars --no-run
    venv/bin/python tests/python/speed_bars.py target/release/deps/bars-*

Prints medians of the ratio ours / pyarrow, with the lower and upper quartile. Ours writes durably (every file and folder synced,
checksums in the ledger) and reads with the checksum; pyarrow does neither.
"""

import glob
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet as pq

ROUNDS = 15
ROWS = 1_000_000


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def told(name, pairs):
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    ours, theirs = (statistics.median(column) * 1e3 for column in zip(*pairs))
    print(f"{name:44} {middle:5.2f} x  [{lower:.2f}, {upper:.2f}]   ours {ours:7.1f} ms, pyarrow {theirs:7.1f} ms")


def main(program):
    ours = Ours(program)
    with tempfile.TemporaryDirectory() as folder:
        ours(f"fill {folder}/data AAPL {ROWS}")
        files = sorted(pathlib.Path(folder, "data/bars").rglob("*.parquet"))
        tables = [pq.ParquetFile(file).read() for file in files]
        out = pathlib.Path(folder, "pyarrow")
        out.mkdir()

        def write():
            for number, table in enumerate(tables):
                pq.write_table(
                    table,
                    out / f"{number}.parquet",
                    compression="zstd",
                    compression_level=1,
                    use_dictionary=["open", "high", "low", "close", "volume"],
                    column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
                )

        told("write 1,000,000 bars", [(ours(f"write {ROWS}"), timed(write)) for _ in range(ROUNDS)])
        year = files[-1].parent.name.removeprefix("year=")

        def read():
            pq.ParquetFile(files[-1]).read(use_threads=False)

        read_ours = f"read {folder}/data AAPL {year}"
        told("read a year of minutes", [(ours(read_ours), timed(read)) for _ in range(ROUNDS * 4)])


if __name__ == "__main__":
    main(max(glob.glob(sys.argv[1]), key=lambda name: pathlib.Path(name).stat().st_mtime) if len(sys.argv) == 2 else sys.argv[1])
