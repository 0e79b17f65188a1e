"""The preference poll: each panelist says which is better, its own answer or the fused one.

It is not told which is which, and the order is drawn from the run's stored
seed. A poll is asked for by a reader: its calls are announced as rows, and
whoever takes the run up carries them out. What cannot be read is counted as such.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..calls.aside import aside
from ..calls.context import Context
from ..calls.json_call import ask_for_json
from ..calls.together import together
from ..calls.tries import Ended, carry_out, is_open
from ..findings.given import given
from ..provider import Message
from ..spec import Panelist
from ..state import CallState, FusionState, RunState, Step
from .material import make_material
from .prompts import fill, load

FUSED, OWN, EQUAL, UNPARSED = "fused", "own", "equal", "unparsed"
VOTES = (FUSED, OWN, EQUAL, UNPARSED)
_VERDICT = re.compile(
    r"""["']better["']\s*:\s*(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)'|(?P<c>[^\s,}]*))""", re.IGNORECASE
)
_TOO_LONG = "The two answers do not fit its context."
_SCHEMA = {
    "type": "object",
    "properties": {"better": {"type": "string", "enum": ["1", "2", "equal"]}},
    "required": ["better"],
    "additionalProperties": False,
}


async def poll(context: Context) -> None:
    """Carry out the calls of polls that are open."""
    places = {(c.fusion, c.seat) for c in context.state.calls.values() if c.step is Step.POLL}
    # What comes out of one ends the run (a lost lease).
    await together(
        _ask(context, fusion, seat)
        for fusion, seat in sorted((f, s) for f, s in places if f is not None and s is not None)
        if is_open(context.state.latest(Step.POLL, seat=seat, fusion=fusion))
    )


def answer_polled(state: RunState, fusion: int, seat: int) -> CallState | None:
    """The answer of a seat that the fusion was made from."""
    judged = (state.calls.get(key) for key in state.fusions[fusion].judged)
    return next((call for call in judged if call and call.seat == seat), None)


def voters(state: RunState, fusion: FusionState) -> list[CallState]:
    """The answers whose authors can be asked, and can compare them with the fused one."""
    judged = [state.calls[key] for key in fusion.judged if key in state.calls]
    asked = [call for call in judged if not call.is_brought]
    return [call for call in asked if Panelist.from_dict(call.panelist).can_judge]


def tally(votes: Sequence[dict[str, Any]]) -> dict[str, int]:
    found = Counter(vote["vote"] for vote in votes)
    return {name: found[name] for name in VOTES}


def fused_comes_first(seed: int, fusion: int, seat: int) -> bool:
    return random.Random(f"poll:{seed}:{fusion}:{seat}").random() < 0.5


async def _ask(context: Context, fusion: int, seat: int) -> None:
    fused_first = fused_comes_first(context.spec.shuffle_seed, fusion, seat)

    async def read(text: str) -> dict[str, Any]:
        vote = await aside(len(text), read_vote, text, fused_first=fused_first)
        return {"vote": vote, "fused_first": fused_first}

    async def perform(key: str, panelist: Panelist) -> Ended:
        state = context.state.copy()  # other seats' calls go on meanwhile
        size = sum(len(call.text) for call in state.calls.values())
        messages = await aside(size, _messages, context, state, fusion, seat, fused_first)
        return await ask_for_json(
            context, key, panelist, messages, _SCHEMA, read, too_long=_TOO_LONG
        )

    announced = context.state.latest(Step.POLL, seat=seat, fusion=fusion)
    assert announced
    panelist = Panelist.from_dict(announced.panelist)
    await carry_out(context, Step.POLL, fusion, panelist, perform, seat=seat)


def read_vote(text: str, *, fused_first: bool) -> str:
    """The last verdict: some think aloud before they decide. Who only repeats the three that
    there are has not decided."""
    found = [_bare(m["a"] or m["b"] or m["c"] or "") for m in _VERDICT.finditer(text)]
    said = found[-1] if found else _bare(text)
    if {"1", "2", "equal"} <= set(found):
        return UNPARSED
    if said in ("equal", "tie"):
        return EQUAL
    if said not in ("1", "2"):
        return UNPARSED
    return FUSED if (said == "1") == fused_first else OWN


def _bare(verdict: str) -> str:
    """ "Answer 1.", "1.0" and "**1**" are "1"."""
    verdict = verdict.strip(" \t\n\"'`*.").casefold()
    return verdict.removeprefix("answer ").removesuffix(".0")


def _messages(
    context: Context, state: RunState, fusion: int, seat: int, fused_first: bool
) -> list[Message]:
    own = answer_polled(state, fusion, seat)
    assert own
    found = given(state, state.fusions[fusion])
    fused = found.text if found else ""
    conversation = context.histories.get(seat, context.messages)
    material = make_material(context.spec, conversation, {seat: own})
    while material.fence in fused:
        material = material.with_another_fence()
    answers = [fused, own.text] if fused_first else [own.text, fused]
    blocks = [
        material.fenced("PROMPT", material.prompt),
        *(material.fenced(f"ANSWER {n}", text) for n, text in enumerate(answers, 1)),
    ]
    # A run from before there were polls has no words for one.
    prompt = context.spec.prompts.poll or load().poll
    return [
        {"role": "system", "content": fill(prompt, fence=material.fence)},
        {"role": "user", "content": "\n\n".join(blocks)},
    ]
