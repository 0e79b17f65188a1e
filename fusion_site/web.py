"""The web server: Daphne as Fusion runs it, with limits for what it takes from anybody
(web_requests.py), and websockets with less work for each message (web_sockets.py).

Daphne has no option for that, and no place to put one. All that is used of its
and Twisted's inner parts is used in these files, and tests/live/test_body_limit.py fails
when a new version has changed them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import sys
from typing import Any

from . import reactor as installed  # noqa: F401 - first of all that is Twisted's

# isort: split
import autobahn.websocket.protocol
import daphne.server
from daphne.cli import CommandLineInterface
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString

from . import ending, memory, own_modules_last
from .sqlite3 import base as sqlite3
from .web_requests import Factory, Request
from .web_sockets import Socket, SocketFactory

# Quiet, because its access log would hold the tokens of share links. Closing a page need
# not wait for its consumer.
OPTIONS = ["--verbosity", "0", "--no-server-name", "--application-close-timeout", "3"]
# What a browser sends is small. The limits hold for both directions: console/live/sockets.py
# sends what is longer in parts.
OPTIONS += ["--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"]
# To SQLite, kept from request to request. Few ask it at the same time, and each has a memory.
CONNECTIONS = 4


def endpoint(reactor: Any, description: str) -> Any:
    """Of an inherited socket Daphne says that it is IPv4's."""
    is_inherited, number = description.startswith("fd:fileno="), description.rpartition("=")[2]
    if not is_inherited:
        return serverFromString(reactor, description)
    with socket.socket(fileno=os.dup(int(number))) as inherited:
        family = inherited.family
    return AdoptedStreamServerEndpoint(reactor, int(number), family)


class Server(daphne.server.Server):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ports: list[Any] = []

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def kill_all_applications(self) -> Deferred[None]:
        """What the loop waits for before it ends."""
        last = ending.end(self.ports, self.connections, self.is_waited_for)
        return Deferred.fromFuture(asyncio.ensure_future(last))

    def is_waited_for(self, protocol: Any) -> bool:
        is_over = "disconnected" in self.connections[protocol]
        return isinstance(protocol, Request) and not is_over and protocol.is_waited_for

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, Socket):
            scope["extensions"] = {"fusion.listen": protocol.listen}
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """What an open socket is sent goes there; Daphne would look for it among all connections,
        and for headers."""
        text = message["type"] == "websocket.send" and message.get("text")
        if text and protocol.state == protocol.STATE_OPEN:
            protocol.serverSend(text)
        else:
            await super().handle_reply(protocol, message)

    def run(self) -> None:
        # What `run` calls by these names.
        daphne.server.HTTPFactory = Factory
        daphne.server.WebSocketFactory = SocketFactory
        daphne.server.serverFromString = endpoint
        # Of every socket Autobahn puts down how it is set up, in columns, for the same log.
        autobahn.websocket.protocol.pformat = str
        self.ready_callable = self.must_be_limited
        super().run()

    def must_be_limited(self) -> None:
        if not isinstance(self.http_factory, Factory):
            raise SystemExit("This version of Daphne cannot be given a limit for what it takes.")


class Command(CommandLineInterface):
    server_class = Server

    def load_asgi_app(self, asgi_app_path: str) -> Any:
        own_modules_last()  # Daphne has put the working directory first
        return super().load_asgi_app(asgi_app_path)


def as_many_files_as_allowed() -> None:
    """A connection is one, and most systems begin with 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS names a limit that it refuses
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve(*arguments: str) -> None:
    # A thread that makes a page holds the interpreter as long as nobody asks for it, and for five
    # milliseconds more; the loop, which sends frames, asks at every turn.
    sys.setswitchinterval(0.0005)
    as_many_files_as_allowed()
    memory.look_for_garbage()
    sqlite3.keep(CONNECTIONS)
    Command().run([*OPTIONS, *arguments, "fusion_site.asgi:application"])


def main() -> None:
    """One process alone; `webs` has several."""
    from . import asgi, warm

    assert asgi.application  # it sets Django up
    warm.up()
    serve(*sys.argv[1:])


if __name__ == "__main__":
    main()
