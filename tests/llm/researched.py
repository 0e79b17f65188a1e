"""Shared research for the preset Local by the real engine, the real built-in model and the reader
of pages as it stands, over a local web of 200 pages. Slow, and so no test of every run.

    .venv/bin/python -m tests.llm.researched

Printed is what was searched and read, how many tokens of extracts each seat was sent beside the
question, whether that and its answer fit the window, who used what the pages say and who cited
it. It fails where a seat was sent none, or more than fits, or where the run does not end.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import django

import tests.environment  # noqa: F401 - before all that reads settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
django.setup()

from django.conf import settings  # noqa: E402

from console.catalog.seed_data import presets  # noqa: E402
from console.engine.calls.window import USED, tokens_in  # noqa: E402
from console.engine.content import text_of  # noqa: E402
from console.engine.pool import Pool, read, searches  # noqa: E402
from console.engine.provider import Chunk, Provider, Request  # noqa: E402
from console.engine.spec import Panelist, Research, Spec  # noqa: E402
from console.engine.state import RunState, RunStatus  # noqa: E402
from console.engine.steps import prompts  # noqa: E402
from console.providers.registry import make_provider  # noqa: E402
from console.providers.wire.http import make_client  # noqa: E402
from console.research.researcher import SiteResearcher  # noqa: E402
from tests.llm.built_in import PATIENT, built_in_model, fused  # noqa: E402
from tests.upstream.engines import Web  # noqa: E402

WINDOW, ASKED_ABOUT, PAGES = 2_048, 57, 200
QUESTION = (
    f"How many litres does the gauge of station-{ASKED_ABOUT} on river-{ASKED_ABOUT // 5} hold?"
)


def litres(page: int) -> int:
    return 1_000 + 37 * page


@dataclass
class Kept(SiteResearcher):
    """Searches and reads as any worker does, and keeps what it finds for itself."""

    pool: Pool = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)

    async def keep(self, pool: Pool, texts: Mapping[int, str]) -> None:
        self.pool = pool
        self.said |= texts

    async def texts(self) -> dict[int, str]:
        return self.said


class Overheard:
    """A provider, and what it was asked."""

    def __init__(self, provider: Provider) -> None:
        self._provider, self.requests = provider, list[Request]()

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        self.requests.append(request)
        async for chunk in self._provider.stream(request):
            yield chunk


def filled(web: Web) -> None:
    for page in range(PAGES):
        web.add(
            f"/stations/{page}",
            f"station-{page} river-{page // 5}",
            f"The gauge of station-{page} holds {litres(page):,} litres of rain.",
            f"Its keeper reads it every evening at {page % 12 + 1} o'clock and writes it down.",
            "In winter the gauge is warmed, so that snow melts in it and is counted as rain.",
        )


async def carried_out(address: str) -> tuple[RunState, list[Request]]:
    client = make_client()
    made = make_provider("openai_compatible", base_url=address, api_key="", client=client)
    heard, local = Overheard(made), presets()["local"]
    seats = (Panelist(credential="local", **seat) for seat in local["panel"])
    spec = Spec(
        panel=tuple(replace(s, context_length=WINDOW, judges=False) for s in seats),
        judge=Panelist(local["judge_model"], "local", context_length=WINDOW, judges=False),
        prompts=prompts.load(),
        policy=PATIENT,
        shuffle_seed=7,
        research=Research(queries=3, pages=5, seconds=120),
    )
    try:
        state = await fused(spec, QUESTION, heard, Kept(0, 1, _no_rows))
    finally:
        await client.aclose()
    return state, heard.requests


async def _no_rows(*_: Any) -> None:
    raise AssertionError("nothing is read from the database here")


def told(state: RunState, requests: list[Request], seconds: float) -> bool:
    """Whether it went as it should."""
    say = sys.stdout.write
    found = [f"“{s['query']}” found {len(s['found'])}" for s in searches(state.research)]
    say(f"{PAGES} pages; searched: {'; '.join(found)}; read: {len(read(state.research))}\n")
    is_well = state.status is RunStatus.COMPLETED and bool(read(state.research))
    for seat, request in enumerate(requests):
        asked = sum(tokens_in(text_of(m.get("content"))) for m in request.messages)
        blocks = [text_of(m.get("content")) for m in request.messages]
        has_extracts = any("Page [1]" in block for block in blocks)
        fits = asked + (request.max_output_tokens or 0) <= WINDOW * USED
        is_well &= has_extracts and fits
        answer = state.answer(seat)
        text = answer.text if answer else ""
        uses = str(litres(ASKED_ABOUT)) in text.replace(",", "")
        cites = len(answer.citations) if answer else 0
        say(
            f"seat {seat}: {asked - tokens_in(QUESTION)} tokens beside the question, "
            f"{'fits' if fits else 'DOES NOT FIT'}, extracts: {'yes' if has_extracts else 'NO'}, "
            f"{'has' if uses else 'has not'} what the page says, cites {cites}\n"
        )
    say(f"{state.status.value} after {seconds:.0f} s\n")
    return is_well


def main() -> int:
    with Web() as web, built_in_model() as address:
        filled(web)
        settings.SEARCH_ENGINES = {"searxng": ("", web.url)}
        settings.FETCH_ALLOW = [web.place]
        begun = time.monotonic()
        state, requests = asyncio.run(carried_out(address))
        return 0 if told(state, requests, time.monotonic() - begun) else 1


if __name__ == "__main__":
    raise SystemExit(main())
