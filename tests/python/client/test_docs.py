"""What the pages say is what happens."""

from __future__ import annotations

import doctest
import pathlib

import ktrdr_client
import pytest
from world import ROOT, Daemon, Gateway

README = ROOT / "proto/python/README.md"


@pytest.fixture(scope="module")
def at_work():
    """A daemon with a gateway, for all examples of these pages."""
    gateway = Gateway("--time-scale", "60")
    daemon = Daemon(gateway)
    yield daemon
    daemon.close()
    gateway.close()


def doctested(path: pathlib.Path) -> None:
    failed, tried = doctest.testfile(str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8")
    assert (failed, tried > 0) == (0, True)


def test_the_readme(at_work: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KTRDR_SOCKET", at_work.socket)
    doctested(README)


def test_the_docstrings() -> None:
    for module in (ktrdr_client.errors,):
        failed, tried = doctest.testmod(module)
        assert (failed, tried > 0) == (0, True)
