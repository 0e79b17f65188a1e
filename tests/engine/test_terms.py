"""What is asked of data and money holds for every call, and of several wishes the strictest."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from console.engine.spec import Panelist
from console.engine.state import CallStatus, RunStatus, Step
from console.engine.terms import NONE, PROMISES, NobodyLeft, Terms
from console.providers import kinds
from tests.prose import words

from .conftest import ANALYSIS, RunEngine

ZDR = Terms(zero_retention=True)
AZURE = Terms(only_providers=("azure",), routing={"sort": "price"})
WEB = Terms(beside={"plugins": [{"id": "web"}]})


def test_every_field_is_a_promise_or_a_preference() -> None:
    assert {f.name for f in fields(Terms)} == {*PROMISES, "routing", "beside"}
    for kind in kinds.KINDS.values():
        assert kind.keeps <= set(PROMISES)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (ZDR, NONE, ZDR),
        (NONE, ZDR, ZDR),
        (ZDR, Terms(no_training=True), Terms(zero_retention=True, no_training=True)),
        (Terms(only_local=True), Terms(), Terms(only_local=True)),
        (
            Terms(only_providers=("azure", "openai")),
            Terms(only_providers=("openai", "groq")),
            Terms(only_providers=("openai",)),
        ),
        (
            Terms(ignored_providers=("a",)),
            Terms(ignored_providers=("b", "a")),
            Terms(ignored_providers=("a", "b")),
        ),
        (
            Terms(max_price={"prompt": 1, "image": 3}),
            Terms(max_price={"prompt": 2, "completion": 4}),
            Terms(max_price={"prompt": 1, "image": 3, "completion": 4}),
        ),
        (
            Terms(max_price={"prompt": 0}),
            Terms(max_price={"prompt": 2}),
            Terms(max_price={"prompt": 0}),
        ),
        (
            Terms(routing={"sort": "price"}),
            Terms(routing={"sort": "latency"}),
            Terms(routing={"sort": "latency"}),
        ),
    ],
)
def test_of_two_the_strictest_holds(one: Terms, other: Terms, both: Terms) -> None:
    assert one.and_also(other) == both
    assert Terms.from_dict(both.to_dict()) == both


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Terms(only_providers=("azure",)), Terms(only_providers=("groq",))),
        (Terms(only_providers=("azure",)), Terms(ignored_providers=("azure",))),
    ],
)
def test_terms_that_leave_nobody_are_said_to(one: Terms, other: Terms) -> None:
    for first, second in ((one, other), (other, one)):
        with pytest.raises(NobodyLeft, match="No provider is left"):
            first.and_also(second)


async def test_every_call_of_a_run_is_made_on_its_terms(run_engine: RunEngine) -> None:
    """Seats, the judge's repair, whoever stands in, a long answer's condensing, the writer."""
    long = words(3000, of="water")[:13_800]
    broken = iter(["{", "{"])

    def judge(request: Any) -> Any:
        if request.response_schema:
            return [next(broken)]
        return ["Short."]

    def spare(request: Any) -> list[str]:
        import json

        return [json.dumps(ANALYSIS)]

    ran = await run_engine(
        {"a": [long], "b": [long], "judge": judge, "spare": spare, "pen": ["Fused."]},
        panel=["a", Panelist("b", "fake", terms=AZURE)],
        judge=Panelist("judge", "fake", context_length=6000, fallback=Panelist("spare", "fake")),
        writer="pen",
        terms=ZDR,
    )
    assert ran.state.status is RunStatus.COMPLETED
    steps = {call.step for call in ran.state.calls.values()}
    assert steps == {Step.PANEL, Step.CONDENSE, Step.ANALYSIS, Step.SYNTHESIS}
    assert {r.model for r in ran.requests} == {"a", "b", "judge", "spare", "pen"}
    for request in ran.requests:
        asked = replace(AZURE, zero_retention=True) if request.model == "b" else ZDR
        assert request.terms == asked


async def test_what_stands_beside_the_preferences_goes_with_the_prompt_alone(
    run_engine: RunEngine,
) -> None:
    scripts = {"a": ["A."], "b": ["B."], "judge": ["{}"], "pen": ["Fused."]}
    ran = await run_engine(scripts, writer="pen", terms=WEB)
    for request in ran.requests:
        assert request.terms.beside == (WEB.beside if request.model in "ab" else {})


async def test_a_seat_whose_terms_leave_nobody_is_not_asked(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": ["A."], "b": ["B."]},
        panel=["a", Panelist("b", "fake", terms=AZURE)],
        terms=Terms(only_providers=("groq",)),
    )
    failed = ran.state.latest(Step.PANEL, seat=1)
    assert failed and failed.status is CallStatus.FAILED
    assert "No provider is left" in failed.error
    assert not ran.requests_to("b")
