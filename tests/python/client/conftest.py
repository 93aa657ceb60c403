"""What the tests have in common: a daemon with stored bars, one with a gateway, clients of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ktrdr_client import Client
from world import DATA, SCALE, Daemon, Gateway

FILES = sorted(DATA.glob("*.csv"))


@pytest.fixture(scope="session")
def stored() -> Iterator[Daemon]:
    """A daemon with the bars of `tests/data`, and without a gateway. Nobody changes what it has."""
    daemon = Daemon()
    daemon.ktrdr("data", "import", *FILES)
    yield daemon
    daemon.close()


@pytest.fixture(scope="session")
def client(stored: Daemon) -> Iterator[Client]:
    """A client of that daemon."""
    with Client(stored.socket) as client:
        yield client


@pytest.fixture
def closing() -> Iterator[Callable[[Any], Any]]:
    """Closes what it is given at the end of the test, the last one first."""
    with contextlib.ExitStack() as stack:

        def close_later(thing: Any) -> Any:
            stack.callback(thing.close)
            return thing

        yield close_later


@pytest.fixture
def pair(closing: Callable[[Any], Any]) -> Callable[..., tuple[Gateway, Daemon, Client]]:
    """Makes a gateway, a daemon of it and a client of that."""

    def make(*flags: str, replay: bool = True, scale: int = SCALE) -> tuple[Gateway, Daemon, Client]:
        gateway = closing(Gateway("--time-scale", str(scale), *flags, replay=replay))
        daemon = closing(Daemon(gateway, KTRDR_TEST_TIME_SCALE=str(scale)))
        return gateway, daemon, closing(Client(daemon.socket))

    return make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """The daemon's log belongs to the story of a test that fails."""
    outcome: Any = yield
    if call.when == "call" and call.excinfo is not None:
        for thing in getattr(item, "funcargs", {}).values():
            if isinstance(thing, Daemon) and thing.log.exists():
                outcome.get_result().sections.append(("the daemon's log", thing.log.read_text()))
    sys.stdout.flush()
