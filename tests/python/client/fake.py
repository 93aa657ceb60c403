"""A small server on a socket that says what no daemon of this contract says."""

from __future__ import annotations

import concurrent.futures
import pathlib
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import grpc
from ktrdr_client.v1 import daemon_pb2, daemon_pb2_grpc, market_data_pb2, market_data_pb2_grpc, types_pb2


class Fake(daemon_pb2_grpc.DaemonServicer, market_data_pb2_grpc.MarketDataServicer):
    """Of a contract of its own; whose answers to queries are broken in a way."""

    def __init__(self, contract: int = 1, broken: str = "") -> None:
        self.contract, self.broken = contract, broken
        #: What has no end otherwise.
        self.over = threading.Event()
        self.folder = tempfile.TemporaryDirectory(prefix="ktrdr-fake-", dir="/tmp")
        self.socket = str(pathlib.Path(self.folder.name, "k.sock"))
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        daemon_pb2_grpc.add_DaemonServicer_to_server(self, self.server)  # type: ignore[no-untyped-call]
        if broken != "no calls":
            market_data_pb2_grpc.add_MarketDataServicer_to_server(self, self.server)  # type: ignore[no-untyped-call]
        self.server.add_insecure_port(f"unix:{self.socket}")
        self.server.start()

    def close(self) -> None:
        self.over.set()
        self.server.stop(None).wait()
        self.folder.cleanup()

    def _label(self, context: Any) -> None:
        context.send_initial_metadata((("ktrdr-contract", str(self.contract)), ("ktrdr-build", "9.9.9")))

    def GetStatus(self, request: Any, context: Any) -> Any:
        self._label(context)
        return daemon_pb2.GetDaemonStatusResponse(version="9.9.9", contract=self.contract)

    def Query(self, request: Any, context: Any) -> Iterator[Any]:
        self._label(context)
        if self.broken == "nothing":
            return
        header = market_data_pb2.QueryHeader(rows_sent=4, rows_in_range=4)
        yield market_data_pb2.QueryResponse(header=header)
        column = [1.0, 2.0]
        columns = types_pb2.BarColumns(start_ns=[1, 2], open=column, high=column, low=column, close=column, volume=column)
        if self.broken == "uneven":
            columns.close.append(3.0)
        yield market_data_pb2.QueryResponse(bars=columns)
        if self.broken == "no end":
            self.over.wait()
        if self.broken == "too many":
            for _ in range(2):
                yield market_data_pb2.QueryResponse(bars=columns)
