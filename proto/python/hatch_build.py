"""
Makes, at each build, what the contract already says: messages, stubs and their types, the reasons, the contract number.

Read from `../ktrdr/v1/*.proto` and `../src/*.rs`; in a source package, from its copy in `contract/`. Nothing of it is in the tree.
"""

from __future__ import annotations

import importlib.resources
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HEAD = '"""Generated from {source} when the package was built."""\n\n'
# the exception that a gRPC code stands for: ktrdr_client/_error.py
FAMILIES = {
    "InvalidArgument": "InvalidArgumentError",
    "NotFound": "NotFoundError",
    "FailedPrecondition": "FailedPreconditionError",
    "Unavailable": "UnavailableError",
    "ResourceExhausted": "ResourceExhaustedError",
    "DeadlineExceeded": "DeadlineExceededError",
    "Aborted": "AbortedError",
    "Cancelled": "CancelledError",
    "DataLoss": "DataLossError",
    "PermissionDenied": "PermissionDeniedError",
    "Internal": "InternalError",
    "Unknown": "UnknownError",
}
REASON = re.compile(r'^    /// (?P<doc>.+)\n    (?P<name>[A-Z0-9_]+) = (?P<code>\w+), \w+, "(?P<hint>.*)";$', re.M)
CONTRACT = re.compile(r"^pub const CONTRACT: u32 = (\d+);$", re.M)


class Generated(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the generated modules to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is put together."""
        root = Path(self.root)
        contract = root / "contract" if (root / "contract").is_dir() else root.parent
        self.made = Path(tempfile.mkdtemp(prefix="ktrdr-client-"))
        package = self.made / "ktrdr_client"
        messages(contract, package)
        (package / "_reasons.py").write_text(reasons(contract / "src/reason.rs"), encoding="utf-8")
        (package / "_contract.py").write_text(number(contract / "src/lib.rs"), encoding="utf-8")
        for path in sorted(package.rglob("*.py*")):
            build_data["force_include"][str(path)] = str(path.relative_to(self.made))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after it."""
        shutil.rmtree(self.made, ignore_errors=True)


def messages(contract: Path, package: Path) -> None:
    """
    Compile the `.proto` files into `ktrdr_client.v1`.

    The files keep their names in protobuf's pool, so that a program may have compiled the same contract itself; only Python's
    imports move, away from the package `ktrdr` that others have.
    """
    out = package.parent / "out"
    out.mkdir()
    protos = sorted(str(path.relative_to(contract)) for path in contract.glob("ktrdr/v1/*.proto"))
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    kinds = ["python", "grpc_python", "mypy", "mypy_grpc"]
    plugins = [f"--plugin=protoc-gen-{kind}={plugin(kind)}" for kind in ("mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{contract}", f"-I{well_known}", *plugins]
    command += [f"--{kind}_out={'quiet:' if 'mypy' in kind else ''}{out}" for kind in kinds]
    subprocess.run([*command, *protos], cwd=contract, check=True)
    (package / "v1").mkdir(parents=True)
    for path in (out / "ktrdr/v1").iterdir():
        text = path.read_text(encoding="utf-8").replace("from ktrdr.v1 import", "from ktrdr_client.v1 import")
        (package / "v1" / path.name).write_text(text, encoding="utf-8")
    (package / "v1/__init__.py").write_text(HEAD.format(source="ktrdr/v1/*.proto"), encoding="utf-8")


def plugin(kind: str) -> str:
    """The program of mypy-protobuf: beside the interpreter, or wherever a build in isolation has it."""
    name = f"protoc-gen-{kind}"
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name) or name


def reasons(source: Path) -> str:
    """One exception a reason of the table."""
    text = source.read_text(encoding="utf-8")
    table = text[text.index("\nreasons! {") : text.index("\n}\n", text.index("\nreasons! {"))]
    found = list(REASON.finditer(table))
    lines = sum(1 for line in table.splitlines() if line.endswith('";'))
    if not found or len(found) != lines:
        raise SystemExit(f"{source}: {lines} reasons, of which {len(found)} can be read")
    names = [class_name(reason["name"]) for reason in found]
    families = sorted({FAMILIES[reason["code"]] for reason in found})
    parts = [HEAD.format(source="proto/src/reason.rs"), "from ._error import (\n"]
    parts += [f"    {family},\n" for family in families]
    parts.append(")\n\n__all__ = [\n")
    parts += [f'    "{name}",\n' for name in sorted(names)]
    parts.append("]\n")
    for name, reason in zip(names, found, strict=True):
        parts.append(
            f'\n\nclass {name}({FAMILIES[reason["code"]]}):\n    """{reason["doc"]}"""\n\n'
            f'    default_reason = "{reason["name"]}"\n    hint_template = {reason["hint"]!r}\n'
        )
    return "".join(parts)


def class_name(reason: str) -> str:
    """`SERIES_NOT_FOUND` → `SeriesNotFound`."""
    return "".join(word.capitalize() for word in reason.split("_"))


def number(source: Path) -> str:
    """The contract number."""
    found = CONTRACT.search(source.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{source}: no contract number")
    return HEAD.format(source="proto/src/lib.rs") + f"CONTRACT = {found[1]}\n"
