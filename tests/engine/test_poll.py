"""The preference poll: blind, in an order drawn from the seed, and honest about what it could
not read."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Request
from console.engine.spec import Panelist
from console.engine.state import CallState, RunState, RunStatus, Step, call_key
from console.engine.steps.poll import fused_comes_first, read_vote, tally
from tests.engine.conftest import Ran, RunEngine


def is_ballot(request: Request) -> bool:
    return str(request.messages[0]["content"]).startswith("You compare two answers")


def prefers(wanted: str) -> Any:
    """A panelist that answers, and then prefers the answer with these words in it."""

    def script(request: Request) -> Any:
        if not is_ballot(request):
            return [f"Own words of {request.model}."]
        asked = str(request.messages[1]["content"])
        first, second = re.findall(r"ANSWER \d ===\n(.*)\n", asked)
        assert "Fused." in (first, second)
        if wanted not in f"{first} {second}":
            return [wanted]
        return [f'{{"better": "{1 if wanted in first else 2}"}}']

    return script


def announce(state: RunState, *seats: int) -> RunState:
    """As the row does that a reader leaves."""
    state = RunState.from_dict(state.to_dict())
    for seat in seats:
        answer = state.answer(seat)
        assert answer
        key = call_key(Step.POLL, 1, 1, seat)
        state.calls[key] = CallState(
            key, Step.POLL, 1, "asked", answer.panelist, seat=seat, fusion=1
        )
    return state


async def polled(run_engine: RunEngine, scripts: dict[str, Any], **how: Any) -> Ran:
    first = await run_engine(scripts, **how)
    state = announce(first.state, *range(len(scripts)))
    ran = await run_engine(scripts, state=state, **how)
    assert isinstance(ran, Ran)
    return ran


async def test_votes_are_counted_for_what_was_preferred_whatever_the_order(
    run_engine: RunEngine,
) -> None:
    scripts = {
        **{f"fan{n}": prefers("Fused.") for n in range(4)},
        **{f"proud{n}": prefers("Own words") for n in range(2)},
        "fair": prefers('{"better": "equal"}'),
        "odd": prefers("I like the blue one."),
    }
    ran = await polled(run_engine, scripts)
    fusion = ran.state.fusion
    assert fusion
    assert tally(fusion.poll) == {"fused": 4, "own": 2, "equal": 1, "unparsed": 1}
    assert {v["fused_first"] for v in fusion.poll} == {True, False}
    assert len(ran.requests) == 8 and all(is_ballot(r) for r in ran.requests)
    assert ran.state.status is RunStatus.COMPLETED


async def test_a_panelist_is_not_told_which_answer_is_whose(run_engine: RunEngine) -> None:
    ran = await polled(run_engine, {"a": prefers("Fused."), "b": prefers("Own")})
    for request in ran.requests:
        said = f"{request.messages[0]['content']} {request.messages[1]['content']}"
        assert "What is water like?" in said
        assert not re.search(r"your own|panel|fused|judge", said.replace("Fused.", ""))


async def test_the_order_is_the_same_whenever_it_is_drawn_and_differs_between_seats() -> None:
    drawn = [[fused_comes_first(7, 1, seat) for seat in range(8)] for _ in range(2)]
    assert drawn[0] == drawn[1] and set(drawn[0]) == {True, False}


async def test_one_who_cannot_be_asked_costs_the_others_nothing(run_engine: RunEngine) -> None:
    def down(request: Request) -> Any:
        return [ProviderError(Reason.UNAUTHORIZED)] if is_ballot(request) else ["Own words."]

    ran = await polled(run_engine, {"a": down, "b": prefers("Fused.")})
    fusion = ran.state.fusion
    assert fusion and [v["seat"] for v in fusion.poll] == [1]
    call = ran.state.latest(Step.POLL, seat=0, fusion=1)
    assert call and call.reason == "unauthorized"
    assert ran.state.status is RunStatus.COMPLETED


async def test_a_vote_given_is_not_bought_again(run_engine: RunEngine) -> None:
    scripts = {"a": prefers("Fused."), "b": prefers("Own")}
    ran = await polled(run_engine, scripts)
    again = await run_engine(scripts, state=RunState.from_dict(ran.state.to_dict()))
    assert again.requests == []
    before, after = ran.state.fusion, again.state.fusion
    assert before and after and before.poll == after.poll


async def test_what_does_not_fit_its_context_is_not_asked(run_engine: RunEngine) -> None:
    small = Panelist("a", "fake", context_length=60)
    ran = await polled(
        run_engine, {"a": prefers("Fused."), "b": prefers("Own")}, panel=[small, "b"]
    )
    call = ran.state.latest(Step.POLL, seat=0, fusion=1)
    assert call and call.reason == "context_length" and call.sent_at is None


@pytest.mark.parametrize(
    ("text", "vote"),
    [
        ('{"better": "1"}', "fused"),
        ('```json\n{"better": 2}\n```', "own"),
        ("1", "fused"),
        ('{"better": "Equal"}', "equal"),
        ('{"better": "tie"}', "equal"),
        ('Not {"better": "1"}, rather {"better": "2"}', "own"),
        ('{"better": "3"}', "unparsed"),
        ('{"better": "1 or 2"}', "unparsed"),
        ("Answer 1 is better.", "unparsed"),
        ("", "unparsed"),
        ('{"better": "1/2"}', "unparsed"),
        ('{"better": "2 or 1"}', "unparsed"),
        ('{"better": "Answer 2"}', "own"),
        ("**Answer 1.**", "fused"),
        ('{"better": 1.0}', "fused"),
        ('{"better": "1"} or {"better": "2"} or {"better": "equal"}', "unparsed"),
        ("{'better': '2'}", "own"),
    ],
)
def test_reading_a_vote(text: str, vote: str) -> None:
    assert read_vote(text, fused_first=True) == vote
    swapped = {"fused": "own", "own": "fused"}.get(vote, vote)
    assert read_vote(text, fused_first=False) == swapped


def test_who_comes_first_is_a_coin_for_every_seat_and_fusion() -> None:
    for fusion, seat in itertools.product((1, 2), range(8)):
        first = sum(fused_comes_first(seed, fusion, seat) for seed in range(2000))
        assert 880 < first < 1120, (fusion, seat)  # more than five deviations
    # One seat's coin says nothing of another's.
    alike = sum(fused_comes_first(s, 1, 0) == fused_comes_first(s, 1, 1) for s in range(2000))
    assert 880 < alike < 1120
