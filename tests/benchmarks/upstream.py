"""A lean server of models, in a process of its own, that stamps the time into every delta.

    .venv/bin/python -m tests.benchmarks.upstream      prints its port, ends with its stdin

A model's name is its script, in any order: `100t-50r-300f` says 100 deltas, 50 a second, the first
after 300 ms, and `-600h` ten minutes of silence before its end; what comes before the first part
(`a-100t`) only tells models apart. A request for JSON gets an analysis of about a hundred deltas at
the same pace, one for a model whose name begins with a kind of `texts.py` such a text, any other a
text whose every word is a moment: five capital letters, tenths of milliseconds of the monotonic
clock, which all processes of a machine share.

`GET /log` lists what was asked: model, the mark that the prompt holds (`mark-…`), moments of the
request, of the first delta and of the end. `GET /clear` empties it.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self, cast

import httpx

from tests.benchmarks import texts
from tests.upstream import shapes

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDTH = 5
CYCLE: int = len(LETTERS) ** WIDTH  # of tenths of milliseconds: 20 minutes
STAMP = re.compile(r"\b[A-Z]{5}\b")
PARAGRAPH = 40  # words
ANALYSIS = 98  # deltas
MARK = re.compile(rb"mark-(\w+)")
_PART = re.compile(r"(?<![^-])(\d+)([trfh])(?![^-])")


@dataclass(frozen=True)
class Script:
    tokens: int = 100
    per_second: float = 50
    first_after: float = 0.3
    hold: float = 0  # seconds between the last delta and the end

    @classmethod
    def of(cls, model: str) -> Script:
        parts = {kind: int(number) for number, kind in _PART.findall(model)}
        return cls(
            parts.get("t", 100), parts.get("r", 50), parts.get("f", 300) / 1000, parts.get("h", 0)
        )


def name(tokens: int, per_second: int = 50, first_ms: int = 300, of: str = "m") -> str:
    return f"{of}-{tokens}t-{per_second}r-{first_ms}f"


def stamp(moment: float) -> str:
    number = int(moment * 10_000) % CYCLE
    letters = ""
    for _ in range(WIDTH):
        number, letter = divmod(number, len(LETTERS))
        letters = LETTERS[letter] + letters
    return letters


def age(text: str, now: float) -> float:
    """Seconds since the moment that a stamp names."""
    then = 0
    for letter in text:
        then = then * len(LETTERS) + ord(letter) - 65
    behind = (int(now * 10_000) - then) % CYCLE
    return (behind if behind <= CYCLE // 2 else behind - CYCLE) / 10_000


@dataclass
class Asked:
    model: str
    mark: str
    at: float
    first_at: float = 0.0
    ended_at: float = 0.0
    deltas: int = 0
    is_analysis: bool = False

    @property
    def seconds(self) -> float:
        return self.ended_at - self.at


class Server(asyncio.Protocol):
    """A connection: one request at a time, each answered by a stream."""

    log: list[Asked] = []

    def __init__(self) -> None:
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none by its class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        self._buffer = rest[size:]
        line = head.split(b"\r\n", 1)[0].split(b" ")
        if line[0] == b"POST":
            self._task = asyncio.ensure_future(self._answer(rest[:size]))
        else:
            self._tell(line[1])

    def _tell(self, path: bytes) -> None:
        body: Any = {"object": "list", "data": []}
        if path.endswith(b"/log"):
            body = [asdict(asked) for asked in self.log]
        elif path.endswith(b"/clear"):
            self.log.clear()
        said = json.dumps(body).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(said), said)
        )

    async def _answer(self, body: bytes) -> None:
        now = time.monotonic
        asked = json.loads(body)
        model = str(asked.get("model", ""))
        mark = MARK.search(body)
        schema = shapes.wanted_schema(asked)
        one = Asked(model, mark[1].decode() if mark else "", now(), is_analysis=schema is not None)
        self.log.append(one)
        script = Script.of(model)
        write = self._transport.write
        write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        base: dict[str, Any] = {"id": f"chatcmpl-{id(one):x}", "object": "chat.completion.chunk"}
        base |= {"created": int(time.time()), "model": model, "system_fingerprint": "fp_44709d6fcb"}
        before = json.dumps(base)[:-1] + ', "choices": [{"index": 0, "delta": {"content": "'
        after = '"}, "logprobs": null, "finish_reason": null}]}\n\n'
        kind = model.partition("-")[0]
        pieces = texts.deltas(kind, script.tokens) if kind in texts.KINDS else None
        if schema:
            pieces = _cut(shapes.fill(schema), ANALYSIS)
        total = len(pieces) if pieces else script.tokens
        await asyncio.sleep(script.first_after)
        began = one.first_at = now()
        for number in range(total):
            due = began + number / script.per_second
            if (wait := due - now()) > 0:
                await asyncio.sleep(wait)
            if pieces:
                word = json.dumps(pieces[number])[1:-1]
            else:
                end = ".\\n\\n" if number % PARAGRAPH == PARAGRAPH - 1 else " "
                word = stamp(now()) + end
            write(_chunk(f"data: {before}{word}{after}"))
            one.deltas = number + 1
        await asyncio.sleep(script.hold)
        words = len(body) // 6
        usage = {"prompt_tokens": words, "completion_tokens": total, "total_tokens": words + total}
        stop = base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        last = base | {"choices": [], "usage": usage}
        said = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in (stop, last))
        write(_chunk(f"{said}data: [DONE]\n\n") + b"0\r\n\r\n")
        one.ended_at = now()


def _cut(text: str, pieces: int) -> list[str]:
    size = max(1, -(-len(text) // pieces))
    return [text[at : at + size] for at in range(0, len(text), size)]


def _chunk(text: str) -> bytes:
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


class Upstream:
    """The process, from another."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.upstream"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def log(self) -> list[Asked]:
        return [Asked(**one) for one in httpx.get(f"{self.url}/log", timeout=60).json()]

    def clear(self) -> None:
        httpx.get(f"{self.url}/clear", timeout=60)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve())
