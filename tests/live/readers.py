"""The six ways in which a run is read while it goes on, each in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from websockets.exceptions import ConnectionClosed

from tests.live.member import Member, View
from tests.stack import PATIENCE, ROOT, Stack

ASK: dict[str, Any] = {
    "panel": ["openai:first", "openai:second"],
    "judge": "openai:judge",
    "synthesizer": "openai:writer",
}
PROMPT = "What is the answer?"


class Reader(threading.Thread):
    """`text` is the fused answer as it was told, `refusal` what it was ended with instead."""

    def __init__(self, stack: Stack, key: str) -> None:
        super().__init__(daemon=True)
        self.stack, self.headers = stack, {"Authorization": f"Bearer {key}"}
        self.run_id = self.text = self.refusal = ""
        self.bytes = 0  # of text, as they came
        self.ended_at = self.last_byte_at = 0.0

    def run(self) -> None:
        try:
            self.read()
        except Exception as error:
            self.refusal = f"broke: {error!r}"
        self.ended_at = time.monotonic()

    def read(self) -> None:
        raise NotImplementedError

    def came(self, text: str) -> None:
        if text:
            self.bytes += len(text)
            self.last_byte_at = time.monotonic()

    def events(self, method: str, path: str, **kw: Any) -> Iterator[dict[str, Any]]:
        url = f"{self.stack.url}/v1{path}"
        with httpx.stream(method, url, headers=self.headers, timeout=PATIENCE, **kw) as response:
            if response.status_code != 200:
                self.refusal = response.read().decode()
                return
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])


class OnThePage(Reader):
    def __init__(self, stack: Stack, key: str, run_id: str, member: Member) -> None:
        super().__init__(stack, key)
        self.run_id, self.member, self.view = run_id, member, View()

    def read(self) -> None:
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        def noted(view: View) -> bool:
            text = view.text("fused")
            if len(text) > len(self.text):
                self.came(text[len(self.text) :])
            self.text = text
            return False

        async with self.member.socket(self.run_id) as socket:
            try:
                await self.view.follow(socket, noted, PATIENCE)
                noted(self.view)
            except ConnectionClosed as closed:
                self.refusal = str(closed.rcvd.code if closed.rcvd else closed)


class OfEvents(Reader):
    def __init__(self, stack: Stack, key: str, run_id: str) -> None:
        super().__init__(stack, key)
        self.run_id = run_id

    def read(self) -> None:
        texts: dict[str, str] = {}
        for event in self.events("GET", f"/runs/{self.run_id}/events"):
            kind = event.get("type", "")
            if kind == "run.snapshot":
                texts = {call["key"]: call["text"] for call in event["run"]["calls"]}
                self.came("".join(text for key, text in texts.items() if key.startswith("synth")))
            elif kind.endswith(".delta") and "reasoning" not in kind:
                texts[event["call"]] = texts.get(event["call"], "") + event["text"]
                self.came(event["text"])
            elif "error" in event and not kind:
                self.refusal = json.dumps(event)
            written = [key for key in texts if key.startswith("synthesis")]
            self.text = texts[max(written)] if written else ""


class OfAChat(Reader):
    def __init__(self, stack: Stack, key: str, idempotency_key: str = "") -> None:
        super().__init__(stack, key)
        if idempotency_key:
            self.headers["Idempotency-Key"] = idempotency_key

    def read(self) -> None:
        body = {
            "model": "fusion",
            "messages": [{"role": "user", "content": PROMPT}],
            "stream": True,
            "fusion": ASK,
        }
        for chunk in self.events("POST", "/chat/completions", json=body):
            self.run_id = self.run_id or chunk["id"].removeprefix("chatcmpl-")
            if "error" in chunk:
                self.refusal = json.dumps(chunk)
            for choice in chunk.get("choices", []):
                text = choice["delta"].get("content") or ""
                self.text += text
                self.came(text)


class OfAResponse(OfAChat):
    def read(self) -> None:
        body = {"model": "fusion", "input": PROMPT, "stream": True, "fusion": ASK}
        for event in self.events("POST", "/responses", json=body):
            if event["type"] == "response.created":
                number = event["response"]["id"].removeprefix("resp_")
                parts = (number[:8], number[8:12], number[12:16], number[16:20], number[20:])
                self.run_id = "-".join(parts)
            elif event["type"] == "response.output_text.delta":
                self.text += event["delta"]
                self.came(event["delta"])
            elif event["type"] in ("error", "response.failed"):
                self.refusal = json.dumps(event)


class OfATool(Reader):
    def __init__(self, stack: Stack, key: str, run_id: str) -> None:
        super().__init__(stack, key)
        self.run_id = run_id

    def read(self) -> None:
        asyncio.run(self._ask())

    async def _ask(self) -> None:
        url = f"{self.stack.url}/mcp"
        async with (
            httpx2.AsyncClient(headers=self.headers, timeout=PATIENCE) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            arguments = {"run_id": self.run_id, "wait_seconds": 60}
            told: dict[str, Any] = {"status": "queued"}
            while told.get("status") in ("queued", "running"):  # on a busy machine for longer
                result = await client.call_tool(
                    "fusion_get_run", arguments, read_timeout_seconds=PATIENCE
                )
                told = result.structured_content or {}
        self.text = told.get("answer") or ""
        if result.is_error:
            self.refusal = "\n".join(getattr(part, "text", "") for part in result.content)


class OfTheShell(Reader):
    """The preset `readers` asks the same panel."""

    def __init__(self, stack: Stack, key: str, find: Callable[[str], str]) -> None:
        super().__init__(stack, key)
        self._find = find

    def read(self) -> None:
        command = [sys.executable, "manage.py", "fuse", "Of the shell?", "--preset", "readers"]
        with subprocess.Popen(
            [*command, "--json"],
            cwd=ROOT,
            env=self.stack.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self.process = process
            out, err = process.communicate(timeout=2 * PATIENCE)
        with contextlib.suppress(ValueError):
            self.text = json.loads(out)["fused_answer"] or ""
        if process.returncode:
            self.refusal = err or f"exit status {process.returncode}"

    def is_there(self) -> bool:
        self.run_id = self._find("Of the shell?")
        return bool(self.run_id)
