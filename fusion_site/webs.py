"""The web server's processes: as many Daphnes as there are cores, on one listening socket.

The socket is opened once and inherited by each of them, so the system hands a connection to
whoever takes it first, and one that comes while they start again waits. Each serves pages and
websockets alike. One that dies is started again alone.

`up` keeps them itself. In a container this module is the command:
`python -m fusion_site.webs -b 0.0.0.0 -p 8000`.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading

from . import address, programs
from .child import Child, KeepsDying, end
from .var_dir import LogFile

VARIABLE = "FUSION_WEB_PROCESSES"


def children(listening: socket.socket, count: int, log: LogFile | None = None) -> list[Child]:
    """Not yet started. They are told how many they are by `VARIABLE`."""
    number = listening.fileno()
    command = [sys.executable, *programs.WEB, "--fd", str(number)]
    names = ["web"] if count == 1 else [f"web-{n}" for n in range(1, count + 1)]
    return [Child(name, command, log, sockets=(number,)) for name in names]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m fusion_site.webs", description=__doc__)
    parser.add_argument("-b", "--host", default=os.environ.get("FUSION_HOST") or "127.0.0.1")
    port = os.environ.get("FUSION_PORT") or "8000"
    parser.add_argument("-p", "--port", type=address.port_number, default=port)
    usual = os.environ.get(VARIABLE, "")
    parser.add_argument("--web-processes", type=programs.web_processes, default=usual)
    options = parser.parse_args(arguments)

    signals = 0
    signalled = threading.Event()

    def take(number: int, frame: object) -> None:
        nonlocal signals
        signals += 1
        signalled.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, take)
    environment = {**os.environ, VARIABLE: str(options.web_processes)}
    with address.listen(options.host, options.port) as listening:
        webs = children(listening, options.web_processes)
        try:
            while not signalled.is_set():
                for child in webs:
                    child.revive(environment)
                signalled.wait(0.25)
        except KeepsDying as e:
            raise SystemExit(f"{e}.") from None
        finally:
            end(webs, hurry=lambda: signals > 1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
