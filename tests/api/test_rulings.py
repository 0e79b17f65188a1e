"""`POST /v1/runs/{id}/fusions` with what a reader ruled, added and wished."""

from __future__ import annotations

from typing import Any

import pytest

from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api
from .test_errors import error
from .test_runs import ended, start


@pytest.fixture
def run(api: Api) -> dict[str, Any]:
    for model, text in ((OPUS, "Paris"), (GPT, "Paris."), (GEMINI, "Lyon")):
        api.script(model, Script(text=text))
    return ended(api, start(api)["id"])


def again(api: Api, run: dict[str, Any], **body: Any) -> dict[str, Any]:
    response = api.post(f"/runs/{run['id']}/fusions", json=body)
    assert response.status_code == 202, response.text
    return ended(api, run["id"])


def test_rulings_facts_and_an_instruction_cost_one_call_and_are_told(
    api: Api, run: dict[str, Any]
) -> None:
    made = len(api.upstream.calls)
    api.script("writer", Script(text="Neither.[^you]"))
    ruling = {"claim": "contradictions-1", "verdict": "none", "note": "Both are old."}
    asks = {"rulings": [ruling], "facts": ["It moved."], "instruction": "Short.", "on": 1}
    after = again(api, run, synthesizer="writer", **asks)
    (call,) = api.upstream.calls[made:]
    sent = str(call.body["messages"])
    assert call.model == "writer"
    assert all(words in sent for words in ("Both are old.", "It moved.", "Short.", "READER"))
    assert after["answer"] == "Neither."
    first, second = after["fusions"]
    assert first["wish"] is None and second["analysis"] == first["analysis"]
    wish = second["wish"]
    assert (wish["on"], wish["facts"], wish["instruction"]) == (1, ["It moved."], "Short.")
    assert wish["rulings"][0].items() >= (ruling | {"on": 1}).items()
    assert wish["rulings"][0]["text"] and len(wish["rulings"][0]["stances"]) > 1
    third = again(api, run, criteria="Brevity.")["fusions"][2]
    assert third["wish"]["facts"] == ["It moved."], "what was ruled stays with the question"
    fourth = again(api, run, rulings=[], facts=[])["fusions"][3]
    assert not (fourth["wish"] or {}).get("facts")


def test_a_preset_lends_its_judge_and_writer_and_asks_no_seat(
    api: Api, run: dict[str, Any]
) -> None:
    made = len(api.upstream.calls)
    fusion = again(api, run, preset="budget", facts=["It moved."])["fusions"][1]
    assert fusion["wish"]["preset"] == "budget" and fusion["wish"]["facts"] == ["It moved."]
    asked = [call.model for call in api.upstream.calls[made:]]
    lent = f"{fusion['judge']} {fusion['synthesizer']}"
    assert 1 <= len(asked) <= 2 and all(model in lent for model in asked), "no panel"


@pytest.mark.parametrize(
    ("way", "answer"), [("best", "Paris"), ("vote", "**Paris** (2 of 3 answers)")]
)
def test_ways_that_ask_nobody(api: Api, run: dict[str, Any], way: str, answer: str) -> None:
    made = len(api.upstream.calls)
    after = again(api, run, way=way)
    assert len(api.upstream.calls) == made and after["status"] == "completed"
    assert after["answer"].startswith(answer)
    fusion = after["fusions"][1]
    assert fusion["wish"]["way"] == way
    assert (fusion["best"] or {}).get("reason") == ("chosen" if way == "best" else None)


def test_the_analysis_only_leaves_the_answer_as_it_is(api: Api, run: dict[str, Any]) -> None:
    after = again(api, run, analysis_only=True, judge="good")
    assert after["answer"] == run["answer"] and after["fusions"][1]["analysis"]
    assert after["fusions"][1]["answer"] is None


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such claim": ({"rulings": [{"claim": "consensus-99", "verdict": "right"}]}, "has no claim"),
    "no such verdict": (
        {"rulings": [{"claim": "contradictions-1", "verdict": "stance-9"}]},
        "none",
    ),
    "a field of one's own": ({"rulings": [{"claim": "consensus-1", "ruling": "right"}]}, "ruling"),
    "a long note": ({"rulings": [{"claim": "consensus-1", "note": "x" * 501}]}, "500 characters"),
    "too many facts": ({"facts": [str(n) for n in range(21)]}, "At most 20 facts"),
    "no such fusion": ({"on": 9}, "There is no fusion 9."),
    "no such way": ({"way": "dice"}, "way"),
    "no such preset": ({"preset": "nobodys"}, "no preset"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_said_to_programs(api: Api, run: dict[str, Any], name: str) -> None:
    body, words = REFUSED[name]
    refused = error(api.post(f"/runs/{run['id']}/fusions", json=body), 400, "invalid_request")
    assert words in refused["message"] or words in str(refused["param"])
