"""Standard input and output, for a client that says all it has to say and closes its end.

The SDK ends with its input, and tells whoever still waits for an answer "Connection closed". Here
the end of the input is passed on once everything that was read before it has been answered.
"""

from __future__ import annotations

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse, RequestId

CANCELLED = "notifications/cancelled"
Read = SessionMessage | Exception


class _Unanswered:
    """The requests that were read and not answered yet, nor taken back."""

    def __init__(self) -> None:
        self._ids: set[RequestId] = set()
        self._none = anyio.Event()

    def note(self, read: Read) -> None:
        message = read.message if isinstance(read, SessionMessage) else None
        if isinstance(message, JSONRPCRequest):
            self._ids.add(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == CANCELLED:
            self.settle((message.params or {}).get("requestId"))

    def settle(self, answered: RequestId | None) -> None:
        if answered is not None:
            self._ids.discard(answered)
        if not self._ids:
            self._none.set()

    async def wait_for_none(self) -> None:
        """At the end of the input: no more come."""
        if self._ids:
            self._none = anyio.Event()
            await self._none.wait()


async def serve(server: Server) -> None:
    unanswered = _Unanswered()
    to_server, as_read = anyio.create_memory_object_stream[Read](0)
    as_written, from_server = anyio.create_memory_object_stream[SessionMessage](0)

    async def read_on(stdin: ObjectReceiveStream[Read]) -> None:
        async with to_server:
            async for read in stdin:
                unanswered.note(read)
                await to_server.send(read)
            await unanswered.wait_for_none()

    async def write_on(stdout: ObjectSendStream[SessionMessage]) -> None:
        async with stdout:
            async for written in from_server:
                await stdout.send(written)
                if isinstance(written.message, JSONRPCResponse | JSONRPCError):
                    unanswered.settle(written.message.id)

    async with stdio_server() as (stdin, stdout), anyio.create_task_group() as tasks:
        tasks.start_soon(read_on, stdin)
        tasks.start_soon(write_on, stdout)
        await server.run(as_read, as_written, server.create_initialization_options())
