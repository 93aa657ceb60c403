"""What the pages say is what happens."""

from __future__ import annotations

import contextlib
import doctest
import importlib.resources
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import ktrdr_client
import nbformat
import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import proto_reflection_descriptor_database
from nbclient import NotebookClient
from world import LIMIT, ROOT, Daemon, Gateway, market

README = ROOT / "proto/python/README.md"
API = (ROOT / "docs/API.md").read_text()


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon with a gateway, whose socket everybody finds."""
    gateway = Gateway("--time-scale", "60")
    daemon = Daemon(gateway)
    monkeypatch.setenv("KTRDR_SOCKET", daemon.socket)
    yield daemon
    daemon.close()
    gateway.close()


def test_the_readme(at_work: Daemon) -> None:
    failed, tried = doctest.testfile(str(README), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8")
    assert (failed, tried > 0) == (0, True)


def test_the_docstrings() -> None:
    failed, tried = doctest.testmod(ktrdr_client.errors)
    assert (failed, tried > 0) == (0, True)


def test_the_notebook(at_work: Daemon, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    notebook = nbformat.read(ROOT / "docs/examples/first_steps.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without what it printed"
    NotebookClient(notebook, timeout=LIMIT, kernel_name="python3").execute()
    shown = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert "NVDA 1h" in shown and "completed" in shown, "a progress bar"
    assert "has no time zone" in shown and "Loaded(symbol='NVDA'" in shown


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", API, re.M | re.S)


@pytest.fixture
def contract(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract as the page compiles it, which may be in a program beside that of the package."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    protos = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").glob("ktrdr/v1/*.proto"))
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{well_known}", "-I", "."]
    subprocess.run([*protoc, f"--python_out={tmp_path}", f"--grpc_python_out={tmp_path}", *protos], cwd=ROOT / "proto", check=True)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_the_python_of_the_api(contract: None, closing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    gateway = closing(Gateway("--time-scale", "60", *market()))
    daemon = closing(Daemon(gateway))
    monkeypatch.setenv("KTRDR_SOCKET", daemon.socket)
    namespace: dict[str, Any] = {}
    python = blocks("python")
    for block in python:
        exec(compile(block, "docs/API.md", "exec"), namespace)
    namespace["channel"].close()
    printed = capsys.readouterr().out
    assert len(python) == 4 and "SERIES_NOT_FOUND -> ktrdr data load NOPE --timeframe 1d" in printed
    assert "rows follow" in printed and "SERIES_NOT_FOUND {" in printed and "'symbol': 'NOPE'" in printed


def test_the_javascript_of_the_api_is_that_of_the_client_which_runs() -> None:
    runs = (ROOT / "tests/node/client.mjs").read_text().splitlines()
    [block] = blocks("js")
    assert [line for line in block.splitlines() if line not in runs] == []


def test_the_calls_of_grpcurl(stored: Daemon) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("grpcurl")]
    with contextlib.closing(
        grpc.insecure_channel(f"unix:{stored.socket}", options=[("grpc.default_authority", "localhost")])
    ) as channel:
        reflected = proto_reflection_descriptor_database.ProtoReflectionDescriptorDatabase(channel)
        pool = descriptor_pool.DescriptorPool(reflected)
        answers = {words[-1]: grpcurl(channel, reflected, pool, words) for words in map(shlex.split, lines)}
    assert {"ktrdr.v1.MarketData", "grpc.health.v1.Health"} <= set(answers["list"])
    assert answers["ktrdr.v1.Daemon/GetStatus"][0]["series"] == "8"
    header, bars = answers["ktrdr.v1.MarketData/Query"]
    assert header["header"]["rowsSent"] == "3" and len(bars["bars"]["close"]) == 3
    assert answers["ktrdr.v1.Operations/List"] == [{}]
    # by itself it says the same; nobody here can install it
    for line in lines if shutil.which("grpcurl") else []:
        said = subprocess.check_output(["sh", "-ec", line], env={**os.environ, "KTRDR_SOCKET": stored.socket}, text=True)
        call = line.split()[-1]
        if call == "list":
            ours = [name for name in said.split() if "reflection" not in name]
            assert ours == sorted(name for name in answers[call] if "reflection" not in name)
        elif call.endswith("GetStatus"):
            # memory and the like differ from one call to the next
            assert [one["pid"] for one in documents(said)] == [one["pid"] for one in answers[call]]
        else:
            assert documents(said) == answers[call]


def documents(text: str) -> list[Any]:
    """One after the other."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        found.append(document)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def grpcurl(channel: grpc.Channel, reflected: Any, pool: Any, words: list[str]) -> Any:
    """As grpcurl does it: by reflection alone."""
    assert words[:2] == ["grpcurl", "-plaintext"] and words[-2] == "unix://$KTRDR_SOCKET"
    if words[-1] == "list":
        return reflected.get_services()
    service, name = words[-1].split("/")
    method = pool.FindServiceByName(service).FindMethodByName(name)
    request = message_factory.GetMessageClass(method.input_type)()
    json_format.Parse(words[words.index("-d") + 1] if "-d" in words else "{}", request)
    answer = message_factory.GetMessageClass(method.output_type)
    kinds = {"request_serializer": type(request).SerializeToString, "response_deserializer": answer.FromString}
    if method.server_streaming:
        messages = list(channel.unary_stream(f"/{words[-1]}", **kinds)(request, timeout=LIMIT))
    else:
        messages = [channel.unary_unary(f"/{words[-1]}", **kinds)(request, timeout=LIMIT)]
    return [json_format.MessageToDict(message) for message in messages]
