"""Analysis, answers and failures go by the same names, everywhere, and say what they rest on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.test_mcp import ask, over_http
from tests.upstream import Script

from .conftest import GPT, OPUS, Api

ASK = {
    "model": "fusion",
    "fusion": {
        "panel": [
            OPUS,
            {"model": "openrouter:gone", "fallback": GPT},
            OPUS,
            {"model": "openrouter:vendor/broken", "fallback": "openrouter:broken-too"},
        ],
        "judge": "openrouter:joining-judge",
        "policy": {"grace": 60},
        "include": True,
    },
}
# What each seat's answer goes by, and who was meant to sit there.
ANSWERS = {"A": (OPUS, None), "B": (GPT, "gone"), "C": (OPUS, None)}
ANALYSIS = {
    "consensus": [
        {
            "claim": "Rain is wet.",
            "seats": ["A", "B"],
            "evidence": [
                {"seat": "A", "quote": "rain is wet indeed"},
                {"seat": "B", "quote": "nobody has said such a thing"},
            ],
        },
        {"claim": "Nothing shows it.", "seats": ["A", "C"], "evidence": []},
    ],
    "contradictions": [
        {
            "topic": "How wet",
            "stances": [
                {
                    "stance": "Very.",
                    "seats": ["A"],
                    "evidence": [{"seat": "A", "quote": "made up from beginning to end"}],
                },
                {
                    "stance": "A little.",
                    "seats": ["B", "C"],
                    "evidence": [{"seat": "B", "quote": "rain is only a little wet"}],
                },
            ],
        }
    ],
    "partial_coverage": [{"point": "Umbrellas", "seats": ["B", "C"], "evidence": []}],
    "unique_insights": [
        {
            "insight": "Snow is, too.",
            "seat": "C",
            "evidence": [{"seat": "C", "quote": "rain is only a little wet"}],
        }
    ],
    "blind_spots": ["Hail"],
}


@pytest.fixture
def panel(api: Api) -> Api:
    api.script(OPUS, Script(text="I think that rain is wet indeed, whoever asks."))
    api.script(GPT, Script(text="I hold that rain is only a little wet, whoever asks."))
    api.script("gone", Script(status=404))
    for model in ("vendor/broken", "broken-too"):
        api.script(model, Script(status=404))
    judge = Script(text=json.dumps(ANALYSIS))
    api.script("joining-judge", Script(text="Fused.", judge=judge))
    return api


def claims(analysis: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for evidence in analysis["consensus_evidence"]:
        yield evidence["claim"], evidence
    for contradiction in analysis["contradictions"]:
        for stance in contradiction["stances"]:
            yield f"{stance['stance']} {stance['seat']}", stance
    for point in analysis["partial_coverage"]:
        yield point["point"], point
    for insight in analysis["unique_insights"]:
        yield insight["insight"], insight


VERIFIED = {
    "Rain is wet.": True,
    "Nothing shows it.": False,
    "Very. A": False,
    "A little. B": True,
    "A little. C": False,
    "Umbrellas": False,
    "Snow is, too.": False,
}


def check_analysis(analysis: dict[str, Any]) -> None:
    assert analysis["consensus"] == ["Rain is wet.", "Nothing shows it."]
    assert analysis["blind_spots"] == ["Hail"]
    assert {name: claim["verified"] for name, claim in claims(analysis)} == VERIFIED
    for _, claim in claims(analysis):
        models = claim.get("models") or [claim["model"]]
        seats = claim.get("seats") or [claim["seat"]]
        assert models == [ANSWERS[seat][0] for seat in seats]
    (shared,) = [c for name, c in claims(analysis) if name == "Rain is wet."]
    assert shared["quotes"] == [
        {"seat": "A", "quote": "rain is wet indeed", "verified": True, "found_in": None},
        {"seat": "B", "quote": "nobody has said such a thing", "verified": False, "found_in": None},
    ]
    (taken,) = [c for name, c in claims(analysis) if name == "Snow is, too."]
    assert [quote["found_in"] for quote in taken["quotes"]] == ["B"]


def check_fusion(fusion: dict[str, Any]) -> None:
    check_analysis(fusion["analysis"])
    named = {r["seat"]: (r["model"], r.get("in_place_of")) for r in fusion["responses"]}
    assert named == ANSWERS
    (failed,) = fusion["failed_models"]
    names = failed["seat"], failed["model"], failed["in_place_of"]
    assert names == ("D", "broken-too", "vendor/broken")
    assert fusion["panel"] == [OPUS, "gone", OPUS, "vendor/broken"]


def test_of_a_chat_completion_and_its_run(panel: Api) -> None:
    messages = [{"role": "user", "content": "How wet is rain?"}]
    whole = panel.post(json=ASK | {"messages": messages}).json()
    check_fusion(whole["fusion"])
    run = panel.get(f"/runs/{whole['fusion']['run_id']}").json()
    check_analysis(run["fusions"][0]["analysis"])
    assert {c["model"] for c in run["calls"]} >= {OPUS, GPT, "gone", "vendor/broken"}
    events = panel.get(f"/runs/{run['id']}/events").text
    ended = [e for e in events.split("\n\n") if e.startswith("event: run.snapshot")]
    assert ended or "analysis.completed" in events
    streamed = panel.post(json=ASK | {"messages": messages, "stream": True}).text
    last = [line for line in streamed.splitlines() if '"consensus_evidence"' in line][-1]
    check_fusion(json.loads(last.removeprefix("data: "))["fusion"])


def test_of_a_response_in_openrouters_words(panel: Api) -> None:
    body = ASK | {"input": "How wet is rain?"}
    whole = panel.post("/responses", json=body).json()
    check_fusion(whole["output"][0])
    stream = panel.post("/responses", json=body | {"stream": True}).text
    told = [
        json.loads(e.split("data: ", 1)[1]) for e in stream.strip().split("\n\n") if "data: " in e
    ]
    check_fusion(told[-1]["response"]["output"][0])
    (judged,) = [e for e in told if e["type"] == "response.fusion_call.analysis.completed"]
    check_analysis(judged["analysis"])
    done = [e for e in told if e["type"] == "response.fusion_call.panel.completed"]
    assert {e["seat"]: (e["model"], e.get("in_place_of")) for e in done} == ANSWERS


async def test_of_a_tool_s_result(panel: Api) -> None:
    own = ASK["fusion"]
    assert isinstance(own, dict)
    async with over_http(panel) as client:
        result = await ask(
            client,
            prompt="How wet is rain?",
            panel=[OPUS, GPT, OPUS, "openrouter:vendor/broken"],
            judge=own["judge"],
        )
    told = result.structured_content
    check_analysis(told["analysis"])
    assert [seat["model"] for seat in told["panel"]] == [OPUS, GPT, OPUS, "vendor/broken"]
