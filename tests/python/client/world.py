"""The real programs in a folder that goes away, as `tests/src` has them for the tests in Rust.

`KTRDR_TEST_PROGRAMS` names the folder of the programs; unset: `target/debug`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import Any, TypeVar

import ktrdr_client

T = TypeVar("T")

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "tests/data"
PROGRAMS = pathlib.Path(os.environ.get("KTRDR_TEST_PROGRAMS", ROOT / "target/debug"))
#: For what happens within a second on an idle machine.
LIMIT = 30.0
#: Simulated seconds per real second.
SCALE = 60


def until(what: str, look: Callable[[], T]) -> T:
    """The only wait: looks until there is something to see."""
    deadline = time.monotonic() + LIMIT
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return seen


def market() -> tuple[str, ...]:
    """Flags of a gateway whose market is always open, a minute of it in a second, in the middle of a session that is over."""
    day = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=2)
    noon = day.replace(hour=15, minute=0, second=0, microsecond=0)
    return ("--always-open", "--market-speed", "60", "--now", noon.isoformat().replace("+00:00", "Z"))


class Process:
    """A program that ends with its test."""

    def __init__(self, name: str, *arguments: str | pathlib.Path, env: dict[str, str], **more: Any) -> None:
        command = [str(PROGRAMS / name), *map(str, arguments)]
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, **more)

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        ended = self.process.wait(LIMIT)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return ended

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


class Gateway:
    """A simulated gateway, and what it says about its clients."""

    def __init__(self, *flags: str, replay: bool = True) -> None:
        self.folder = tempfile.mkdtemp(prefix="ktrdr-sim-", dir="/tmp")
        self.report_file = pathlib.Path(self.folder, "report.json")
        replayed = ["--replay", str(DATA)] if replay else []
        arguments = ["--listen", "127.0.0.1:0", "--report", str(self.report_file), *replayed, *flags]
        self.process = Process("ktrdr-gateway-sim", *arguments, env={}, stdout=subprocess.PIPE)
        assert self.process.process.stdout is not None
        ready = json.loads(self.process.process.stdout.readline())
        self.port = ready["listening"].rpartition(":")[2]

    def report(self) -> dict[str, Any]:
        """Stops it; what it saw, when nobody misbehaved. The daemon was stopped before: one that is killed leaves abruptly."""
        assert self.process.stop() == 0
        report: dict[str, Any] = json.loads(self.report_file.read_text())
        assert report["violations"] == [], report["violations"]
        assert report["connections"]["most_at_once"] == 1, report["connections"]
        return report

    def seen(self, kind: str) -> int:
        """Requests of a kind by its last report, which it writes every second."""
        return int(json.loads(self.report_file.read_text())["requests"][kind]) if self.report_file.exists() else 0

    def close(self) -> None:
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class TrainingHost:
    """A simulated training service."""

    def __init__(self, *flags: str) -> None:
        arguments = ["--listen", "127.0.0.1:0", *flags]
        self.process = Process("ktrdr-training-sim", *arguments, env={}, stdout=subprocess.PIPE)
        assert self.process.process.stdout is not None
        self.address = json.loads(self.process.process.stdout.readline())["listening"]

    def close(self) -> None:
        self.process.kill()


class Daemon:
    """A real daemon in a folder of its own."""

    def __init__(self, gateway: Gateway | None = None, **variables: str) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ktrdr-", dir="/tmp"))
        for name in ("home", "data", "run", "state", "config"):
            (self.folder / name).mkdir(mode=0o700)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "KTRDR_DATA_DIR": str(self.folder / "data"),
            # a test starts what it wants to be there
            "KTRDR_AUTOSTART": "0",
            "KTRDR_IB_HOST": "127.0.0.1",
            # nobody listens there
            "KTRDR_IB_PORT": gateway.port if gateway else "1",
            "KTRDR_TEST_TIME_SCALE": str(SCALE),
            **variables,
        }
        self.socket = str(self.folder / "run/ktrdr/ktrdrd.sock")
        self.log = self.folder / "ktrdrd.log"
        self.start()

    def start(self) -> None:
        """Starts it; returns when it answers."""
        with self.log.open("ab") as log:
            self.process = Process("ktrdrd", env=self.env, stdout=log, stderr=log)

        def answers() -> bool:
            assert self.process.process.poll() is None, self.log.read_text()
            try:
                with ktrdr_client.Client(self.socket) as client:
                    return client.status().pid == self.process.process.pid
            except ktrdr_client.KtrdrError:
                return False

        until("an answer of the daemon", answers)

    def stop(self) -> None:
        """Stops it in order."""
        assert self.process.stop() == 0, self.log.read_text()

    def ktrdr(self, *words: str | pathlib.Path) -> Any:
        """The document of a command, which must succeed."""
        command = [str(PROGRAMS / "ktrdr"), *map(str, words), "-f", "json"]
        ran = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=LIMIT)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    def restart(self) -> None:
        """`ktrdr daemon restart`, which keeps the socket."""
        command = [str(PROGRAMS / "ktrdr"), "daemon", "restart"]
        ran = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=LIMIT)
        assert ran.returncode == 0, ran.stderr

    def close(self) -> None:
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
