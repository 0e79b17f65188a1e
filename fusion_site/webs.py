"""The web server's processes: as many Daphnes as there are cores, on one listening socket.

The socket is opened once and inherited by each of them, so the system hands a connection to
whoever takes it first, and one that comes while they start again waits. Each serves pages and
websockets alike. One that dies is started again alone.

On Linux they are copies of this process, which has loaded everything and serves nobody: what none
of them changes is in memory once, and one that has died is there again in a moment. Elsewhere the
system's own libraries do not bear being copied, and each loads for itself.

`up` starts it on a socket, a container on an address:
`python -m fusion_site.webs -b 0.0.0.0 -p 8000`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from functools import partial
from importlib import import_module

from . import address, programs
from .child import Child, Copy, KeepsDying, end


def children(listening: socket.socket, count: int, *, are_copies: bool) -> list[Child]:
    """Not yet started. They are told how many they are by `programs.WEB_PROCESSES`."""
    number = listening.fileno()
    names = ["web"] if count == 1 else [f"web-{n}" for n in range(1, count + 1)]
    if are_copies:
        return [Copy(name, partial(_serve, number)) for name in names]
    command = [sys.executable, *programs.WEB, "--fd", str(number)]
    return [Child(name, command, None, sockets=(number,)) for name in names]


# Most of what `web` imports, and nothing that makes a loop, which is each process's own.
OF_THE_SERVER = ("daphne.http_protocol", "daphne.ws_protocol", "twisted.internet.threads", "uvloop")
REACTOR = "twisted.internet.reactor"


def load() -> None:
    """All but the server itself."""
    from . import asgi, warm

    assert asgi.application
    warm.up()
    for name in OF_THE_SERVER:
        with contextlib.suppress(ImportError):
            import_module(name)
    assert REACTOR not in sys.modules
    gc.collect()
    gc.freeze()  # or looking for garbage would write to what is shared


def _serve(number: int) -> None:
    from . import web

    web.serve("--fd", str(number))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m fusion_site.webs", description=__doc__)
    parser.add_argument("-b", "--host", default=os.environ.get("FUSION_HOST") or "127.0.0.1")
    port = os.environ.get("FUSION_PORT") or "8000"
    parser.add_argument("-p", "--port", type=address.port_number, default=port)
    parser.add_argument("--fd", type=int, help="a socket that listens, in their place")
    usual = os.environ.get(programs.WEB_PROCESSES, "")
    parser.add_argument("--web-processes", type=programs.web_processes, default=usual)
    options = parser.parse_args(arguments)

    signals = 0
    signalled = threading.Event()

    def take(number: int, frame: object) -> None:
        nonlocal signals
        signals += 1
        signalled.set()

    os.environ[programs.WEB_PROCESSES] = str(options.web_processes)
    inherited = options.fd is not None
    listening = (
        socket.socket(fileno=options.fd)
        if inherited
        else address.listen(options.host, options.port)
    )
    are_copies = sys.platform == "linux"
    with listening:
        webs = children(listening, options.web_processes, are_copies=are_copies)
        if are_copies:
            load()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, take)
        try:
            while not signalled.is_set():
                for child in webs:
                    child.revive(dict(os.environ))
                signalled.wait(0.25)
        except KeepsDying as e:
            raise SystemExit(f"{e}.") from None
        finally:
            end(webs, hurry=lambda: signals > 1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
