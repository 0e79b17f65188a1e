"""The server: HTTP/1.1 by hand on asyncio streams, so that it can break any rule of it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from . import anthropic, shapes
from .answer import Answer
from .received import Received
from .script import BUILT_IN, Script, by_name

Body = dict[str, Any]
Choice = Script | Callable[[Body], Script]

running: list[Upstream] = []  # of this process, whoever started them


@dataclass
class Upstream:
    """See the package's docstring. Entered with `with` (own thread) or `async with`."""

    strict: bool = False
    api_key: str = ""  # when set, any other key gets 401
    port: int = 0
    host: str = "127.0.0.1"
    requests: list[Received] = field(default_factory=list)
    open_connections: int = 0

    def __post_init__(self) -> None:
        self._scripts: dict[str, list[Choice]] = {}
        self._kept: dict[str, list[Choice]] = {}
        self._asked: dict[str, int] = {}
        self._hold_all = False
        self._connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None

    # ---- what tests say

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    @property
    def calls(self) -> list[Received]:
        """Requests for completions only."""
        ends = ("/chat/completions", "/messages")
        return [r for r in self.requests if r.path.endswith(ends)]

    def calls_of(self, model: str) -> list[Received]:
        return [r for r in self.calls if r.model == model]

    def script(self, model: str, *choices: Choice) -> None:
        """For a model, or a path as `/v1/models`: one choice a request, the last repeats."""
        self._scripts[model] = list(choices)
        self._asked.pop(model, None)

    def keep(self) -> None:
        """What is scripted by now is there for every test; so is what was before it began."""
        self._kept = dict(self._scripts)

    def begin_anew(self) -> None:
        """Between tests that share it: what one scripted, asked and held, the next knows nothing
        of. What still waits goes on."""
        self._scripts = dict(self._kept)
        self._asked.clear()
        self.requests.clear()
        self.release()

    def hold(self, everything: bool = True) -> None:
        """Hold from now on; `everything=False`: only scripts that say so themselves."""
        self._hold_all = everything
        self._loop.call_soon_threadsafe(self._released.clear)

    def release(self) -> None:
        self._hold_all = False
        self._loop.call_soon_threadsafe(self._released.set)

    async def until(self, condition: Callable[[], object], timeout: float = 60) -> None:
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110, it may be about anything
                await asyncio.sleep(0.005)

    def wait_until(self, condition: Callable[[], object], timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the upstream did not see what the test waited for")
            time.sleep(0.005)

    # ---- life

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._released = asyncio.Event()
        self.keep()
        running.append(self)
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, limit=2**25, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        running.remove(self)
        self._server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)
        await self._server.wait_closed()

    def __enter__(self) -> Self:
        ready = threading.Event()

        async def live() -> None:
            async with self:
                self._stop = asyncio.Event()
                ready.set()
                await self._stop.wait()

        self._thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the upstream did not start")
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._thread
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    # ---- connections

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._connections += 1
        self.open_connections += 1
        writer.transport.set_write_buffer_limits(high=0)
        try:
            await self._serve(reader, writer, self._connections)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the server is closing
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        early = b""
        while True:
            head = early + await reader.readuntil(b"\r\n\r\n")
            line, *fields = head.decode("latin-1").rstrip().split("\r\n")
            method, path, _ = line.split(" ", 2)
            headers = {
                k.strip().lower(): v.strip() for k, _, v in (f.partition(":") for f in fields)
            }
            sent = await reader.readexactly(int(headers.get("content-length", 0)))
            body = json.loads(sent) if sent else {}
            request = Received(time.time(), method, path, headers, body, number)
            self.requests.append(request)
            answer = asyncio.ensure_future(self._answer(request, writer).send())
            hangup = asyncio.ensure_future(reader.read(1))
            try:
                await asyncio.wait({answer, hangup}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done() and (hangup.exception() or hangup.result() == b""):
                    request.closed_by_client = True
                    return
                keep = await answer
                if keep and not hangup.done():
                    early = b""
                elif keep:
                    early = hangup.result()
                else:
                    return
            except OSError:
                request.closed_by_client = not request.finished
                raise
            finally:
                request.ended_at = time.time()
                for task in (answer, hangup):
                    task.cancel()
                await asyncio.gather(answer, hangup, return_exceptions=True)

    # ---- answers

    def _chosen(self, key: str, body: Body) -> Script | None:
        choices: Sequence[Choice] = self._scripts.get(key, ())
        if not choices:
            return None
        turn = self._asked[key] = self._asked.get(key, -1) + 1
        choice = choices[min(turn, len(choices) - 1)]
        return choice if isinstance(choice, Script) else choice(body)

    def _script_of(self, request: Received) -> Script:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.is_anthropics:  # which takes it in either place
            shown = request.headers.get("x-api-key", shown)
        if self.api_key and shown != self.api_key:
            return Script(status=401, error_message="Incorrect API key provided.")
        if script := self._chosen(request.path, request.body):
            return script
        if request.is_anthropics and (refusal := anthropic.refusal(request)):
            return Script(status=400, error_message=refusal)
        if request.is_anthropics and request.path.split("?")[0].endswith("/models"):
            names = [*self._scripts, *BUILT_IN]
            return Script(body=json.dumps(anthropic.models(names, request.path)))
        if request.path.endswith("/models"):
            models = [{"id": name, "object": "model"} for name in (*self._scripts, *BUILT_IN)]
            return Script(body=json.dumps({"object": "list", "data": models}))
        if request.path.endswith("/key"):
            key = {"label": "scripted", "limit": 10, "usage": 2.5, "limit_remaining": 7.5}
            return Script(body=json.dumps({"data": key}))
        if request not in self.calls:
            return Script(status=404, error_message="No such path.")
        model = request.model
        script = self._chosen(model, request.body) or by_name(model)
        if script is None and self.strict:
            return Script(status=404, error_message=f"The model `{model}` does not exist.")
        script = script or Script()
        schema = shapes.wanted_schema(request.body)
        if schema is None:
            text = (
                f"This is the scripted answer of {model}." if script.text is None else script.text
            )
            return replace(script, text=text.replace("{prompt}", shapes.last_prompt(request.body)))
        if script.judge:
            script = script.judge
            return script if script.text is not None else replace(script, text=shapes.fill(schema))
        return replace(script, text=shapes.fill(schema), deltas=None)

    def _answer(self, request: Received, writer: asyncio.StreamWriter) -> Answer:
        script = self._script_of(request)
        if self._hold_all:
            script = replace(script, hold_after=1)
        return Answer(request, script, writer, self._released)
