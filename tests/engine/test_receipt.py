"""What the end of a call brings, from the provider to the state, and who said what it cost."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal

import pytest

from console.engine.provider import Finish
from console.engine.receipt import Receipt
from console.engine.spec import Panelist
from console.engine.state import CallState, Step
from console.engine.usage import Price, Usage

from .conftest import RunEngine

PRICED = Panelist("a", "fake", price=Price(input=Decimal(1), output=Decimal(2)))


def test_a_call_has_every_field_of_its_receipt() -> None:
    of_a_call = {f.name for f in fields(CallState)}
    assert {f.name for f in fields(Receipt)} - of_a_call == set()


def test_a_receipt_survives_the_event_that_carries_it() -> None:
    whole = Receipt(
        "tool_calls",
        Usage(3, 4, 1, 2),
        Decimal("0.00000001"),
        "reported",
        "a-2026",
        "Maker",
        "gen-1",
        ({"id": "1"},),
        2,
        ({"url": "https://a.example/1", "title": "One"},),
        ({"type": "image/png", "bytes": 3},),
        {"back": {"reasoning_content": "Hm."}},
    )
    assert all(getattr(whole, f.name) != getattr(Receipt(), f.name) for f in fields(whole))
    for receipt in (whole, Receipt()):
        assert Receipt.from_dict(json.loads(json.dumps(receipt.to_dict()))) == receipt


def test_an_event_without_a_receipt_brings_an_empty_one() -> None:
    assert Receipt.from_dict({"reason": "stalled", "error": "No text."}) == Receipt()


@pytest.mark.parametrize(
    ("finish", "cost", "source"),
    [
        pytest.param(Finish("stop", Usage(1, 1), cost=Decimal("0.5")), "0.5", "reported", id="its"),
        # The same sum as ours: it is theirs all the same.
        pytest.param(
            Finish("stop", Usage(1, 1), cost=Decimal("0.000003")), "0.000003", "reported", id="same"
        ),
        pytest.param(Finish("stop", Usage(1, 1), cost=Decimal(0)), "0", "reported", id="free"),
        pytest.param(Finish("stop", Usage(1, 1)), "0.000003", "computed", id="ours"),
        pytest.param(Finish("stop"), None, "", id="nobody's"),
    ],
)
async def test_it_is_on_record_who_said_what_a_call_cost(
    run_engine: RunEngine, finish: Finish, cost: str | None, source: str
) -> None:
    ran = await run_engine({"a": ["x", finish]}, panel=[PRICED])
    call = ran.state.latest(Step.PANEL, seat=0)
    assert call.cost == (None if cost is None else Decimal(cost))
    assert call.cost_source == source
