"""What goes out over a connection that Twisted keeps."""

from __future__ import annotations

from typing import Any

from twisted.internet.tcp import Connection


def write_now(transport: Any, data: bytes) -> None:
    """Twisted would ask the system to be told when it may write, and write in the loop's next turn:
    three more questions and a turn for what nearly always can be written at once."""
    is_plain = isinstance(transport, Connection) and not transport.TLS
    if is_plain and transport.connected and not (transport.dataBuffer or transport._tempDataBuffer):
        written = transport.writeSomeData(data)
        if isinstance(written, int):
            data = data[written:]
    if data:
        transport.write(data)  # of a connection that is lost, it says so in its own way


def held_by(transport: Any) -> int:
    """Bytes that were written and are in memory still: what is taken is freed with the last of
    them."""
    return len(transport.dataBuffer) + int(transport._tempDataLen)
