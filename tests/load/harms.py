"""What somebody may do to a site to do others harm. Each is told how often, and says what the site
made of it: how many times it answered what. Nothing here knows what is right."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PATIENCE = 120
GIGABYTES = 2_000_000_000
PIECE = b"x" * 500_000


@dataclass(frozen=True)
class Target:
    """Both shared: `link` leads to a run that goes on, `text` to one with a hostile answer."""

    port: int
    link: str = ""
    text: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Answers = Counter[str]
Harm = Callable[[Target, int], Answers]


def post_by_length(target: Target, times: int) -> Answers:
    return _post(target, times, f"Content-Length: {GIGABYTES}")


def post_in_chunks(target: Target, times: int) -> Answers:
    return _post(target, times, "Transfer-Encoding: chunked")


def _post(target: Target, times: int, how: str) -> Answers:
    """Whoever is not known sends gigabytes, and does not listen until it is cut off."""
    answers: Answers = Counter()
    size = f"{len(PIECE):x}\r\n".encode()
    piece = size + PIECE + b"\r\n" if "chunked" in how else PIECE
    for _ in range(times):
        with _raw(target) as raw:
            raw.sendall(f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n{how}\r\n\r\n".encode())
            sent = 0
            with contextlib.suppress(OSError):
                while sent < GIGABYTES:
                    raw.sendall(piece)
                    sent += len(piece)
            answers["taken whole" if sent >= GIGABYTES else "cut off"] += 1
    return answers


def slow_loris(target: Target, times: int) -> Answers:
    """Heads that never end, a byte now and then, on many connections."""
    answers: Answers = Counter()
    held = [_raw(target) for _ in range(times)]
    for raw in held:
        raw.sendall(b"GET /fusion HTTP/1.1\r\nX-Slow: ")
        raw.settimeout(0.01)
    for _ in range(PATIENCE):
        for raw in list(held):
            try:
                raw.sendall(b"x")
                gone = raw.recv(100) == b""
            except TimeoutError:
                gone = False
            except OSError:
                gone = True
            if gone:
                raw.close()
                held.remove(raw)
                answers["cut off"] += 1
        if not held:
            break
        next(iter(held)).settimeout(0.3)
    answers["held"] += len(held)
    return answers


def sockets(target: Target, times: int) -> Answers:
    """As many at once as will go, and all of them kept."""

    async def one(n: int) -> str:
        address = f"ws://127.0.0.1:{target.port}/ws/shared/{target.link.rpartition('/')[2]}"
        try:
            opened = await connect(address, origin=target.url, open_timeout=PATIENCE)  # type: ignore[arg-type]
            kept.append(opened)
            frame = json.loads(str(await opened.recv()).lstrip("=+") or "{}")
        except (OSError, WebSocketException):
            return "refused"
        return "told to ask" if "run-asking" in frame.get("fragments", {}) else "open"

    async def all_of_them() -> Answers:
        answers: Answers = Counter()
        for n in range(0, times, 50):
            answers.update(await asyncio.gather(*(one(n) for n in range(min(50, times - n)))))
        await asyncio.gather(*(opened.close() for opened in kept), return_exceptions=True)
        return answers

    kept: list[ClientConnection] = []
    return asyncio.run(all_of_them())


def sign_ins(target: Target, times: int, forwarded: Callable[[int], str] | None = None) -> Answers:
    """One password for as many names, as fast as it goes."""

    async def one(client: httpx.AsyncClient, n: int) -> str:
        form = {"username": f"name-{n}", "password": "one password for all"}
        form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        headers = {"Referer": f"{target.url}/sign-in"}
        if forwarded:
            headers["X-Forwarded-For"] = forwarded(n)
        answer = await client.post("/sign-in", data=form, headers=headers)
        return str(answer.status_code)

    async def all_of_them() -> Answers:
        async with httpx.AsyncClient(base_url=target.url, timeout=PATIENCE) as client:
            await client.get("/sign-in")
            return Counter(await asyncio.gather(*(one(client, n) for n in range(times))))

    return asyncio.run(all_of_them())


def spoofed(target: Target, times: int) -> Answers:
    numbers = itertools.count(1)
    return sign_ins(target, times, lambda n: f"198.51.{n % 250}.{next(numbers) % 250}")


def read_the_text(target: Target, times: int) -> Answers:
    """A share link, by whoever has it."""

    async def all_of_them() -> Answers:
        async with httpx.AsyncClient(base_url=target.url, timeout=PATIENCE) as client:
            got = await asyncio.gather(*(client.get(target.text) for _ in range(times)))
            return Counter(str(answer.status_code) for answer in got)

    return asyncio.run(all_of_them())


def leave_the_text_unread(target: Target, times: int) -> Answers:
    """As many ask for it, and take nothing of it for as long as they are let."""
    answers: Answers = Counter()
    held = []
    for _ in range(times):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(PATIENCE)
        raw.connect(("127.0.0.1", target.port))
        raw.sendall(f"GET {target.text} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        held.append(raw)
    read_the_text(target, 1)  # its turn comes after theirs
    for raw in held:
        with raw:
            raw.settimeout(5)
            taken = 0
            try:
                while taken < 1_000_000 and (piece := raw.recv(1_000_000)):
                    taken += len(piece)
            except TimeoutError:
                answers["silent"] += 1
                continue
            except ConnectionError:
                taken = 0
            answers["held" if taken >= 1_000_000 else "cut off"] += 1
    return answers


def _raw(target: Target) -> socket.socket:
    return socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE)


# By name: the harm, and how often in its long form.
HARMS: dict[str, tuple[Harm, int]] = {
    "2 GB from nobody, by length": (post_by_length, 20),
    "2 GB from nobody, in chunks": (post_in_chunks, 20),
    "slow heads on 500 connections": (slow_loris, 500),
    "2,000 sockets": (sockets, 2000),
    "the worst 2 MB shared by link": (read_the_text, 100),
    "the same, and not taken": (leave_the_text_unread, 100),
    "40 names from one address": (sign_ins, 40),
    "1,500 sign-ins (150 a second)": (sign_ins, 1500),
    "spoofed forwarding headers": (spoofed, 300),
}
