"""Where the socket is: the rules of the command line, in its words (`proto/src/address.rs`)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import quote

from . import errors

SOCKET_VARIABLE = "KTRDR_SOCKET"
SYSTEM_SOCKET = Path("/run/ktrdr/ktrdrd.sock")
#: Linux: 108 bytes with the NUL at the end; macOS: 104.
PATH_BYTES_MAX = 107 if os.uname().sysname == "Linux" else 103


def find(socket: str | os.PathLike[str] | None) -> Path:
    """
    The socket to call: the argument, else `KTRDR_SOCKET`, else the user's when it is there, else the system's on a machine
    that has one, else the user's.
    """
    chosen = socket if socket is not None else os.environ.get(SOCKET_VARIABLE) or None
    if chosen is not None:
        return _fitting(Path(os.path.abspath(chosen)))
    user = _of_user()
    if not user.exists() and SYSTEM_SOCKET.parent.exists():
        return SYSTEM_SOCKET
    _verify_tmp(user)
    return _fitting(user)


def target(socket: Path) -> str:
    """The socket as gRPC names it."""
    return f"unix:{quote(str(socket))}"


def _of_user() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime, "ktrdr") if runtime else Path(f"/tmp/ktrdr-{os.getuid()}")
    return folder / "ktrdrd.sock"


def _fitting(path: Path) -> Path:
    length = len(os.fsencode(path))
    if length > PATH_BYTES_MAX:
        raise errors.SocketPathTooLong(
            f"the socket path has {length} bytes, more than the {PATH_BYTES_MAX} the system allows: {path}"
        )
    return path


def _verify_tmp(socket: Path) -> None:
    """Anyone may make a folder under /tmp, so one that is not ours alone is refused rather than trusted."""
    folder = socket.parent
    if folder.parent != Path("/tmp"):
        return
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise errors.DaemonUnreachable(f"{folder} is not a folder of ours with mode 0700")
