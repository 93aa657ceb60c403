"""The router in a real server, asked by a real HTTP client, as the old command line and frontend ask it."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import pathlib
import re
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from ktrdr_client import AsyncClient, Client
from ktrdr_client.fastapi import ktrdr_router
from ktrdr_client.fastapi._kept import BESIDE, Kept, again, tag
from world import LIMIT, ROOT, Daemon, until

UTC = dt.timezone.utc
#: uvicorn's own --fd takes every socket for one of Unix, and then leaves Nagle's algorithm on.
SERVE = """
import socket, sys, uvicorn
listening = socket.socket(fileno=int(sys.argv[1]))
uvicorn.Server(uvicorn.Config("fastapi_app:app", log_level="warning")).run(sockets=[listening])
"""


class Backend:
    """The example of the docs, served by uvicorn."""

    def __init__(self, daemon: Daemon) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        command = [sys.executable, "-B", "-c", SERVE, str(listening.fileno())]
        env = {**os.environ, "KTRDR_SOCKET": daemon.socket, "PYTHONPATH": str(ROOT / "docs/examples")}
        self.process = subprocess.Popen(command, env=env, pass_fds=[listening.fileno()], stdin=subprocess.DEVNULL)
        listening.close()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=f"{self.url}/api/v1", timeout=LIMIT)
        self.json("GET", "/timeframes")

    def json(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        assert answer.status_code == status, answer.text
        assert re.fullmatch(r"\d+\.\d\dms", answer.headers["x-process-time"])
        return answer.json()

    def memory_kib(self) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])  # type: ignore[index]

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        assert self.process.wait(LIMIT) in (0, -15)


@pytest.fixture(scope="module")
def backend(stored: Daemon):
    """With the bars of `tests/data`, and without a gateway."""
    backend = Backend(stored)
    yield backend
    backend.close()


def test_bars_have_the_old_document(backend: Backend, client: Client) -> None:
    body = backend.json("GET", "/data/nvda/1h", params={"start_date": "2025-01-02", "end_date": "2025-01-02T11:00:00"})
    assert body == {
        "success": True,
        "data": {
            "dates": ["2025-01-02T09:00:00Z", "2025-01-02T10:00:00Z", "2025-01-02T11:00:00Z"],
            "ohlcv": [
                [132.95, 135.97, 132.95, 135.96, 554268.0],
                [135.96, 136.11, 135.6, 136.0, 117040.0],
                [135.98, 136.83, 135.69, 136.66, 292363.0],
            ],
            "points": None,
            "metadata": {
                "symbol": "NVDA",
                "timeframe": "1h",
                "point_count": 3,
                "points": 3,
                "start_date": "2025-01-02T09:00:00Z",
                "end_date": "2025-01-02T11:00:00Z",
                "start": "2025-01-02T09:00:00Z",
                "end": "2025-01-02T11:00:00Z",
            },
        },
        "error": None,
    }, "an end is part of the range, a date is its midnight, what has no zone is UTC"
    whole = backend.json("GET", "/data/MSFT/1m")["data"]
    frame = client.bars("MSFT", "1m", as_="numpy")
    assert whole["ohlcv"] == [list(row) for row in zip(*(frame[name].tolist() for name in list(frame)[1:]), strict=True)]
    assert [dt.datetime.fromisoformat(date[:-1]) for date in whole["dates"]] == frame["timestamp"].astype("M8[us]").tolist()


def test_one_odd_bar_does_not_hide_a_series(closing, tmp_path: pathlib.Path) -> None:
    daemon = closing(Daemon())
    lines = ["timestamp,open,high,low,close,volume", "2024-01-02T09:00:00Z,5,1,9,5,", "2024-01-02T10:00:00Z,1,2,1,2,7"]
    (tmp_path / "ODD_1h.csv").write_text("\n".join(lines))
    daemon.ktrdr("data", "import", tmp_path / "ODD_1h.csv")
    body = closing(Backend(daemon)).json("GET", "/data/odd/1h")
    assert body["data"]["ohlcv"] == [[5.0, 1.0, 9.0, 5.0, None], [1.0, 2.0, 1.0, 2.0, 7.0]]


def test_who_asks_again_gets_the_same_until_a_bar_is_another_one(closing, tmp_path: pathlib.Path) -> None:
    daemon = closing(Daemon())
    file = tmp_path / "DRAWN_1h.csv"

    def imported(close: int) -> None:
        file.write_text(f"timestamp,open,high,low,close,volume\n2024-01-02T09:00:00Z,5,9,1,{close},7")
        daemon.ktrdr("data", "import", file)

    imported(6)
    backend = closing(Backend(daemon))
    first, second, part = (backend.http.get(path) for path in ["/data/DRAWN/1h"] * 2 + ["/data/drawn/1h?start_date=2024-01-02"])
    assert first.content == second.content == part.content
    assert first.json()["data"]["ohlcv"] == [[5.0, 9.0, 1.0, 6.0, 7.0]]
    seen = {"if-none-match": first.headers["etag"]}
    unchanged = backend.http.get("/data/DRAWN/1h", headers=seen)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", first.headers["etag"])
    assert backend.http.get("/data/DRAWN/1h", headers={"if-none-match": '"0"'}).content == first.content
    imported(8)
    for answer in (backend.http.get("/data/DRAWN/1h", headers=seen), backend.http.get("/data/DRAWN/1h")):
        assert answer.json()["data"]["ohlcv"] == [[5.0, 9.0, 1.0, 8.0, 7.0]], "count, first and last are as before"
        assert answer.headers["etag"] != first.headers["etag"]
    assert "etag" not in backend.http.get("/data/DRAWN/1h?trading_hours_only=true").headers, "a calendar may change"
    daemon.ktrdr("data", "delete", "DRAWN", "-t", "1h", "--yes")
    assert backend.json("GET", "/data/DRAWN/1h", headers=seen)["data"]["dates"] == []


def test_bars_are_not_read_again_while_they_are_the_same(stored: Daemon) -> None:
    async def ask() -> tuple[list[bytes], int]:
        async with AsyncClient(stored.socket) as client:
            reads, batches = 0, client.batches

            async def counted(*what: Any, **how: Any) -> Any:
                nonlocal reads
                reads += 1
                return await batches(*what, **how)

            client.batches = counted  # type: ignore[method-assign]
            app = FastAPI()
            app.include_router(ktrdr_router(client))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://ours/api/v1") as http:
                return [(await http.get("/data/NVDA/1h")).content for _ in range(3)], reads

    documents, reads = asyncio.run(ask())
    assert len({*documents}) == 1 and reads == 1


def asked(kept: Kept, revision: int | None, **headers: str) -> tuple[int, bytes] | None:
    """What is answered at once for a series of this revision."""

    class Told:
        async def range(self, symbol: str, timeframe: str) -> Any:
            return type("Series", (), {"revision": revision})

    scope = {"type": "http", "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]}
    answer = asyncio.run(again(Told(), kept, ("A", "1h", None), Request(scope)))  # type: ignore[arg-type]
    return answer and (answer.status_code, bytes(answer.body))


def test_what_holds_no_more_is_not_answered() -> None:
    kept = Kept()
    kept.put(("A", "1h", None), 7, b"bars")
    assert (asked(kept, 7), asked(kept, 8), asked(kept, None)) == ((200, b"bars"), None, None)
    assert asked(Kept(), 7) is None
    for theirs in (tag(7), tag(7).removeprefix("W/"), f'"x", {tag(7)}', "*"):
        assert asked(Kept(), 7, if_none_match=theirs) == (304, b""), theirs
        assert asked(Kept(), None, if_none_match=theirs) is None, "a daemon that tells no revisions"
    assert asked(Kept(), 8, if_none_match=tag(7)) is None
    assert asked(kept, 7, if_none_match=tag(8)) == (200, b"bars")


def test_no_more_documents_are_kept_than_there_is_room_for() -> None:
    kept = Kept(together=2 * (BESIDE + 4), longest=4)
    kept.put("a", 1, b"1234")
    kept.put("long", 1, b"12345")
    assert (kept.find("a"), kept.find("long")) == ((1, b"1234"), None)
    for what in ("b", "a", "c"):
        kept.put(what, 2, b"1234")
    assert (kept.find("b"), kept.find("a"), kept.find("c")) == (None, (2, b"1234"), (2, b"1234"))
    kept.put("a", 3, b"1")
    assert (kept.find("a"), kept.bytes) == ((3, b"1"), 2 * BESIDE + 5)


def test_a_filter_filters(backend: Backend) -> None:
    def count(**params: Any) -> int:
        return len(backend.json("GET", "/data/AAPL/1h", params=params)["data"]["dates"])

    assert 0 < count(trading_hours_only=True) < count() == 153
    assert count(trading_hours_only=True, include_extended=True) == 153


def test_what_is_not_there_is_an_empty_document(backend: Backend) -> None:
    for path, params in [("/data/NOPE/1d", {}), ("/data/AAPL/1h", {"start_date": "2030-01-01"})]:
        data = backend.json("GET", path, params=params)["data"]
        assert (data["dates"], data["ohlcv"]) == ([], [])
        metadata = data["metadata"]
        assert {metadata[key] for key in ("start", "end", "start_date", "end_date")} == {""}
        assert metadata["points"] == metadata["point_count"] == 0 and metadata["symbol"] in ("NOPE", "AAPL")


def test_symbols_timeframes_and_figures(backend: Backend) -> None:
    symbols = {one["symbol"]: one for one in backend.json("GET", "/symbols")["data"]}
    assert symbols["AAPL"] == {
        "symbol": "AAPL",
        "name": "AAPL",
        "type": "unknown",
        "exchange": "unknown",
        "currency": "unknown",
        "available_timeframes": ["5m", "1h", "1d"],
        "trading_hours": None,
    }, "the gateway was never asked"
    timeframes = backend.json("GET", "/timeframes")["data"]
    assert [one["id"] for one in timeframes] == ["1m", "5m", "15m", "30m", "1h", "2h", "4h", "1d", "1w", "1M"]
    assert timeframes[0] == {"id": "1m", "name": "1 Minute", "description": "One-minute interval data"}
    info = backend.json("GET", "/data/info")["data"]
    assert info["available_symbols"] == sorted(symbols) and info["total_symbols"] == len(symbols)
    assert info["symbol_types"] == {"unknown": len(symbols)} and info["timeframes_available"] == ["1d", "1h", "1m", "5m"]
    assert backend.json("POST", "/data/range", json={"symbol": "aapl", "timeframe": "1h"})["data"] == {
        "symbol": "AAPL",
        "timeframe": "1h",
        "start_date": "2025-05-22T08:00:00Z",
        "end_date": "2025-06-06T23:00:00Z",
        "point_count": 153,
    }


def error(code: str) -> Any:
    return lambda body: body["success"] is False and body["error"]["code"] == code and body["error"]["details"]["reason"]


def detail(text: str) -> Any:
    return lambda body: text in body["detail"]


def invalid(*where: Any) -> Any:
    return lambda body: body["detail"][0]["loc"] == [*where] and {"type", "msg", "input"} <= set(body["detail"][0])


LOAD = {"symbol": "AAPL", "timeframe": "1h"}
#: Method, path, what is sent, the status, and what the document must be.
REFUSED: list[tuple[str, str, dict[str, Any], int, Any]] = [
    ("GET", "/data/AAPL/1h?start_date=yesterday", {}, 400, error("DATA-InvalidDate")),
    ("GET", "/data/AAPL/1h?end_date=2024-13-01", {}, 400, error("DATA-InvalidDate")),
    ("GET", "/data/AAPL/1h?start_date=2025-06-02&end_date=2025-06-01", {}, 400, error("DATA-InvalidDate")),
    ("GET", "/data/AAPL/7m", {}, 400, error("DATA-InvalidTimeframe")),
    ("GET", "/data/%20/1h", {}, 400, error("DATA-InvalidSymbol")),
    ("GET", "/data/NO%20SUCH/1h", {}, 400, error("DATA-InvalidSymbol")),
    ("GET", "/data/AAPL/1h?trading_hours_only=perhaps", {}, 422, invalid("query", "trading_hours_only")),
    ("POST", "/data/load", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, invalid("body", 1)),
    ("POST", "/data/load", {"json": [1]}, 422, invalid("body")),
    ("POST", "/data/load", {"json": {"symbol": "AAPL"}}, 422, invalid("body", "timeframe")),
    ("POST", "/data/load", {"json": {**LOAD, "symbol": 7}}, 422, invalid("body", "symbol")),
    ("POST", "/data/load", {"json": {**LOAD, "timeframe": "7m"}}, 422, invalid("body", "timeframe")),
    ("POST", "/data/load", {"json": {**LOAD, "mode": "all"}}, 422, invalid("body", "mode")),
    ("POST", "/data/load", {"json": {**LOAD, "start_date": "soon"}}, 422, invalid("body", "start_date")),
    ("POST", "/data/load", {"json": {**LOAD, "start_date": "2025-02-01", "end_date": "2025-01-01"}}, 422, invalid("body")),
    ("POST", "/data/load", {"json": {**LOAD, "periodic_save_minutes": 0.1}}, 422, invalid("body", "periodic_save_minutes")),
    ("POST", "/data/load?async_mode=perhaps", {"json": LOAD}, 422, invalid("query", "async_mode")),
    ("POST", "/data/load", {"json": {**LOAD, "symbol": "NO SUCH"}}, 400, error("DATA-InvalidSymbol")),
    ("POST", "/data/load", {"json": {"symbol": "NOPE", "timeframe": "1h"}}, 404, error("DATA-FileNotFound")),
    ("POST", "/data/range", {"json": {"symbol": "NOPE", "timeframe": "1h"}}, 404, detail("Data not found for NOPE (1h)")),
    ("POST", "/data/range", {"json": {"symbol": "AAPL", "timeframe": "7m"}}, 400, error("DATA-InvalidTimeframe")),
    ("POST", "/data/range", {"json": {}}, 422, invalid("body", "symbol")),
    ("GET", "/operations?status=done", {}, 422, invalid("query", "status")),
    ("GET", "/operations?operation_type=nap", {}, 422, invalid("query", "operation_type")),
    ("GET", "/operations?limit=0", {}, 422, invalid("query", "limit")),
    ("GET", "/operations?limit=1001", {}, 422, invalid("query", "limit")),
    ("GET", "/operations?offset=-1", {}, 422, invalid("query", "offset")),
    ("GET", "/operations/nope", {}, 404, detail("Operation not found: nope")),
    ("DELETE", "/operations/nope", {}, 404, detail("Operation not found: nope")),
    ("DELETE", "/operations/op_import", {}, 400, detail("cannot be cancelled (status: completed)")),
    ("DELETE", "/operations/op_import", {"json": {"reason": 5}}, 422, invalid("body", "reason")),
    ("POST", "/operations/op_import/retry", {}, 400, detail("cannot be retried (status: completed)")),
    ("POST", "/operations/nope/retry", {}, 404, detail("Operation not found: nope")),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "document"), REFUSED)
def test_refusals_have_the_old_status_and_document(
    backend: Backend, method: str, path: str, sent: dict[str, Any], status: int, document: Any
) -> None:
    body = backend.json(method, path, status, **sent)
    assert document(body), body


def load(backend: Backend, mode: bool, **body: Any) -> Any:
    return backend.json("POST", f"/data/load?async_mode={mode}", json={"mode": "tail", "periodic_save_minutes": 2.0, **body})


def ended(backend: Backend, operation_id: str) -> Any:
    """As the old command line polls."""

    def look() -> Any:
        data = backend.json("GET", f"/operations/{operation_id}")["data"]
        return data if data["status"] in ("completed", "failed", "cancelled") else None

    return until("the end of the operation", look)


def test_the_requests_of_the_old_command_line(pair, closing) -> None:
    gateway, daemon, _ = pair()
    backend = closing(Backend(daemon))
    assert backend.json("GET", "/symbols") == {"success": True, "data": [], "error": None}
    nvda = {"symbol": "nvda", "timeframe": "1h", "start_date": "2025-01-02", "end_date": "2025-03-31"}
    started = load(backend, True, **nvda)
    assert set(started["data"]) == {
        *("status", "operation_id", "fetched_bars", "cached_before", "merged_file", "gaps_analyzed"),
        *("segments_fetched", "ib_requests_made", "execution_time_seconds", "error_message"),
    }
    assert started["data"]["status"] == "started" and started["success"] is True
    done = ended(backend, started["data"]["operation_id"])
    assert done["operation_type"] == "data_load" and done["status"] == "completed" and done["error_message"] is None
    assert done["progress"]["percentage"] == 100.0 and done["warnings"] == done["errors"] == [] and done["duration_seconds"] > 0
    assert set(done["progress"]) == {
        *("percentage", "current_step", "steps_completed", "steps_total"),
        *("items_processed", "items_total", "current_item"),
    }
    assert done["metadata"]["symbol"] == "NVDA" and done["metadata"]["mode"] == "tail"
    for moment in ("created_at", "started_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", done[moment])
    result = done["result_summary"]
    assert result["status"] == "success" and result["ib_requests_made"] > 0 and result["cached_before"] is False
    bars = backend.json("GET", "/data/NVDA/1h")["data"]
    assert len(bars["dates"]) == result["fetched_bars"] > 500 and bars["metadata"]["point_count"] == len(bars["ohlcv"])
    # nothing to do: it ends at a hundred percent all the same, and its step can be measured
    nothing = ended(backend, load(backend, True, **nvda)["data"]["operation_id"])
    assert nothing["progress"]["percentage"] == 100.0 and nothing["progress"]["current_step"] == "completed"
    again = load(backend, False, **nvda)
    assert again["success"] is True and again["data"]["fetched_bars"] == again["data"]["ib_requests_made"] == 0
    assert again["data"]["status"] == "success" and again["data"]["cached_before"] is True
    [symbol] = backend.json("GET", "/symbols")["data"]
    assert (symbol["type"], symbol["currency"]) == ("stock", "USD")
    assert symbol["trading_hours"]["timezone"] == "America/New_York"
    assert symbol["trading_hours"]["regular_hours"] == {"start": "09:30", "end": "16:00"}
    assert symbol["trading_hours"]["trading_days"] == [0, 1, 2, 3, 4]
    assert symbol["trading_hours"]["extended_hours"] == [{"start": "04:00", "end": "09:30"}, {"start": "16:00", "end": "20:00"}]
    listed = backend.json("GET", "/operations", params={"limit": 50, "offset": 0, "active_only": False})
    assert (listed["total_count"], listed["active_count"], len(listed["data"])) == (3, 0, 3)
    assert set(listed["data"][0]) == {
        *("operation_id", "operation_type", "status", "created_at"),
        *("progress_percentage", "current_step", "symbol", "duration_seconds"),
    }
    newest = [again["data"]["operation_id"], nothing["operation_id"], done["operation_id"]]
    assert [one["operation_id"] for one in listed["data"]] == newest
    second = backend.json("GET", "/operations", params={"operation_type": "data_load", "limit": 1, "offset": 1})
    assert [one["operation_id"] for one in second["data"]] == newest[1:2] and second["total_count"] == 3
    assert backend.json("GET", "/operations", params={"status": "failed"})["data"] == []
    assert backend.json("GET", "/operations", params={"status": "completed", "active_only": True})["total_count"] == 0
    refused = load(backend, False, symbol="ZZZZ", timeframe="1h")
    assert refused["success"] is False and refused["error"]["code"] == "DATA-LoadFailed", refused
    assert refused["data"]["status"] == "failed" and refused["error"]["details"]["reason"] == "CONTRACT_NOT_FOUND"
    retried = backend.json("POST", f"/operations/{refused['data']['operation_id']}/retry")["data"]
    assert retried["operation_id"] != refused["data"]["operation_id"]
    assert ended(backend, retried["operation_id"])["status"] == "failed", "it really ran"
    daemon.stop()
    gateway.report()


def test_a_cancelled_load_is_cancelled_when_that_is_said(pair, closing) -> None:
    gateway, daemon, client = pair("--answer-delay-ms", "60000", scale=1)
    backend = closing(Backend(daemon))
    client.validate("NVDA", timeout=60)
    operation = load(backend, True, symbol="NVDA", timeframe="1h", start_date="2025-01-02", end_date="2025-01-03")["data"]
    until("the request to reach the gateway", lambda: gateway.seen("historical_data") > 0)
    data = backend.json("DELETE", f"/operations/{operation['operation_id']}", json={"reason": "enough", "force": True})["data"]
    assert data["success"] is True and data["status"] == "cancelled" and data["task_cancelled"] is True
    assert data["cancellation_reason"] == "enough" and data["cancelled_at"].endswith("Z")
    shown = backend.json("GET", f"/operations/{operation['operation_id']}")["data"]
    assert shown["status"] == "cancelled" and shown["error_message"]
    until("the gateway to be told", lambda: client.gateway().requests_open == 0)
    daemon.stop()
    assert gateway.report()["requests"]["cancel_historical_data"] == 1


async def test_a_hundred_requests_at_once_while_a_load_runs(pair, closing) -> None:
    _, daemon, client = pair("--answer-delay-ms", "60000", scale=1)
    daemon.ktrdr("data", "import", *sorted((ROOT / "tests/data").glob("*_1?.csv")))
    backend = closing(Backend(daemon))
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=f"{backend.url}/api/v1", timeout=LIMIT, limits=limits) as http:
        wanted = {"symbol": "AAPL", "timeframe": "5m", "mode": "tail", "start_date": "2025-05-27", "end_date": "2025-06-06"}
        # one waits for the end of the load, in the server's only loop
        waiting = asyncio.create_task(http.post("/data/load", json=wanted))
        await asyncio.to_thread(until, "the load to run", lambda: client.operations("running", "load"))
        paths = ["/data/MSFT/1m", "/operations", "/symbols", "/data/NVDA/1h", "/data/info"]
        answers = await asyncio.gather(*(http.get(paths[at % len(paths)]) for at in range(100)))
        assert [answer.status_code for answer in answers] == [200] * 100
        assert {len(answer.json()["data"]["dates"]) for answer in answers[::5]} == {5746}
        assert not waiting.done(), "nobody waited for it"
        [running] = (await http.get("/operations", params={"active_only": True})).json()["data"]
        assert (await http.delete(f"/operations/{running['operation_id']}")).status_code == 200
        loaded = (await waiting).json()
        assert loaded["success"] is False and loaded["error"]["details"]["reason"] == "CANCELLED"


def test_a_daemon_that_is_away_is_503_until_it_is_back(closing, tmp_path: pathlib.Path) -> None:
    daemon = closing(Daemon())
    backend = closing(Backend(daemon))
    daemon.stop()
    for method, path in [("GET", "/symbols"), ("GET", "/operations"), ("GET", "/data/AAPL/1h"), ("GET", "/operations/op")]:
        body = backend.json(method, path, 503)
        assert body["success"] is False and body["error"]["code"] == "CONNECTION_ERROR"
        assert body["error"]["details"]["hint"] == "ktrdr daemon start"
    daemon.start()
    assert backend.json("GET", "/symbols")["data"] == []
    assert httpx.get(f"{backend.url}/api/v1/health").json()["status"] == "ok"
    minutes = (dt.datetime(2023, 1, 2, tzinfo=UTC) + dt.timedelta(minutes=at) for at in range(150_000))
    rows = (f"{minute},1.25,2.5,1,2,5" for minute in minutes)
    (tmp_path / "LONG_1m.csv").write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    daemon.ktrdr("data", "import", tmp_path / "LONG_1m.csv")

    # written while it is read
    assert len(backend.json("GET", "/data/LONG/1m")["data"]["dates"]) == 150_000
    before = backend.memory_kib()
    for _ in range(4):
        assert len(backend.http.get("/data/LONG/1m").content) > 6_000_000
    assert backend.memory_kib() - before < 8 << 10

    with backend.http.stream("GET", "/data/LONG/1m") as answer:
        pieces = answer.iter_bytes(1 << 16)
        next(pieces)
        daemon.process.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
