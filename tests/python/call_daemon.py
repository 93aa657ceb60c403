"""Calls the daemon as any gRPC client can: from the .proto files alone, over its Unix socket."""

import importlib
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc

# grpcio would send the percent-encoded path of the socket as :authority, which HTTP/2 servers refuse.
OPTIONS = [("grpc.default_authority", "localhost")]


def compile_contract(proto):
    out = tempfile.mkdtemp()
    files = [str(path) for path in pathlib.Path(proto).glob("ktrdr/v1/*.proto")]
    assert protoc.main(["", f"-I{proto}", f"--python_out={out}", f"--grpc_python_out={out}", *files]) == 0
    sys.path.insert(0, out)


def module(name):
    return importlib.import_module(f"ktrdr.v1.{name}")


def main(socket, proto):
    compile_contract(proto)
    with grpc.insecure_channel(f"unix:{socket}", options=OPTIONS) as channel:
        daemon = module("daemon_pb2_grpc").DaemonStub(channel)
        status, call = daemon.GetStatus.with_call(module("daemon_pb2").GetDaemonStatusRequest(), timeout=10)
        metadata = dict(call.initial_metadata())
        assert metadata["ktrdr-contract"] == str(status.contract), metadata
        assert status.series == 1 and status.socket == socket, status

        data, types = module("market_data_pb2"), module("types_pb2")
        series = types.SeriesId(symbol="GOOGL", timeframe=types.TIMEFRAME_DAYS_1)
        stub = module("market_data_pb2_grpc").MarketDataStub(channel)
        parts = list(stub.Query(data.QueryRequest(series=series), timeout=10))
        assert parts[0].WhichOneof("part") == "header", parts[0]
        rows = sum(len(part.bars.close) for part in parts[1:])
        assert rows == parts[0].header.rows_sent == 359, rows
        assert parts[1].bars.close[0] == 137.92, parts[1].bars.close[0]

        nothing = types.SeriesId(symbol="NOPE", timeframe=types.TIMEFRAME_DAYS_1)
        try:
            stub.GetRange(data.GetRangeRequest(series=nothing), timeout=10)
            raise AssertionError("a range of nothing")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND, error
    print(f"grpcio {grpc.__version__}: {rows} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
