"""What a newcomer reads first: prompts of all kinds, taken through the preset Local as it stands
by the real engine and the real built-in model.

    .venv/bin/python -m tests.llm.first_answers --times 3 --to answers.md

Printed is what a program can tell of the fused answers: loops, leaks, empty ones, ends in
mid-sentence, quotes that are not found, and seconds. Prompts and answers alone are written to
the file, for somebody who reads them without knowing where they come from: whether they read as
answers is for people to say.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import tests.environment  # noqa: F401 - before all that reads settings
from console.engine.findings.degenerate import Degeneracy, Detector, speaks_of_prompt, stutters
from console.engine.findings.evidence import share_of_verified
from console.engine.findings.given import fused_answer
from console.engine.findings.put_together import LOOSE_WORDS
from console.engine.findings.repeated_rows import repeats_rows
from console.engine.findings.whole_sentences import blocks, ends_in
from console.engine.provider import Provider
from console.engine.spec import Panelist, Spec
from console.engine.steps import prompts
from console.providers.registry import make_provider
from console.providers.wire.http import make_client
from tests.llm.built_in import PATIENT, built_in_model, fused

LARKFIELD = (
    "Summarise in two sentences: The town council of Larkfield voted on Monday to close the High "
    "Street to cars on Saturdays from May to September. Shops may still be delivered to before "
    "ten. Of 60 shop owners asked, 23 % were against it. Two bus stops move to Mill Lane. The "
    "trial costs 60,000 euros and is reviewed in October."
)
PROMPTS = {
    "fact": "What is the capital of Australia?",
    "why": "Why is the sky blue?",
    "how to": "How do I get a red wine stain out of a cotton shirt?",
    "compare": "Train or plane for a journey of 500 km: which is better?",
    "list": "Give me five healthy breakfast ideas.",
    "explain": "Explain compound interest to a ten-year-old.",
    "code": "Write a Python function that reverses a string.",
    "maths": "A pen costs 3 euros. How much do 12 pens cost?",
    "summary": LARKFIELD,
    "one word": "Answer in one word: what do plants make sugar from light by?",
    "rewrite": "Make this sentence polite: Send me the report now.",
    "advice": "I have a job interview tomorrow and I am nervous. What should I do tonight?",
    "poem": "Write a short poem about the sea.",
    "decide": "Should our company introduce a four-day week?",
    "define": "What is photosynthesis?",
    "history": "Who was Marie Curie?",
    "hello": "Hi",
    "table": "Make a table of three planets with their size and distance from the sun.",
    "German": "Was ist der Unterschied zwischen Wetter und Klima?",
    "Spanish": "¿Cómo se hace una tortilla de patatas?",
}


@dataclass(frozen=True)
class Answered:
    kind: str
    text: str
    seconds: float
    faults: list[str]
    quotes: tuple[int, int]
    shared: int
    contradicted: int


def local_spec(again: int) -> Spec:
    """Of a fresh site's preset, with other seeds each time."""
    from console.catalog.seed_data import presets

    local = presets()["local"]
    panel = [Panelist(credential="local", judges=False, **seat) for seat in local["panel"]]
    return Spec(
        panel=tuple(replace(p, seed=(p.seed or 0) + 100 * again) for p in panel),
        judge=Panelist(local["judge_model"], "local", judges=False),
        prompts=prompts.load(),
        policy=PATIENT,
        shuffle_seed=7,
    )


async def ask(kind: str, prompt: str, again: int, provider: Provider) -> Answered:
    began = time.monotonic()
    state = await fused(local_spec(again), prompt, provider)
    seconds = time.monotonic() - began
    text, fusion = fused_answer(state), state.fusion
    analysis = (fusion and fusion.analysis) or {}
    return Answered(
        kind,
        text,
        seconds,
        list(faults(text, prompt)),
        share_of_verified(analysis),
        len(analysis.get("consensus", [])),
        len(analysis.get("contradictions", [])),
    )


def faults(text: str, prompt: str) -> Iterator[str]:
    """What no fused answer may be, whatever its model."""
    if not text.strip():
        yield "empty"
        return
    loaded = prompts.load()
    ours = [loaded.analysis, loaded.synthesis, loaded.marks]
    detector = Detector(mark="0" * 24, prompts=ours, sources=lambda: [prompt], asked=prompt)
    match detector.find_in(text):
        case Degeneracy.REPEATS:
            yield "loops"
        case Degeneracy.ECHOES:
            yield "leaks"
        case None if repeats_rows(text) or stutters(text):
            yield "loops"
    if speaks_of_prompt(text, prompt):
        yield "leaks"
    if not ends_whole(text):
        yield "ends in mid-sentence"


def ends_whole(text: str) -> bool:
    """With a sentence, or with what needs no full stop: a closed block of code, an item, a row, a
    line of verse, a text of a few words."""
    block = blocks(text)[-1]
    said = text[block.start :].rstrip()
    if block.kind == "code":
        return not block.is_open
    if block.kind == "heading" or said.endswith((":", ",", ";")):
        return False
    if text.rstrip().endswith("…") or block.kind in ("item", "row") or said.count("\n") >= 2:
        return True
    rest = text[max(ends_in(text, block), default=block.start) :]
    return len(rest.split()) <= LOOSE_WORDS


async def asked(times: int, chosen: dict[str, str]) -> list[Answered]:
    found: list[Answered] = []
    with built_in_model() as address:
        client = make_client()
        provider = make_provider("openai_compatible", base_url=address, api_key="", client=client)
        say(f"load at the beginning: {os.getloadavg()[0]:.1f}")
        for again in range(times):
            for kind, prompt in chosen.items():
                one = await ask(kind, prompt, again, provider)
                found.append(one)
                said = f"{one.shared} shared, {one.contradicted} contradicted"
                wrong = f"  !! {', '.join(one.faults)}" if one.faults else ""
                say(f"{again + 1} {kind:9} {one.seconds:5.1f} s  {said}{wrong}")
        await client.aclose()
    return found


def main(times: int, to: Path, only: list[str]) -> None:
    chosen = {kind: PROMPTS[kind] for kind in only or PROMPTS}
    found = asyncio.run(asked(times, chosen))
    to.write_text("\n\n".join(f"## {chosen[a.kind]}\n\n{a.text}" for a in found) + "\n")
    wrong_of = Counter(fault for one in found for fault in one.faults)
    for fault in ("loops", "leaks", "empty", "ends in mid-sentence"):
        say(f"{fault}: {wrong_of[fault]} of {len(found)}")
    quotes = [one.quotes for one in found]
    say(f"quotes found: {sum(q[0] for q in quotes)} of {sum(q[1] for q in quotes)}")
    seconds = [one.seconds for one in found]
    say(f"seconds a run: {statistics.median(seconds):.1f} median, {max(seconds):.1f} longest")
    say(f"load at the end: {os.getloadavg()[0]:.1f}; prompts and answers: {to}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--to", type=Path, default=Path("answers.md"))
    parser.add_argument("only", nargs="*", help="kinds of prompts; all of them")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
    main(given.times, given.to, given.only)
