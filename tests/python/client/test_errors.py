"""Bad input and bad luck: each the right exception with its hint."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import pathlib
import pickle
import re
import subprocess
import sys
import weakref
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fake import Fake
from ktrdr_client import AsyncClient, Client, KtrdrError, errors
from world import PROGRAMS, ROOT, Daemon, until

NAIVE = dt.datetime(2024, 1, 2, 14, 30)

#: What is called, the reason, and a part of the hint.
TABLE: list[tuple[str, dict[str, Any], type[KtrdrError], str]] = [
    # refused before anything is sent
    ("bars", {"start": NAIVE}, errors.RequestInvalid, 'write "2024-01-02T14:30:00Z" if it is UTC'),
    ("bars", {"end": NAIVE}, errors.RequestInvalid, "ZoneInfo"),
    ("bars", {"start": "2024-01-02 14:30"}, errors.RequestInvalid, 'write "2024-01-02T14:30:00Z"'),
    ("bars", {"start": pd.Timestamp("2024-01-02")}, errors.RequestInvalid, "timezone.utc"),
    ("bars", {"start": pd.NaT}, errors.RequestInvalid, "2024-01-31"),
    ("bars", {"start": np.datetime64("2024-01-02")}, errors.WrongType, "aware datetime"),
    ("bars", {"start": 1704205800}, errors.WrongType, "2024-01-31T14:30:00Z"),
    ("bars", {"start": "yesterday"}, errors.RequestInvalid, "2024-01-31"),
    ("bars", {"start": "2024-02-30"}, errors.RequestInvalid, "2024-01-31"),
    ("bars", {"start": dt.date(1, 1, 1)}, errors.RequestInvalid, "aware datetime"),
    ("bars", {"end": "9999-12-31"}, errors.RequestInvalid, "aware datetime"),
    ("bars", {"start": "2024-01-03", "end": "2024-01-01"}, errors.RangeInvalid, "the end is not part of it"),
    ("bars", {"symbol": 7}, errors.WrongType, '"NVDA"'),
    ("bars", {"symbol": None}, errors.WrongType, '"NVDA"'),
    ("bars", {"symbol": " "}, errors.SymbolInvalid, "EURUSD"),
    ("bars", {"timeframe": 60}, errors.WrongType, "1h"),
    ("bars", {"timeframe": "1H"}, errors.TimeframeInvalid, "1s 5s"),
    ("bars", {"timeframe": "h1"}, errors.TimeframeInvalid, "1s 5s"),
    ("bars", {"head": "5"}, errors.WrongType, "head=100"),
    ("bars", {"tail": True}, errors.WrongType, "tail=100"),
    ("bars", {"head": -1}, errors.RequestInvalid, "number of rows"),
    ("bars", {"head": 1, "tail": 1}, errors.RequestInvalid, "one of them"),
    ("bars", {"hours": "night"}, errors.RequestInvalid, "regular extended"),
    ("bars", {"as_": "numpi"}, errors.RequestInvalid, "pandas polars arrow numpy"),
    ("load", {"mode": "all"}, errors.RequestInvalid, "tail backfill full local"),
    ("load", {"what": 3}, errors.WrongType, "trades midpoint"),
    ("load", {"symbol": []}, errors.RequestInvalid, "several of each"),
    ("watch", {"history": 301}, errors.RequestInvalid, "0 to 300"),
    ("check", {"timeframe": None}, errors.RequestInvalid, "both"),
    ("train", {"strategy": "/nowhere.yaml"}, errors.FileUnreadable, "check the path"),
    ("train", {"strategy": 5}, errors.WrongType, "YAML"),
    ("train", {"strategy": b"", "start": NAIVE}, errors.WrongType, "2024-01-31"),
    # refused by the daemon
    ("bars", {"symbol": "NOPE"}, errors.SeriesNotFound, "ktrdr data load NOPE --timeframe 1h"),
    ("bars", {"symbol": "A" * 100}, errors.SymbolInvalid, "ticker"),
    ("bars", {"timeframe": "1d", "symbol": "DROP TABLE"}, errors.SymbolInvalid, "ticker"),
    ("bars", {"resample": "1m"}, errors.InvalidArgumentError, ""),
    ("range", {"symbol": "NOPE"}, errors.SeriesNotFound, "ktrdr data load NOPE --timeframe 1h"),
    ("check", {"symbol": "NOPE"}, errors.SeriesNotFound, "ktrdr data load"),
    ("operation", {"id": "nope"}, errors.OperationNotFound, "ktrdr operations list"),
    ("operation", {"id": ""}, errors.OperationNotFound, "ktrdr operations list"),
    ("cancel", {"id": "nope"}, errors.OperationNotFound, "ktrdr operations list"),
    ("retry", {"id": "op_import"}, errors.OperationNotRetryable, "start it again"),
    ("wait", {"id": "nope"}, errors.OperationNotFound, "ktrdr operations list"),
    ("validate", {"symbol": "NOPE"}, errors.GatewayUnreachable, "start IB Gateway"),
    ("load", {"symbol": "NOPE"}, errors.GatewayUnreachable, "start IB Gateway"),
    ("load", {"start": "2200-01-01"}, errors.RangeInFuture, "in the past"),
    ("watch", {"timeframe": "1s"}, errors.InvalidArgumentError, ""),
    ("train", {"strategy": b"epochs: ["}, errors.StrategyInvalid, "docs/TRAINING.md"),
    ("train", {"strategy": ROOT / "tests/data/demo.yaml"}, errors.TrainingNotConfigured, "training.hosts"),
]
SERIES = {"symbol": "AAPL", "timeframe": "1h"}
TAKES_SERIES = {"bars": SERIES, "range": SERIES, "load": SERIES, "check": SERIES, "watch": SERIES}


@pytest.mark.parametrize(("call", "arguments", "kind", "hint"), TABLE)
def test_bad_input_is_the_right_exception(
    client: Client, call: str, arguments: dict[str, Any], kind: type[KtrdrError], hint: str
) -> None:
    with pytest.raises(KtrdrError) as caught:
        getattr(client, call)(**{**TAKES_SERIES.get(call, {}), **arguments})
    error = caught.value
    assert isinstance(error, kind), repr(error)
    assert hint in (error.hint or ""), error.hint
    assert str(error).startswith(error.messages[0]) and error.reason in {
        one.default_reason for one in type(error).__mro__ if issubclass(one, KtrdrError)
    }
    # nothing was written
    assert client.list() and client.range(**SERIES).bars == 153


def test_an_error_has_everything_that_is_known(client: Client) -> None:
    with pytest.raises(errors.NotFoundError) as caught:
        client.range("NOPE", "1h")
    error = caught.value
    assert error.reason == "SERIES_NOT_FOUND" and error.metadata == {"symbol": "NOPE", "timeframe": "1h"}
    assert re.fullmatch("[0-9a-f]{32}", error.request_id or "") and error.retry_after is None
    assert isinstance(error, LookupError) and "hint: ktrdr data load" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.SeriesNotFound and vars(again) == vars(error) and str(again) == str(error)
    with pytest.raises(errors.UnavailableError) as away:
        client.validate("AAPL")
    assert (away.value.retry_after or 0) > 0


def test_every_reason_of_the_contract_has_its_class_and_its_hint() -> None:
    frozen = (ROOT / "proto/tests/frozen_reasons.txt").read_text().split("\n")
    names = {line.split()[0] for line in frozen if line and not line.startswith("#")}
    assert names == set(errors.BY_REASON)
    for name, kind in errors.BY_REASON.items():
        assert kind.default_reason == name and kind.hint_template and kind.__doc__
    explained = subprocess.run([PROGRAMS / "ktrdr", "explain", "SERIES_NOT_FOUND"], capture_output=True, text=True).stdout
    assert "SERIES_NOT_FOUND" in explained


@pytest.mark.parametrize(
    ("contract", "hint"), [(0, "update ktrdrd, then: ktrdr daemon restart"), (2, "update ktrdr-client (this is build")]
)
def test_a_daemon_of_another_contract_says_who_must_be_updated(closing, contract: int, hint: str) -> None:
    fake = closing(Fake(contract))
    client = closing(Client(fake.socket))
    for call in (client.status, lambda: client.bars("AAPL", "1h")):
        with pytest.raises(errors.ContractMismatch) as caught:
            call()
        assert hint in (caught.value.hint or "") and f"contract {contract}" in str(caught.value)


def test_a_daemon_that_takes_the_place_of_another_is_looked_at_again(closing) -> None:
    fake = closing(Fake())
    client = closing(Client(fake.socket))
    assert client.status().contract == 1
    fake.contract = 2

    def refused() -> bool:
        try:
            client.status()
        except errors.ContractMismatch:
            return True
        return False

    until("the other daemon to be noticed", refused)


def test_a_daemon_that_lacks_a_call_is_too_old(closing) -> None:
    fake = closing(Fake(broken="no calls"))
    client = closing(Client(fake.socket))
    with pytest.raises(errors.ContractMismatch, match="does not know this call yet"):
        client.list()


@pytest.mark.parametrize("broken", ["", "uneven", "nothing", "too many"])
def test_a_broken_answer_is_no_frame(closing, broken: str) -> None:
    fake = closing(Fake(broken=broken))
    client = closing(Client(fake.socket))
    for as_ in ("pandas", "arrow"):
        with pytest.raises(errors.Internal, match="cannot be used"):
            client.bars("AAPL", "1h", as_=as_)  # type: ignore[call-overload]


def test_bars_that_ended_early_are_told_as_often_as_they_are_asked_for(closing) -> None:
    batches = closing(Client(closing(Fake()).socket)).batches("AAPL", "1h")
    assert len(next(batches).close) == 2
    for _ in range(3):
        with pytest.raises(errors.Internal, match="cannot be used"):
            next(batches)


async def test_so_are_those_that_somebody_gave_up(closing) -> None:
    fake = closing(Fake(broken="no end"))
    async with AsyncClient(fake.socket) as client:
        batches = await client.batches("AAPL", "1h")
        assert len((await anext(batches)).close) == 2
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(batches), 0.05)
        for _ in range(3):
            with pytest.raises(errors.Internal, match="cannot be used"):
                await anext(batches)


def test_bars_that_nobody_takes_any_more_are_left_at_once(closing) -> None:
    client = closing(Client(closing(Fake(broken="no end")).socket))
    gc.disable()
    try:
        batches = client.batches("AAPL", "1h")
        assert len(next(batches).close) == 2
        # to leave these is to cancel the call
        messages = weakref.ref(batches._messages)
        del batches
        assert messages() is None, "without a look at all memory"
    finally:
        gc.enable()


def test_no_daemon_is_told_at_once_with_what_to_type(tmp_path: pathlib.Path) -> None:
    for path, hint in [(tmp_path / "k.sock", "ktrdr daemon start"), (pathlib.Path("/tmp") / ("x" * 120), "shorter")]:
        with pytest.raises((errors.DaemonUnreachable, errors.SocketPathTooLong)) as caught, Client(path) as client:
            client.status()
        assert hint in (caught.value.hint or "")
        assert caught.value.reason in {"DAEMON_UNREACHABLE", "SOCKET_PATH_TOO_LONG"}


def as_nobody(socket: str) -> str:
    """What another user reads, who becomes one when everything is imported: root's interpreter may be nobody else's."""
    script = "\n".join(
        [
            "import os, sys, ktrdr_client as k",
            "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)",
            "try: k.Client(sys.argv[1]).list()",
            "except k.KtrdrError as e: print(e.reason, e)",
        ]
    )
    ran = subprocess.run([sys.executable, "-c", script, socket], capture_output=True, text=True, cwd="/")
    return ran.stdout + ran.stderr


def test_a_socket_without_rights_says_so(closing) -> None:
    daemon = closing(Daemon())
    if os.geteuid() == 0:
        # through to the socket, and refused by the daemon
        for folder in (daemon.folder, daemon.folder / "run", daemon.folder / "run/ktrdr"):
            folder.chmod(0o755)
        pathlib.Path(daemon.socket).chmod(0o666)
        said = as_nobody(daemon.socket)
        assert said.startswith("PEER_REFUSED") and "listed under [access]" in said, said
    pathlib.Path(daemon.socket).chmod(0o000)
    said = as_nobody(daemon.socket)
    assert said.startswith("DAEMON_UNREACHABLE") and "Permission denied" in said and "hint: you may not open" in said, said


def test_a_daemon_that_dies_in_the_middle_leaves_no_half_answer(closing, tmp_path: pathlib.Path) -> None:
    daemon = closing(Daemon())
    start = dt.datetime(2023, 1, 2, tzinfo=dt.timezone.utc)
    rows = (f"{start + dt.timedelta(minutes=minute)},1,2,1,2,5" for minute in range(200_000))
    (tmp_path / "LONG_1m.csv").write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    daemon.ktrdr("data", "import", tmp_path / "LONG_1m.csv")
    client = closing(Client(daemon.socket))
    batches = client.batches("LONG", "1m")
    next(batches)
    daemon.process.kill()
    with pytest.raises(errors.DaemonUnreachable) as caught:
        list(batches)
    assert caught.value.hint == "ktrdr daemon start"


def test_a_gateway_that_knows_no_such_symbol(pair) -> None:
    gateway, daemon, client = pair()
    for call in (lambda: client.validate("ZZZZ"), lambda: client.load("ZZZZ", "1h", start="2025-01-01")):
        with pytest.raises(errors.ContractNotFound, match="ZZZZ"):
            call()
    assert client.list() == []
    daemon.stop()
    gateway.report()


def test_the_address_is_that_of_the_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, stored: Daemon) -> None:
    monkeypatch.delenv("KTRDR_SOCKET", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert Client("relative.sock").socket == os.path.abspath("relative.sock")
    system = pathlib.Path("/run/ktrdr").exists()
    assert system or Client().socket == str(tmp_path / "ktrdr/ktrdrd.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", stored.env["XDG_RUNTIME_DIR"])
    assert Client().status().socket == stored.socket == stored.ktrdr("daemon", "status")["socket"]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    monkeypatch.setenv("KTRDR_SOCKET", stored.socket)
    assert Client().status().socket == stored.socket
    monkeypatch.setenv("KTRDR_SOCKET", "")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert system or Client().socket == f"/tmp/ktrdr-{os.getuid()}/ktrdrd.sock"


def test_a_path_with_odd_characters_is_called(closing, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    daemon = closing(Daemon())
    odd = tmp_path / "a b%20#ü?.sock"
    odd.symlink_to(daemon.socket)
    assert closing(Client(odd)).status().pid == daemon.process.process.pid
