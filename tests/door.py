"""A port that is kept from when it is chosen: between asking for a free one and listening there,
another process may take it."""

from __future__ import annotations

import socket
from types import TracebackType


class Door:
    """A port of 127.0.0.1 that nobody else gets. Connections are refused unless something listens
    there: on the socket that `open` makes, for a child to take over, or on one of its own that
    asks for SO_REUSEPORT."""

    def __init__(self) -> None:
        self._held = _at(0)
        self.port = int(self._held.getsockname()[1])

    def open(self) -> socket.socket:
        """Listens at once, so that whoever comes before the child is ready waits for it."""
        listening = _at(self.port)
        listening.listen(511)
        return listening

    def close(self) -> None:
        self._held.close()

    def __enter__(self) -> Door:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.close()


def _at(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
