"""What the models of a stored site say: slowly while it is made, so that it can be left in the
middle of every step, and at once when a test goes on with it.

The evaluation's models answer by what they are asked, so that it goes on as it would have.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

from tests.prose import words
from tests.upstream import Script, Upstream, sse

ANALYSIS = json.dumps(
    {
        "consensus": [{"claim": "North and south agree.", "seats": ["A", "B"]}],
        "contradictions": [],
        "partial_coverage": [],
        "unique_insights": [{"insight": "Only south saw it.", "seat": "B"}],
        "blind_spots": ["What it costs."],
    }
)
_JUDGES = Script(text=ANALYSIS, cost=0.002)
DISPUTED = json.dumps(
    {
        "consensus": [{"claim": "There is a point.", "seats": ["A", "B"]}],
        "contradictions": [
            {
                "topic": "Who has to say it?",
                "stances": [
                    {"stance": "North has.", "seats": ["A"], "quotes": {"A": "What north has"}},
                    {"stance": "South has.", "seats": ["B"], "quotes": {"B": "What south has"}},
                ],
            }
        ],
        "partial_coverage": [],
        "unique_insights": [{"insight": "Only south saw it.", "seat": "B"}],
        "blind_spots": [],
    }
)
# Two of these are more than `narrow` reads at once.
WORDY = f"The rare words of this answer fill a page. {words(2000, of='rare')[:8756]}"
NARROW_READS = 6000
PRICED = ["paid", "paid-slow", "paid-judge"]
# Words of which one that is missing or doubled can be seen.
SLOW = " ".join(f"word{n}" for n in range(400))
TASKS: list[dict[str, Any]] = [
    {"id": "sum", "prompt": "2+2?", "grader": "exact", "answers": ["4"]},
    {
        "id": "why",
        "prompt": "Why?",
        "grader": "rubric",
        "criteria": [{"text": "fused", "weight": 3}, {"text": "rude", "weight": -1}],
    },
    {"id": "poem", "prompt": "A poem.", "grader": "pairwise"},
]
# Calls by model, when nothing disturbs the evaluation: two panels of two, an analysis and a
# synthesis each, for three tasks; four answers graded by rubric, three pairs in both orders.
WHOLE = {"alpha": 3, "beta": 3 + 6, "foreman": 12, "grader": 4 + 3 * 2}
# In the middle of the second arm: its second task has been analysed and is being fused.
INTERRUPTED_AT = 10


def speak(upstream: Upstream, *, slowly: bool) -> None:
    for name in ("north", "south", "spare"):
        upstream.script(name, Script(text=f"What {name} has to say.\n\n- a point", cost=0.01))
    upstream.script("broken", Script(status=401))
    fused = Script(text="Fused.", cost=0.02, judge=_JUDGES)
    upstream.script("judge", lambda body: _calls_a_tool(body) or fused)
    upstream.script("babbler", Script(text="Fused all the same.", judge=Script(text="not JSON")))
    pace = 4.0 if slowly else 0
    upstream.script("slow", Script(text=SLOW, tokens_per_second=pace))
    judging = replace(_JUDGES, tokens_per_second=pace / 16)
    upstream.script("slow-judge", Script(text="Fused late.", judge=judging))
    upstream.script("silent", Script(first_token_after=600 if slowly else 0))
    ruler = Script(text="Fused and disputed.", judge=Script(text=DISPUTED))
    upstream.script("ruler", ruler)
    upstream.script("voter", Script(text="What voter has to say.", judge=_polled(pace / 16)))
    for name in ("yes", "yea"):
        upstream.script(name, Script(text="Yes"))
    upstream.script("wordy", Script(text=WORDY))
    # Whose prices are known, so that budgets can hold what they may cost.
    upstream.script("paid", Script(text="What paid has to say.", cost=0.01))
    upstream.script("paid-slow", Script(text=SLOW, tokens_per_second=pace))
    upstream.script("paid-judge", fused)
    upstream.script("narrow", lambda body: _condensed(body, pace) or fused)
    for name in ("alpha", "beta"):
        upstream.script(name, _answer(name))
    upstream.script("foreman", _foreman(INTERRUPTED_AT if slowly else 0))
    upstream.script("grader", _verdict)


def _calls_a_tool(body: dict[str, Any]) -> Script | None:
    if "tools" not in body:
        return None
    function = {"name": "weather", "arguments": '{"city":"Oslo"}'}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    counted = sse.data({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}})
    said = [sse.event({"tool_calls": [call]}), sse.event(finish="tool_calls"), counted]
    return Script(raw=[*said, sse.DONE])


def _polled(pace: float) -> Script:
    return Script(text='{"better": "equal", "because": "of this"}', tokens_per_second=pace)


def _condensed(body: dict[str, Any], pace: float) -> Script | None:
    """At another pace than it judges and writes."""
    if not str(body["messages"][0]["content"]).startswith("Shorten the text"):
        return None
    return Script(text=SLOW, tokens_per_second=pace)


def _answer(of: str) -> Any:
    """Alpha is wrong, beta right at half the price."""
    right = {"alpha": "5", "beta": "4"}[of]
    cost = {"alpha": 0.02, "beta": 0.01}[of]

    def answer(body: dict[str, Any]) -> Script:
        asked = str(body["messages"][-1]["content"])
        return Script(text=right if asked == "2+2?" else f"{of} says so.", cost=cost)

    return answer


def _foreman(interrupted_at: int) -> Any:
    """Who fuses says what beta does, and on the rest something of its own."""
    turn = itertools.count(1)

    def answer(body: dict[str, Any]) -> Script:
        asked = str(body["messages"][-1]["content"])
        if next(turn) == interrupted_at:
            return Script(text=SLOW, tokens_per_second=4)
        said = "4" if "2+2?" in asked else f"fused words on {len(asked)}"
        return Script(text=said, cost=0.005, judge=_JUDGES)

    return answer


def _verdict(body: dict[str, Any]) -> Script:
    """Met when the answer is fused, rude never; of a pair the fused one is better."""
    user = str(body["messages"][-1]["content"])
    said: dict[str, Any] = {"c1": "fused" in user, "c2": False}
    if body["response_format"]["json_schema"]["schema"]["required"] == ["better"]:
        said = {"better": "1" if "fused" in user.split("ANSWER 2")[0] else "2"}
    return Script(judge=Script(text=json.dumps(said), cost=0.001))
