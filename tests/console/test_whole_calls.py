"""What a usual budget pays for: whatever is asked and however much is answered, one whole attempt
of each call fits its share, as the engine really asks and as money is really held."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from console.engine.calls.worst_case import USUAL_OUTPUT
from console.engine.events import Event
from console.engine.provider import Chunk, Finish, Provider, Request, TextDelta
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import RunState
from console.engine.steps import prompts
from console.engine.steps.fuse import fuse
from console.engine.usage import Price, Usage
from console.money.asking import ask_of
from console.money.shares import part_of
from console.services.estimates import UsualBudget, usual_budget
from console.services.habits import History
from console.services.quote import quote_of
from console.services.whole_calls import whole_calls
from tests.engine.conftest import ANALYSIS
from tests.engine.virtual import now, run_in_virtual_time

PRICE = Price(Decimal(3), Decimal(15))
SENTENCE = "Of a river one may ask where it rises, how long it is and who lives beside it. "
PROMPTS = {
    "short": "Why?",
    "emoji": "🙃🐙🌋" * 3_000,
    "cjk": "长江发源于唐古拉山" * 1_000,
    "base64": "What is this? " + base64.b64encode(bytes(range(256)) * 60).decode(),
    "long": (SENTENCE * 1_300)[:100_000],
}


def words(tokens: int, *, of: str) -> str:
    """As long as that at a model's output limit: in words, or in signs of which each is a token."""
    if of == "words":
        return " ".join(f"w{n:06}" for n in range(tokens // 2))
    return "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(tokens))


class AtTheLimit:
    """Models that write all that they may."""

    def __init__(self, of: str) -> None:
        self._of = of

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        tokens = request.max_output_tokens or USUAL_OUTPUT
        text = json.dumps(ANALYSIS) if request.response_schema else words(tokens, of=self._of)
        yield TextDelta(text)
        yield Finish("stop", Usage(10, 10), model=request.model)


class Counting:
    def __init__(self) -> None:
        self.asked: dict[str, tuple[Panelist, Request]] = {}

    @asynccontextmanager
    async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
        yield

    async def record(self, key: str, panelist: Panelist, request: Request) -> None:
        self.asked[key] = (panelist, request)


def a_spec(limit: int | None, price: Price | None = PRICE, window: int | None = None) -> Spec:
    who = Panelist("maker/one", "here", price=price, context_length=window)
    panel = tuple(replace(who, model=f"maker/{n}", max_output_tokens=limit) for n in "abc")
    return Spec(
        panel=panel, judge=replace(who, model="maker/judge"), prompts=prompts.load(),
        policy=Policy(retries=0), shuffle_seed=5,
    )  # fmt: skip


def usual(spec: Spec, prompt: str) -> UsualBudget | None:
    said = quote_of(spec, [prompt], History())
    return usual_budget(said.at_most, said.at_most, whole_calls(spec, [prompt]))


def asked(spec: Spec, prompt: str, of: str) -> dict[str, tuple[Panelist, Request]]:
    counting, models = Counting(), AtTheLimit(of)

    async def carried_out() -> RunState:
        async def provider_for(panelist: Panelist) -> Provider:
            return models

        state, events = RunState(), list[Event]()
        await fuse(
            spec, [{"role": "user", "content": prompt}], state=state, attempt=1,
            provider_for=provider_for, emit=events.append, admission=counting, clock=now,
        )  # fmt: skip
        return state

    state = run_in_virtual_time(carried_out())
    assert state.outcome == "completed" and state.fusion
    return counting.asked


@pytest.mark.parametrize("of", ["words", "signs"])
@pytest.mark.parametrize(
    ("prompt", "limit", "window"),
    [
        *((name, None, None) for name in PROMPTS),
        ("short", 128_000, 1_000_000),
        ("long", 8_000, 60_000),  # what was answered is condensed
    ],
    ids=str,
)
def test_one_whole_attempt_of_each_call_fits_its_share(
    prompt: str, limit: int | None, window: int | None, of: str
) -> None:
    spec = a_spec(limit, window=window)
    budget = usual(spec, PROMPTS[prompt])
    assert budget and budget.limit == sum(budget.shares.values())
    needed: dict[str, int] = {}
    for key, (panelist, request) in asked(spec, PROMPTS[prompt], of).items():
        if key.endswith("-1"):
            ask = ask_of(key, None, panelist, request)
            needed[part_of(key)] = needed.get(part_of(key), 0) + ask.amount()
            assert request.max_output_tokens or ask.output == USUAL_OUTPUT or window == 60_000
    last = "condense" if window == 60_000 else "synthesis"
    assert {"panel-0", "panel-1", "panel-2", last} <= needed.keys()
    assert {part: n for part, n in needed.items() if n > budget.shares[part]} == {}


def test_where_nobody_set_a_limit_no_more_is_asked_for_than_a_window_has_room_for() -> None:
    small = replace(a_spec(None).panel[0], context_length=16_000)
    texts = ("Why?", SENTENCE * 400, SENTENCE * 4_000)
    said = [[{"role": "user", "content": text}] for text in texts]
    asks = [ask_of("panel-0-1", None, small, Request(small.model, one)) for one in said]
    assert [16_000 - ask.input_probably for ask in asks[:2]] == [ask.output for ask in asks[:2]]
    assert asks[2].output == 4_000, "whoever is too long is told so by its server"


def test_three_times_the_quote_is_in_it_and_who_costs_nothing_or_nobody_knows_what_has_none() -> (
    None
):
    spec = a_spec(1_000)
    said, budget = quote_of(spec, ["Why?"], History()), usual(spec, "Why?")
    assert said.high and budget and budget.limit >= 3 * said.high * 10**9
    assert said.low and said.high / said.low <= 10, "what is shown is what is likely"
    assert usual(a_spec(None, Price(Decimal(0), Decimal(0))), "Why?") is None
    assert usual(a_spec(None, None), "Why?") is None
    free = replace(spec.panel[0], price=Price(Decimal(0), Decimal(0)))
    mixed = usual(replace(spec, panel=(free, *spec.panel[1:])), "Why?")
    assert mixed and mixed.shares["panel-0"] == 0 < mixed.shares["panel-1"]


def test_whoever_may_stand_in_is_paid_for_too() -> None:
    spec = a_spec(1_000)
    dear = replace(spec.panel[0], model="maker/dear", price=Price(Decimal(30), Decimal(150)))
    first = replace(spec.panel[0], fallback=dear)
    plain, with_one = usual(spec, "Why?"), usual(replace(spec, panel=(first, *spec.panel[1:])), "?")
    assert plain and with_one and with_one.shares["panel-0"] > 3 * plain.shares["panel-0"]
    nobody_knows = replace(first, fallback=replace(dear, price=None))
    assert usual(replace(spec, panel=(nobody_knows,)), "Why?") is None
