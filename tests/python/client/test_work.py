"""Loads and trainings: followed to their end, and given up in every way, which reaches the gateway."""

from __future__ import annotations

import asyncio
import io
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from ktrdr_client import AsyncClient, Client, errors, models
from world import DATA, LIMIT, Daemon, Gateway, TrainingHost, until

#: A minute before each answer, and no clock that is in a hurry.
NEVER = ("--answer-delay-ms", "60000")
#: Simulated; with the scale of the tests, half a second before each answer.
SLOW = ("--answer-delay-ms", "30000")
RANGE: dict[str, Any] = {"start": "2025-01-02", "end": "2025-03-31"}


def test_a_load_brings_bars_and_its_repetition_asks_nothing(pair) -> None:
    gateway, daemon, client = pair()
    told: list[models.Operation] = []
    first = client.load("NVDA", "1h", **RANGE, progress=told.append)
    frame = client.bars("NVDA", "1h", **RANGE, as_="pandas")
    assert first.bars_loaded == first.bars_total == len(frame) > 500 and first.requests_made > 0
    assert first.gaps_left == () and first.state == "completed" and told[-1].state == "completed"
    assert told[-1].result == first and [state.progress.done for state in told] == sorted(s.progress.done for s in told)
    again = client.load("nvda", "1h", **RANGE)
    assert (again.bars_loaded, again.requests_made) == (0, 0)
    several = client.load(["NVDA", "EURUSD"], ["1h"], start="2025-01-02", end="2025-01-10")
    assert isinstance(several, list) and [one.symbol for one in several] == ["NVDA", "EURUSD"]
    assert several[1].bars_loaded > 0 and several[0].requests_made == 0
    contract = client.validate("EURUSD")
    assert (contract.kind, contract.currency, contract.cached) == ("forex", "USD", True)
    assert client.gateway().state == "ready"
    daemon.stop()
    gateway.report()


def test_the_bar_is_shown_where_somebody_looks(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, client = pair()
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    client.load("GOOGL", "1d", start="2024-01-02", end="2024-02-01")
    assert terminal.getvalue() == ""
    client.load("GOOGL", "1d", start="2024-03-01", end="2024-04-01", progress=True)
    assert "GOOGL 1d" in terminal.getvalue() and "completed" in terminal.getvalue()


def test_a_load_that_fails_raises_its_reason_and_keeps_what_came(pair, tmp_path) -> None:
    rules = tmp_path / "faults.toml"
    rules.write_text('[[fault]]\nkind = "error"\ncode = 354\ntext = "Not subscribed"\non = "historical_data"\nnth = 3\ntimes = 9\n')
    _, _, client = pair("--faults", str(rules))
    with pytest.raises(errors.LoadIncomplete) as caught:
        client.load("MSFT", "1m", start="2025-05-30", end="2025-06-06")
    operation = caught.value.operation
    assert operation is not None and operation.state == "failed" and operation.error is caught.value
    assert isinstance(operation.result, models.Loaded) and operation.result.gaps_left
    assert operation.result.bars_total == operation.result.bars_loaded == client.range("MSFT", "1m").bars > 0
    with pytest.raises(type(caught.value)):
        client.wait(operation.id)
    assert client.retry(operation.id).retry_of == operation.id


def given_up(gateway: Gateway, daemon: Daemon, client: Client) -> None:
    """The operation is cancelled, and the gateway was told so."""
    [operation] = client.operations()
    assert operation.state == "cancelled" and operation.result is not None, operation
    until("the gateway to be told", lambda: client.gateway().requests_open == 0)
    daemon.stop()
    report = gateway.report()
    requests = report["requests"]
    assert requests["cancel_historical_data"] == requests["historical_data"] and report["open_requests"] == 0, requests


def asked(gateway: Gateway) -> None:
    """The gateway has a request for bars that it will not answer."""
    until("the request to reach the gateway", lambda: gateway.seen("historical_data") > 0)


def test_ctrl_c_cancels_a_load_at_the_gateway(pair) -> None:
    gateway, daemon, client = pair(*NEVER, scale=1)
    client.validate("NVDA", timeout=60)
    script = "import sys, ktrdr_client as k\ntry: k.Client(sys.argv[1]).load('NVDA', '1h', start='2025-01-02', end='2025-01-03')\n"
    script += "except KeyboardInterrupt: print('interrupted')"
    loading = subprocess.Popen([sys.executable, "-c", script, daemon.socket], stdout=subprocess.PIPE, text=True)
    asked(gateway)
    loading.send_signal(signal.SIGINT)
    assert loading.communicate(timeout=LIMIT)[0] == "interrupted\n"
    given_up(gateway, daemon, client)


def test_a_timeout_cancels_a_load_at_the_gateway(pair) -> None:
    gateway, daemon, client = pair(*NEVER, scale=1)
    client.validate("NVDA", timeout=60)
    with pytest.raises(errors.TimedOut) as caught:
        client.load("NVDA", "1h", start="2025-01-02", end="2025-01-03", timeout=1.5)
    assert caught.value.operation is not None and caught.value.operation.state == "cancelled"
    given_up(gateway, daemon, client)


async def test_a_cancelled_task_cancels_its_load_at_the_gateway(pair) -> None:
    gateway, daemon, client = pair(*NEVER, scale=1)
    client.validate("NVDA", timeout=60)
    async with AsyncClient(daemon.socket) as asynchronous:
        task = asyncio.create_task(asynchronous.load("NVDA", "1h", start="2025-01-02", end="2025-01-03"))
        await asyncio.to_thread(asked, gateway)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [one.state for one in await asynchronous.operations("cancelled")] == ["cancelled"]
    given_up(gateway, daemon, client)


async def test_a_call_that_is_given_up_ends_at_the_gateway(pair, tmp_path) -> None:
    rules = tmp_path / "faults.toml"
    rules.write_text('[[fault]]\nkind = "drop_response"\non = "contract_details"\ntimes = 9\n')
    gateway, daemon, client = pair("--faults", str(rules))
    until("the gateway to be ready", lambda: client.gateway().state == "ready")
    with pytest.raises(errors.TimedOut):
        client.validate("NVDA", timeout=0.5)
    async with AsyncClient(daemon.socket) as asynchronous:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asynchronous.validate("AAPL"), 0.5)
        with pytest.raises(errors.TimedOut):
            await asynchronous.validate("MSFT", timeout=0.5)
    until("the gateway to be told", lambda: client.gateway().requests_open == 0)
    daemon.stop()
    report = gateway.report()
    requests = report["requests"]
    assert requests["cancel_contract_details"] == requests["contract_details"] > 0 and report["open_requests"] == 0, requests


def test_two_that_load_the_same_share_one_load_and_leaving_leaves_it(pair) -> None:
    gateway, daemon, client = pair(*SLOW)
    wanted: dict[str, Any] = {"symbol": "NVDA", "timeframe": "1h", **RANGE}
    operation = client.start_load(**wanted)
    with pytest.raises(errors.TimedOut):
        client.load(**wanted, timeout=0.05)
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(client.load(**wanted))) for _ in range(3)]
    for thread in threads:
        thread.start()
    # for other bars: it waits for the first one, then loads the rest
    more = client.load("NVDA", "1h", start="2025-01-02", end="2025-04-30")
    for thread in threads:
        thread.join(LIMIT)
    assert {result.operation_id for result in results} == {operation.id} and client.wait(operation.id).state == "completed"
    assert more.operation_id != operation.id and more.bars_total > results[0].bars_total
    daemon.stop()
    gateway.report()


async def test_an_operation_is_watched_to_its_end(pair) -> None:
    _, daemon, client = pair(*SLOW)
    operation = client.start_load("NVDA", "1h", **RANGE)
    states = [state.state for state in client.watch_operation(operation.id[:24])]
    assert states[-1] == "completed" and set(states) <= {"pending", "running", "completed"}
    async with AsyncClient(daemon.socket) as asynchronous:
        second = await asynchronous.start_load(["AAPL"], ["1h", "5m"], start="2025-05-22", end="2025-06-06")
        seen = [state async for state in asynchronous.watch_operation(second.id)]
        assert {part.name for part in seen[-1].progress.parts} == {"AAPL 1h", "AAPL 5m"}
        third = await asynchronous.start_load("EURUSD", "1h", **RANGE)
        async for _ in asynchronous.watch_operation(third.id):
            break
        assert (await asynchronous.cancel(third.id, note="enough")).state == "cancelled"
        assert (await asynchronous.cancel(third.id)).state == "cancelled"
        with pytest.raises(errors.Cancelled) as caught:
            await asynchronous.wait(third.id)
        assert caught.value.hint == f"ktrdr operations retry {third.id}"


def test_a_training_is_followed_to_its_result(closing) -> None:
    host = closing(TrainingHost("--generation", "c", "--epoch-ms", "50"))
    daemon = closing(Daemon(KTRDR_TRAINING_HOSTS=f"gpu=http://{host.address}"))
    client = closing(Client(daemon.socket))
    told: list[models.Operation] = []
    trained = client.train(DATA / "demo.yaml", "EURUSD", "1h", "2024-01-01", "2024-12-31", progress=told.append)
    assert trained.host == "gpu" and trained.epochs > 1 and "test_accuracy" in trained.metrics and trained.model_path
    assert any(one.progress.training and one.progress.training.epoch > 1 for one in told)
    [operation] = client.operations(kind="training")
    assert operation.result == trained
    with pytest.raises(errors.TimeframeNotInStrategy):
        client.train(DATA / "demo.yaml", timeframes="5m")


async def test_a_cancelled_task_stops_its_training(closing) -> None:
    host = closing(TrainingHost("--epoch-ms", "2000"))
    daemon = closing(Daemon(KTRDR_TRAINING_HOSTS=f"gpu=http://{host.address}"))
    async with AsyncClient(daemon.socket) as client:
        began = asyncio.Event()

        def show(operation: models.Operation) -> None:
            if operation.progress.training and operation.progress.training.host:
                began.set()

        task = asyncio.create_task(client.train(DATA / "demo.yaml", start="2024-01-01", end="2024-12-31", progress=show))
        await asyncio.wait_for(began.wait(), LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [one.state for one in await client.operations(kind="training")] == ["cancelled"]
