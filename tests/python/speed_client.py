"""The Python client beside what it could be measured against, paired: same machine, one after the other, again and again.

    cargo dist-daemon && cargo build --profile dist -p ktrdr-bare
    python -m venv venv && venv/bin/pip install ./proto/python pandas pyarrow polars fastapi orjson uvicorn
    venv/bin/python tests/python/speed_client.py target/dist [--old http://127.0.0.1:8001]

The first argument is the folder of `ktrdrd` and `ktrdr-bare`. Prints medians of the ratio ours / theirs, with the lower and upper
quartile. `--old` is a running backend of the old system whose data folder has the file that this script says.
"""

import argparse
import csv
import datetime as dt
import http.client
import itertools
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import grpc
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset
from ktrdr_client import Client
from ktrdr_client._blocking.wire import Wire
from ktrdr_client.v1 import market_data_pb2
from pyarrow import flight

ROWS = 1_000_000
ROUNDS = 15
CALLS = 2000
OLD_ROWS = 20_000
# uvicorn's own --fd takes every socket for one of Unix, and then leaves Nagle's algorithm on
SERVE = """
import socket, sys, uvicorn
listening = socket.socket(fileno=int(sys.argv[1]))
uvicorn.Server(uvicorn.Config("fastapi_app:app", log_level="error")).run(sockets=[listening])
"""

# a table is sent in the batches that it has: those of `read_table`, or one for all rows, as from pandas
FLIGHT = """
import sys, pyarrow.parquet
from pyarrow import flight
location, batches, *files = sys.argv[1:]
table = pyarrow.parquet.read_table(files, partitioning=None)
table = table.combine_chunks() if batches == "one" else table
class Server(flight.FlightServerBase):
    def do_get(self, context, ticket):
        return flight.RecordBatchStream(table)
server = Server(location)
print("up", flush=True)
server.serve()
"""


class Daemon:
    """A daemon without a gateway, in a folder that goes away."""

    def __init__(self, programs):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ktrdr-speed-", dir="/tmp"))
        self.socket = str(self.folder / "k.sock")
        env = {**os.environ, "KTRDR_DATA_DIR": str(self.folder / "data"), "KTRDR_SOCKET": self.socket, "KTRDR_IB_ENABLED": "false"}
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen([programs / "ktrdrd"], env=env, stdout=log, stderr=log)
        while not pathlib.Path(self.socket).exists():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.01)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def invented(rows, minutes):
    """A random walk in cents."""
    rng = np.random.default_rng(1)
    start = np.datetime64("2022-01-03T00:00") + np.arange(rows) * np.timedelta64(minutes, "m")
    close = np.round(100 + np.cumsum(rng.normal(0, 0.02, rows)), 2)
    spread = np.round(rng.random(rows), 2)
    return start, close, np.round(close + spread, 2), np.round(close - spread, 2), close, rng.integers(100, 10_000, rows)


def imported(client, name, columns):
    """Through the contract itself: a file in pieces."""
    lines = (f"{at}:00Z,{o:.2f},{h:.2f},{low:.2f},{c:.2f},{v}\n" for at, o, h, low, c, v in zip(*columns))
    content = ("timestamp,open,high,low,close,volume\n" + "".join(lines)).encode()

    def parts():
        yield market_data_pb2.ImportRequest(start=market_data_pb2.ImportStart(request_id=name))
        yield market_data_pb2.ImportRequest(file=market_data_pb2.ImportFile(label=f"{name}.csv"))
        for at in range(0, len(content), 1 << 20):
            yield market_data_pb2.ImportRequest(data=content[at : at + (1 << 20)])

    call = client.channel.stream_unary(
        "/ktrdr.v1.MarketData/Import",
        request_serializer=market_data_pb2.ImportRequest.SerializeToString,
        response_deserializer=market_data_pb2.ImportResponse.FromString,
    )
    client.wait(call(parts()).operation.id)


def resident(pid):
    """MiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def paired(name, ours, theirs, rounds=ROUNDS):
    for _ in range(2):
        ours(), theirs()
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    lower, middle, upper = statistics.quantiles((a / b for a, b in pairs), n=4)
    medians = [statistics.median(column) * 1e3 for column in zip(*pairs)]
    print(f"{name:58} {middle:6.3f} x  [{lower:.3f}, {upper:.3f}]   {medians[0]:9.3f} ms against {medians[1]:9.3f} ms")


def frames(client, daemon):
    files = sorted(map(str, (daemon.folder / "data/bars").rglob("symbol=BIG/**/*.parquet")))
    assert len(client.bars("BIG", "1m", as_="pandas")) == len(pd.read_parquet(files)) == ROWS
    name = "1,000,000 bars as {}, against {} of the same files"
    paired(name.format("pandas", "pandas.read_parquet"), lambda: client.bars("BIG", "1m", as_="pandas"), lambda: pd.read_parquet(files))
    paired(name.format("Polars", "read_parquet"), lambda: client.bars("BIG", "1m", as_="polars"), lambda: pl.read_parquet(files))
    arrow = lambda: pyarrow.dataset.dataset(files).to_table()  # noqa: E731
    paired(name.format("Arrow", "to_table"), lambda: client.bars("BIG", "1m", as_="arrow"), arrow)


def flights(daemon):
    def reader(location):
        client = flight.FlightClient(location, generic_options=[("grpc.default_authority", "localhost")])
        ticket = flight.Ticket(json.dumps({"symbol": "BIG", "timeframe": "1m"}))
        return lambda: client.do_get(ticket).read_all()

    ours = reader(f"grpc+unix://{daemon.socket}")
    files = sorted(map(str, (daemon.folder / "data/bars").rglob("symbol=BIG/**/*.parquet")))
    for batches in ("many", "one"):
        location = f"grpc+unix://{daemon.folder}/{batches}.sock"
        server = subprocess.Popen([sys.executable, "-c", FLIGHT, location, batches, *files], stdout=subprocess.PIPE)
        try:
            assert server.stdout.readline() == b"up\n"
            theirs = reader(location)
            assert ours().equals(theirs()) and ours().num_rows == ROWS
            paired(f"1,000,000 bars over Flight, against pyarrow's, {batches} batch{'es' * (batches == 'many')}", ours, theirs)
        finally:
            server.kill()
            server.wait()


def calls(client, programs, folder):
    path = str(folder / "bare.sock")
    bare = subprocess.Popen([programs / "ktrdr-bare", "serve", path])
    try:
        while not pathlib.Path(path).exists():
            time.sleep(0.01)
        # by the same client, with its time-out and its request id, and by nothing but grpcio
        wire, channel = Wire(path, 30.0), grpc.insecure_channel(f"unix:{path}", options=[("grpc.default_authority", "localhost")])
        theirs, bare_theirs = (
            each.unary_unary("/ktrdr.bare.v1.Bare/Echo", request_serializer=None, response_deserializer=None)
            for each in (wire.channel, channel)
        )
        request = b"\n\x40" + b"x" * 64
        assert wire.call(theirs, request, None) == bare_theirs(request) == request

        def range_():
            return client.range("BIG", "1m")

        def echo():
            return wire.call(theirs, request, None)

        paired("range() on a kept channel, against a bare tonic echo", range_, echo, CALLS)
        paired("status(), against the same", client.status, echo, CALLS)
        paired("range(), against an echo called by grpcio alone", range_, lambda: bare_theirs(request), CALLS)
        paired("status(), against the same", client.status, lambda: bare_theirs(request), CALLS)
        wire.channel.close()
        channel.close()
    finally:
        bare.kill()
        bare.wait()


def backend(daemon, old):
    listening = socket.create_server(("127.0.0.1", 0))
    env = {**os.environ, "KTRDR_SOCKET": daemon.socket, "PYTHONPATH": str(pathlib.Path(__file__).parents[2] / "docs/examples")}
    command = [sys.executable, "-c", SERVE, str(listening.fileno())]
    server = subprocess.Popen(command, env=env, pass_fds=[listening.fileno()])
    # its cost is on both sides, and the smallest there is
    ours = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1])
    theirs = http.client.HTTPConnection(urllib.parse.urlsplit(old).netloc)

    def get(connection, query=""):
        connection.request("GET", "/api/v1/data/OLD/5m" + query)
        return connection.getresponse().read()

    try:
        for connection in (ours, theirs):
            assert len(json.loads(get(connection))["data"]["dates"]) == OLD_ROWS, connection.host
        # from long before the series, and each time another one: nobody has asked for the same yet
        days = itertools.count(dt.date(1990, 1, 1).toordinal())

        def first():
            return get(ours, f"?start_date={dt.date.fromordinal(next(days))}")

        paired(f"GET /data of {OLD_ROWS:,} bars, against the old backend", first, lambda: get(theirs), 9)
        paired("the same again, of a series that is as it was", lambda: get(ours), lambda: get(theirs), 9)
        held = [resident(server.pid)]
        for _ in range(3):
            held.append([first() for _ in range(100)] and resident(server.pid))
        print("the router's memory, after a hundred other ranges, and another, and another (MiB):", *(f"{one:.0f}" for one in held))
    finally:
        server.terminate()
        server.wait()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs", type=pathlib.Path)
    arguments.add_argument("--old", help="a backend of the old system")
    arguments.add_argument("--old-file", type=pathlib.Path, help="write the file for its data folder, OLD_5m.csv, and end")
    given = arguments.parse_args()
    small = invented(OLD_ROWS, 5)
    if given.old_file:
        with given.old_file.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["timestamp", "open", "high", "low", "close", "volume"])
            rows.writerows((dt.datetime.fromisoformat(str(at)), o, h, low, c, v) for at, o, h, low, c, v in zip(*small))
        return
    daemon = Daemon(given.programs.resolve())
    try:
        with Client(daemon.socket, timeout=300) as client:
            imported(client, "BIG_1m", invented(ROWS, 1))
            imported(client, "OLD_5m", small)
            flights(daemon)
            frames(client, daemon)
            calls(client, given.programs.resolve(), daemon.folder)
        if given.old:
            backend(daemon, given.old)
    finally:
        daemon.close()


if __name__ == "__main__":
    main()
