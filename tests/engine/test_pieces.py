"""What is written between two looks of the recorder is one event: the run comes to the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Finish, ReasoningDelta, Recast
from tests.engine.conftest import ANALYSIS, RunEngine

ANALYSED = json.dumps(ANALYSIS)
WORDS = [f"word{n} " for n in range(30)]
ASKED = "What is water like?"

# What the first seat, the judge and the writer do; the second seat always answers.
RUNS: dict[str, dict[str, Any]] = {
    "all answer": {},
    "a seat thinks between its words": {
        "a": [ReasoningDelta("Hm. "), *WORDS[:3], ReasoningDelta("Well."), *WORDS[3:]]
    },
    "a seat takes its text back": {"a": [*WORDS[:9], Recast("Two ", "Well."), *WORDS[9:]]},
    "a seat breaks off": {"a": [*WORDS, ProviderError(Reason.DISCONNECTED)]},
    "a seat is refused": {"a": [ProviderError(Reason.UNAUTHORIZED)]},
    "a seat says nothing but thoughts": {"a": [ReasoningDelta("Hm. "), ReasoningDelta("Hm.")]},
    "a seat falls silent": {"a": [*WORDS, 3.0]},
    "a seat goes round in circles": {"a": ["The same words come again and again. "] * 400},
    "a seat is cut off by its limit": {"a": [*WORDS, Finish("length")]},
    "the judge writes piece by piece": {
        "judge": [*(ANALYSED[n : n + 7] for n in range(0, len(ANALYSED), 7)), Finish("stop")]
    },
    "the judge writes no JSON": {"judge": [*WORDS]},
    "the writer takes its text back": {"writer": ["One ", "two ", Recast("Two ", ""), "three."]},
    "the writer breaks off": {"writer": [*WORDS, ProviderError(Reason.TRUNCATED)]},
    "the writer says the prompt": {"writer": [f"{ASKED} "] * 20},
}


def beside(ran: Any) -> list[tuple[str, str]]:
    """What is told beside the texts, in its order."""
    return [(event.type, event.call) for event in ran.events if not event.type.is_delta]


@pytest.mark.parametrize("name", RUNS)
async def test_a_run_comes_to_the_same_with_fewer_events(run_engine: RunEngine, name: str) -> None:
    scripts: dict[str, Any] = {"a": WORDS, "b": WORDS, "judge": [ANALYSED], "writer": WORDS}
    at_once, kept = [
        await run_engine(scripts | RUNS[name], writer="writer", prompt=ASKED, keeps=keeps)
        for keeps in (False, True)
    ]

    def texts(ran: Any) -> dict[str, tuple[str, str, str, str]]:
        return {
            key: (call.status, call.reason, call.text, call.reasoning)
            for key, call in ran.state.calls.items()
        }

    assert texts(kept) == texts(at_once)
    assert kept.state.status == at_once.state.status
    told = [
        [(e.type, e.call) for e in ran.events if not e.type.is_delta] for ran in (kept, at_once)
    ]
    assert told[0] == told[1]
    assert len(kept.events) < len(at_once.events)


@pytest.mark.parametrize("first", ["One ", ReasoningDelta("Hm. ")])
async def test_the_first_piece_of_a_call_is_told_at_once(run_engine: RunEngine, first: Any) -> None:
    ran = await run_engine({"a": [first, *WORDS], "b": WORDS}, keeps=True)
    deltas = [e.data["text"] for e in ran.events if e.type.is_delta and e.call == "panel-0-1"]
    assert deltas == [getattr(first, "text", first), "".join(WORDS)]
