"""Runs asked for and watched to their end, as the page does it, and what came over the line."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.benchmarks.rig import Rig
from tests.benchmarks.site import PASSWORD, PERSON, Site
from tests.benchmarks.upstream import name
from tests.live.member import Member, View

WITHIN = 300.0  # seconds for a run to end
JUDGE = name(100, of="judge")


@dataclass
class Watched:
    """`seats` are their models, `mark` tells the run's calls in the upstream's log."""

    run: str
    mark: str
    seats: Sequence[str]
    view: View = field(default_factory=View)
    bytes: int = 0
    frames: int = 0
    position: str = ""

    def tokens(self, rig: Rig) -> int:
        return sum(one.deltas for one in rig.upstream.log() if one.mark == self.mark)


def member(site: Site, who: str = PERSON) -> Member:
    return Member(site, who, PASSWORD)  # type: ignore[arg-type]  # of which it asks the address


def ask(rig: Rig, who: Member, seats: Sequence[str], judge: str = JUDGE) -> Watched:
    mark = next(rig.marks)
    models = [f"openai:{seat}" for seat in seats]
    run = who.ask(*models, judge=f"openai:{judge}", prompt=f"What is the answer? mark-{mark}")
    return Watched(run, mark, seats)


def socket(who: Member, one: Watched) -> connect:
    """From where it was left."""
    cookies = "; ".join(f"{k}={v}" for k, v in who.http.cookies.items())
    return connect(
        f"ws://127.0.0.1:{who.stack.port}/ws/runs/{one.run}?after={one.position}&can=keep",
        additional_headers={"Cookie": cookies},
        origin=who.stack.url,  # type: ignore[arg-type]
        open_timeout=60,
        compression=None,
    )


async def read(line: ClientConnection, one: Watched) -> None:
    """One frame, applied; what it takes is counted as it comes. Acknowledged by the caller."""
    parts = ""
    while (message := str(await line.recv())).startswith("+"):
        one.bytes += len(message.encode())
        parts += message[1:]
    one.bytes += len(message.encode())
    frame = json.loads(parts + message[1:] if message[0] == "=" else message)
    one.frames += 1
    one.view.apply(frame)
    watch = frame.get("watch") or one.position.partition("-")[0]
    if "at" in frame:
        one.position = f"{watch}-{frame['at']}"


async def acknowledge(line: ClientConnection, one: Watched) -> None:
    step = one.position.partition("-")[2]
    if step:
        # The server may have said all and closed before this is acknowledged.
        with contextlib.suppress(ConnectionClosed):
            await line.send(json.dumps({"ack": int(step)}))


async def to_the_end(
    who: Member, one: Watched, *, pause: float = 0, stay: float = 0, away: float = 0
) -> None:
    """`pause` seconds after each frame; after each `stay` seconds it is away for `away`. Where
    the line breaks, it comes again."""
    async with asyncio.timeout(WITHIN):
        while not one.view.ended:
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                async with socket(who, one) as line, asyncio.timeout(stay or None):
                    while not one.view.ended:
                        await read(line, one)
                        await asyncio.sleep(pause)
                        await acknowledge(line, one)
            if not one.view.ended:
                await asyncio.sleep(away or 0.2)


def watch(who: Member, runs: Sequence[Watched], **habits: float) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(to_the_end(who, one, **habits) for one in runs))

    asyncio.run(all_of_them())
