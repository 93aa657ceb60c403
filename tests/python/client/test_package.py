"""The wheel as somebody gets it: installed into a clean environment, typed, alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import pty
import struct
import subprocess
import sys
import termios
import venv
import zipfile

import pytest
from world import ROOT

WHEEL = os.environ.get("KTRDR_TEST_WHEEL")
needs_wheel = pytest.mark.skipif(WHEEL is None, reason="KTRDR_TEST_WHEEL names the wheel")

#: What somebody types first.
TEN_LINES = """
from ktrdr_client import Client, __version__
ktrdr = Client()
print(__version__, ktrdr.status().contract)
loaded = ktrdr.load("NVDA", "1h", start="2025-01-02", end="2025-03-31")
print(loaded.bars_loaded, "bars")
frame = ktrdr.bars("NVDA", "1h", start="2025-01-02")
print(frame.tail(3))
print(frame.resample("1D")["close"].last().dropna().tail(2))
ktrdr.close()
"""

#: What a type checker must know, and what it must not let through.
TYPED = """
import pandas, polars
from ktrdr_client import AsyncClient, Client, errors, models

ktrdr = Client(timeout=5)
frame: pandas.DataFrame = ktrdr.bars("NVDA", "1h", as_="pandas")
other: polars.DataFrame = ktrdr.bars("NVDA", "1h", as_="polars")
loaded: models.Loaded = ktrdr.load("NVDA", "1h")
count: int = ktrdr.range("NVDA", "1h").bars
for event in ktrdr.watch("NVDA", "1m"):
    if isinstance(event, models.Bar):
        price: float = event.close
try:
    ktrdr.status()
except errors.DaemonUnreachable as error:
    hint: str | None = error.hint

async def work() -> None:
    async with AsyncClient() as asynchronous:
        series: list[models.Series] = await asynchronous.list()
        async for operation in asynchronous.watch_operation("op"):
            state: str = operation.state

ktrdr.bars("NVDA", 60)  # wrong
ktrdr.bars("NVDA", "1h", as_="excel")  # wrong
ktrdr.range("NVDA", "1h").closes  # wrong
"""


def in_a_terminal(command: list[str], env: dict[str, str]) -> str:
    """What somebody sees who runs it."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    running = subprocess.Popen(command, env=env, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    seen = bytearray()
    # a terminal whose other end is gone fails
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 4096):
            seen += data
    os.close(terminal)
    assert running.wait() == 0, seen.decode()
    return seen.decode()


@needs_wheel
def test_ten_lines_in_a_clean_environment(pair, tmp_path: pathlib.Path) -> None:
    _, daemon, _ = pair("--answer-delay-ms", "6000")
    venv.create(tmp_path / "venv")
    python = str(tmp_path / "venv/bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "-q", "--no-compile"]
    subprocess.run([*pip, "--only-binary", ":all:", f"{WHEEL}[pandas]"], check=True)
    seen = in_a_terminal([python, "-c", TEN_LINES], {**daemon.env, "KTRDR_SOCKET": daemon.socket, "TERM": "xterm"})
    assert "0.1.0 1\r\n" in seen and "960 bars" in seen, seen
    assert "NVDA 1h: 100%" in seen and "completed" in seen, "a progress bar"
    assert "open" in seen and "2025-03-31 23:00:00+00:00" in seen, "a frame"


@needs_wheel
def test_the_wheel_is_pure_typed_and_keeps_to_its_own_package() -> None:
    assert WHEEL is not None and WHEEL.endswith("-py3-none-any.whl")
    names = content(pathlib.Path(WHEEL))
    assert {name.split("/")[0].split("-")[0] for name in names} == {"ktrdr_client"}
    generated = {"ktrdr_client/v1/market_data_pb2.py", "ktrdr_client/v1/market_data_pb2_grpc.pyi", "ktrdr_client/_reasons.py"}
    assert generated < set(names) and "ktrdr_client/py.typed" in names


@needs_wheel
def test_a_source_package_makes_the_same_wheel(tmp_path: pathlib.Path) -> None:
    hatchling = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(hatchling, cwd=ROOT / "proto/python", check=True, capture_output=True)
    [source] = tmp_path.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "wheel", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "-w", str(tmp_path), source], check=True)
    [again] = tmp_path.glob("*.whl")
    assert content(again) == content(pathlib.Path(WHEEL or ""))


def content(wheel: pathlib.Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as files:
        return {name: files.read(name) for name in files.namelist()}


def test_types_are_right(tmp_path: pathlib.Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    config = ROOT / "proto/python/pyproject.toml"
    mypy = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(tmp_path / "cache")]
    own = subprocess.run([*mypy, "-p", "ktrdr_client"], capture_output=True, text=True, cwd=tmp_path)
    assert own.returncode == 0, own.stdout
    checked = subprocess.run([*mypy, "typed.py"], capture_output=True, text=True, cwd=tmp_path)
    wrong = [number for number, line in enumerate(TYPED.splitlines(), 1) if line.endswith("# wrong")]
    found = {int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error:" in line}
    assert found == set(wrong), checked.stdout


def test_the_versions_are_one() -> None:
    cargo = (ROOT / "Cargo.toml").read_text()
    import ktrdr_client

    assert f'\nversion = "{ktrdr_client.__version__}"\n' in cargo


def test_it_reads_well() -> None:
    config = ["--no-cache", "--config", str(ROOT / "proto/python/pyproject.toml")]
    package, examples, tests = ROOT / "proto/python", ROOT / "docs/examples", ROOT / "tests/python/client"
    # the name of a test says what it tries
    checks = [["check", package, examples], ["check", "--extend-ignore", "D,N802,ASYNC", tests]]
    for what in (*checks, ["format", "--check", package, examples, tests]):
        ran = subprocess.run([sys.executable, "-m", "ruff", *what, *config], capture_output=True, text=True, cwd=ROOT)
        assert ran.returncode == 0, ran.stdout
