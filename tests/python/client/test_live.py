"""Live bars, blocking and not, and a daemon that is restarted under its clients."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import operator
import threading
import time
from typing import Any

import pytest
from ktrdr_client import AsyncClient, Client, _wire, errors, models
from world import DATA, LIMIT, Daemon, market, until


def judged(bars: list[models.Bar]) -> None:
    """Ascending, each once, in one piece, and prices that can be."""
    starts = [bar.start for bar in bars]
    assert all(after - before == dt.timedelta(minutes=1) for before, after in itertools.pairwise(starts)), starts
    assert all(bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high for bar in bars)
    assert all(bar.closed and bar.start.tzinfo is dt.timezone.utc for bar in bars)


async def test_live_bars_come_once_and_in_order_to_all_who_watch(pair) -> None:
    gateway, daemon, client = pair(*market(), replay=False)
    with client.watch("AAPL", "1m", history=20, running=True) as watch:
        assert (watch.symbol, watch.timeframe, watch.session, watch.what, watch.keep) == ("AAPL", "1m", "all", "trades", False)
        events: list[Any] = []
        while len([e for e in events if isinstance(e, models.Bar) and e.closed]) < 22:
            events.append(next(watch))
    judged([event for event in events if isinstance(event, models.Bar) and event.closed])
    assert any(isinstance(event, models.LiveState) and event.phase == "flowing" for event in events)
    assert any(isinstance(event, models.Bar) and not event.closed for event in events)
    assert list(watch) == [], "it was closed"

    async with AsyncClient(daemon.socket) as asynchronous:

        async def some(count: int) -> list[models.Bar]:
            bars: list[models.Bar] = []
            async with await asynchronous.watch("AAPL", "1m", history=20) as watch:
                async for event in watch:
                    if isinstance(event, models.Bar):
                        bars.append(event)
                    if len(bars) == count:
                        break
            return bars

        several = await asyncio.gather(*(some(22) for _ in range(3)))
        for bars in several:
            judged(bars)
        watch = await asynchronous.watch("AAPL", "1m")
        reader = asyncio.create_task(anext(watch))
        task = asyncio.create_task(some(1000))
        await asyncio.wait_for(reader, LIMIT)
        task.cancel()
        await watch.close()
        assert [event async for event in watch] == []
    # a few seconds after the last one has left
    until("the subscription to end", lambda: client.gateway().requests_open == 0)
    daemon.stop()
    report = gateway.report()
    assert report["requests"]["historical_data"] <= 3, "one subscription for all, and what filled it"


def test_a_watch_is_closed_from_another_thread(pair) -> None:
    _, _, client = pair(*market(), replay=False)
    watch = client.watch("AAPL", "1m")
    comes = threading.Event()

    def close() -> None:
        comes.wait(LIMIT)
        watch.close()

    closer = threading.Thread(target=close)
    closer.start()
    for event in watch:
        comes.set()
        assert not isinstance(event, models.Missed)
    closer.join()
    assert comes.is_set(), "it ended before it was closed"
    with pytest.raises(errors.InvalidArgumentError):
        client.watch("AAPL", "1s")


async def test_a_watch_ends_with_an_error_when_the_daemon_does(pair) -> None:
    _, daemon, client = pair(*market(), replay=False)
    asynchronous = AsyncClient(daemon.socket)
    watches = client.watch("AAPL", "1m"), await asynchronous.watch("AAPL", "1m")
    next(watches[0])
    daemon.stop()
    with pytest.raises((errors.ShuttingDown, errors.DaemonUnreachable)):
        list(watches[0])
    with pytest.raises((errors.ShuttingDown, errors.DaemonUnreachable)):
        [event async for event in watches[1]]
    await asynchronous.close()


async def test_a_restart_under_callers_refuses_nobody(closing) -> None:
    daemon = closing(Daemon())
    daemon.ktrdr("data", "import", DATA / "MSFT_1m.csv")
    client, asynchronous = closing(Client(daemon.socket)), AsyncClient(daemon.socket)
    stop, calls = threading.Event(), [0, 0, 0]

    def blocking(at: int) -> None:
        while not stop.is_set():
            assert len(client.bars("MSFT", "1m", as_="numpy")["close"]) == 5746
            assert client.status().series == 1
            calls[at] += 1

    async def awaiting() -> None:
        while not stop.is_set():
            assert len((await asynchronous.bars("MSFT", "1m", as_="numpy"))["close"]) == 5746
            assert (await asynchronous.range("MSFT", "1m")).bars == 5746
            calls[2] += 1

    def restarts() -> None:
        pids = set()
        for _ in range(4):
            daemon.restart()
            pids.add(Client(daemon.socket).status().pid)
            goals = [done + 1 for done in calls]
            until("every caller to go on", lambda goals=goals: all(map(operator.ge, calls, goals)))
        stop.set()

    tasks = [asyncio.to_thread(blocking, 0), asyncio.to_thread(blocking, 1), awaiting(), asyncio.to_thread(restarts)]
    try:
        await asyncio.gather(*tasks)
    finally:
        stop.set()
        await asynchronous.close()


async def test_a_client_waits_for_a_daemon_that_comes_back(closing, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = closing(Daemon())
    in_vain, connects = threading.Event(), _wire.connects

    def look(path: str) -> object:
        if (failure := connects(path)) is not None:
            in_vain.set()
        return failure

    monkeypatch.setattr(_wire, "connects", look)

    def killed() -> threading.Thread:
        """Started again as soon as a client has looked for it in vain."""
        daemon.process.kill()
        in_vain.clear()
        again = threading.Thread(target=lambda: in_vain.wait(LIMIT) and daemon.start())
        again.start()
        return again

    daemon.ktrdr("data", "import", DATA / "GOOGL_1d.csv")
    client, asynchronous = closing(Client(daemon.socket)), AsyncClient(daemon.socket)
    for _ in range(2):
        assert len(client.bars("GOOGL", "1d")) == len(await asynchronous.bars("GOOGL", "1d")) == 359
        again = killed()
        assert len(client.bars("GOOGL", "1d")) == 359
        again.join()
    again = killed()
    assert len(await asynchronous.bars("GOOGL", "1d")) == 359
    again.join()
    await asynchronous.close()


def test_a_client_that_was_too_early_finds_the_daemon_later(closing) -> None:
    daemon = closing(Daemon())
    daemon.stop()
    client = closing(Client(daemon.socket))
    for _ in range(3):
        begun = time.monotonic()
        with pytest.raises(errors.DaemonUnreachable, match="No such file"):
            client.list()
        assert time.monotonic() - begun < LIMIT / 2, "one that never was there is not waited for"
    daemon.start()
    assert client.list() == []


def test_a_load_that_a_restart_cut_off_says_so(pair) -> None:
    gateway, daemon, client = pair("--answer-delay-ms", "60000", scale=1)
    client.validate("NVDA", timeout=60)

    def restarts() -> None:
        until("the request to reach the gateway", lambda: gateway.seen("historical_data") > 0)
        daemon.restart()

    restart = threading.Thread(target=restarts)
    restart.start()
    with pytest.raises(errors.Interrupted) as caught:
        client.load("NVDA", "1h", start="2025-01-02", end="2025-06-30")
    restart.join()
    assert caught.value.operation is not None and caught.value.operation.state == "interrupted"
    assert "what was stored is kept" in (caught.value.hint or "")
