"""One scripted answer on its way to the client."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from . import anthropic, shapes
from .received import Received
from .script import Script, Step

Send = Callable[[bytes], Coroutine[Any, Any, None]]


@dataclass
class Answer:
    request: Received
    script: Script
    writer: asyncio.StreamWriter
    released: asyncio.Event

    async def send(self) -> bool:
        """True when the connection may be used again."""
        request, script, writer = self.request, self.script, self.writer
        await asyncio.sleep(script.delay)

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()
            request.bytes_sent += len(data)

        if script.wire is not None:
            await self._play(script.wire, send)
            request.finished = True
            return script.keep_alive
        body = script.body
        if body is None and script.status >= 400:
            error = anthropic.error if request.is_anthropics else shapes.error
            body = json.dumps(error(script.status, script.error_message))
        elif body is None and script.raw is None and not request.body.get("stream"):
            body = json.dumps(self._whole())
        if body is not None:
            data = body.encode() if isinstance(body, str) else body
            length = {} if script.status in (204, 304) else {"Content-Length": str(len(data))}
            await send(_head(script, "application/json", length) + data)
            request.finished = True
            return True
        await send(_head(script, "text/event-stream", {"Transfer-Encoding": "chunked"}))
        if script.raw is not None:
            await self._play(script.raw, lambda data: send(_chunk(data)))
        elif not await self._stream(lambda data: send(_chunk(data))):
            if script.cut == "reset":
                await asyncio.sleep(0.2)  # a reset takes away what nobody has read
                linger = struct.pack("ii", 1, 0)
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if script.cut == "end":
                await send(b"0\r\n\r\n")
                return True
            return False
        await send(b"0\r\n\r\n")
        request.finished = True
        return True

    async def _play(self, steps: Sequence[Step], send: Send) -> None:
        for step in steps:
            if isinstance(step, threading.Event):
                while not step.is_set():  # noqa: ASYNC110, it is set in another thread
                    await asyncio.sleep(0.005)
            else:
                await (send(step) if isinstance(step, bytes) else asyncio.sleep(step))

    async def _stream(self, send: Send) -> bool:
        """False when the script cuts the stream."""
        request, script = self.request, self.script
        speaks = anthropic.Words if request.is_messages else Words
        words = speaks(request, script)
        await send(words.begin(request.body))
        await asyncio.sleep(script.first_token_after)
        if script.reasoning:
            await send(words.thought(script.reasoning))
        pieces: Iterator[str] = iter(script.deltas or re.findall(r"\s*\S+|\s+", script.text or ""))
        hold_after = script.hold_after
        while True:
            if request.deltas_sent == script.stall_after:
                await asyncio.Event().wait()
            if request.deltas_sent == hold_after:
                await self.released.wait()
            if request.deltas_sent == script.cut_after:
                return False
            if request.deltas_sent == script.error_after:
                await send(words.failure())
                return True
            if (piece := next(pieces, None)) is None:
                break
            if script.tokens_per_second and request.deltas_sent:
                await asyncio.sleep(1 / script.tokens_per_second)
            await send(words.piece(piece))
            request.deltas_sent += 1
            request.text_sent += piece
        await send(words.end(self._usage(), request.body))
        return True

    def _usage(self) -> dict[str, Any]:
        request, script = self.request, self.script
        if script.usage is not None:
            return script.usage
        if request.is_messages:
            return anthropic.usage(request.body, len((script.text or "").split()))
        return shapes.usage(request.body, len((script.text or "").split()), script.cost)

    def _whole(self) -> dict[str, Any]:
        request, script = self.request, self.script
        request.text_sent = "".join(script.deltas or [script.text or ""])
        if request.is_messages:
            return anthropic.whole(request.model, script, request.text_sent, self._usage())
        message = {"role": "assistant", "content": request.text_sent}
        choice = {"index": 0, "message": message, "finish_reason": script.finish_reason}
        whole: dict[str, Any] = {"id": f"chatcmpl-{id(request):x}", "object": "chat.completion"}
        whole |= {"model": request.model, "choices": [choice]} | script.chunk
        return whole | {"usage": self._usage()}


class Words:
    """A stream in chat completions' words, piece by piece."""

    def __init__(self, request: Received, script: Script) -> None:
        self._script = script
        self._base: dict[str, Any] = {
            "id": f"chatcmpl-{id(request):x}",
            "object": "chat.completion.chunk",
        }
        self._base |= {"created": int(time.time()), "model": request.model} | script.chunk

    def begin(self, body: dict[str, Any]) -> bytes:
        return b""

    def thought(self, text: str) -> bytes:
        return self._delta(reasoning=text)

    def piece(self, text: str) -> bytes:
        return self._delta(content=text)

    def failure(self) -> bytes:
        failed = shapes.error(502, self._script.error_message)
        return self._event(choices=[{"index": 0, "delta": {}, "finish_reason": "error"}], **failed)

    def end(self, usage: dict[str, Any], body: dict[str, Any]) -> bytes:
        said = self._delta(self._script.finish_reason) if self._script.finish_reason else b""
        wanted = "cost" in usage or body.get("stream_options", {}).get("include_usage")
        if usage and wanted:
            said += self._event(choices=[], usage=usage)
        return said + (b"data: [DONE]\n\n" if self._script.done else b"")

    def _event(self, **more: Any) -> bytes:
        return b"data: " + json.dumps(self._base | more).encode() + b"\n\n"

    def _delta(self, finish: str | None = None, **delta: Any) -> bytes:
        return self._event(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


def _head(script: Script, content_type: str, more: dict[str, str]) -> bytes:
    phrases = {s.value: s.phrase for s in HTTPStatus}
    headers = {"Content-Type": script.content_type or content_type} | script.headers | more
    lines = [f"HTTP/1.1 {script.status} {phrases.get(script.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""
