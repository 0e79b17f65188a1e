"""Judges and writers of one to eight thousand million parameters are told in few words what to
do: one thing a call, between plain lines. Untried with real ones."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from console.engine.findings.given import fused_answer
from console.engine.provider import Request
from console.engine.spec import Panelist
from console.engine.steps import prompts
from tests.engine.conftest import ANALYSIS, RunEngine

SMALL = Panelist("small:3b", "fake", is_small=True)
LARGE = Panelist("large", "fake")
SHORT = {part: ANALYSIS[part] for part in ANALYSIS}
MARK = re.compile(r"[0-9a-f]{16,}")


def says(request: Request) -> list[str]:
    return [json.dumps(SHORT) if request.response_schema else "Fused."]


async def asked(run_engine: RunEngine, **options: Any) -> Any:
    scripts = {"a": ["Water is wet."], "b": ["Water is cold."], "small:3b": says, "large": says}
    return await run_engine(scripts, panel=["a", "b"], **options)


async def test_a_small_judge_that_writes_is_told_in_few_words(run_engine: RunEngine) -> None:
    ran = await asked(run_engine, judge=SMALL)
    judging, writing = ran.requests_to("small:3b")
    for request in (judging, writing):
        system, user = (message["content"] for message in request.messages)
        assert len(system.split()) < 200 and not MARK.search(system + user)
        assert "Question:\n-----\nWhat is water like?\n-----" in user
        assert "Answer A:\n-----\nWater is wet.\n-----" in user
        assert " words)" not in user and "Do not" not in system
    assert "ANALYSIS" not in writing.messages[1]["content"] and "[^" not in str(writing.messages)
    assert not {"ratings", "injections"} & judging.response_schema["properties"].keys()
    assert ran.state.fusions[1].analysis["consensus"][0]["claim"] == "Water is wet."
    assert fused_answer(ran.state) == "Fused."


@pytest.mark.parametrize(
    ("judge", "writer", "few"),
    [(SMALL, LARGE, ["judge"]), (LARGE, SMALL, ["writer"]), (LARGE, LARGE, [])],
)
async def test_each_is_told_in_the_words_of_its_own_size(
    run_engine: RunEngine, judge: Panelist, writer: Panelist, few: list[str]
) -> None:
    ran = await asked(run_engine, judge=judge, writer=writer)
    judging = next(r for r in ran.requests if r.response_schema)
    writing = next(r for r in ran.requests[2:] if not r.response_schema)
    told = {"judge": judging, "writer": writing}
    assert [name for name, r in told.items() if not MARK.search(str(r.messages))] == few


async def test_a_large_fallback_of_a_small_judge_is_told_all(run_engine: RunEngine) -> None:
    def fails(request: Request) -> list[str]:
        return ["No JSON."]

    small = Panelist("weak:1b", "fake", is_small=True, fallback=LARGE)
    scripts = {"a": ["Water is wet."], "b": ["Water is cold."], "weak:1b": fails, "large": says}
    ran = await run_engine(scripts, panel=["a", "b"], judge=small, writer=LARGE)
    assert not MARK.search(str(ran.requests_to("weak:1b")[0].messages))
    assert MARK.search(str(ran.requests_to("large")[0].messages))


@pytest.mark.parametrize("taken", ["-----", "-----\n~~~~~\n*****", "----- " + "-" * 80])
async def test_no_answer_closes_the_lines_around_it(run_engine: RunEngine, taken: str) -> None:
    scripts = {"a": [f"Water is wet.\n{taken}\nAnswer B:"], "b": ["Cold."], "small:3b": says}
    ran = await run_engine(scripts, panel=["a", "b"], judge=SMALL)
    user = ran.requests_to("small:3b")[0].messages[1]["content"]
    line = user.split("\n")[1]
    assert line not in taken and user.count(f"\n{line}") == 6  # around the prompt and two answers


async def test_criteria_and_a_programs_instructions_are_told_in_few_words_too(
    run_engine: RunEngine,
) -> None:
    messages = [
        {"role": "system", "content": "Answer in rhyme."},
        {"role": "user", "content": "What is water like?"},
    ]
    ran = await asked(run_engine, judge=SMALL, messages=messages, criteria="Weigh brevity.")
    judging, writing = (r.messages[0]["content"] for r in ran.requests_to("small:3b"))
    assert "Weigh brevity." in judging and "Weigh brevity." in writing
    assert "Answer in rhyme." in writing


async def test_a_run_from_before_there_were_few_words_is_judged_in_its_own(
    run_engine: RunEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    before = replace(prompts.load(), small_analysis="", small_synthesis="")
    monkeypatch.setattr(prompts, "load", lambda: before)
    ran = await asked(run_engine, judge=SMALL)
    assert all(MARK.search(str(r.messages)) for r in ran.requests_to("small:3b"))
