"""What servers say of tokens and money, in the shapes that they say it in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from console.engine.usage import Usage
from console.providers.wire.usage import THOUGHTS_IN_TOTAL_ONLY, cost_from, usage_from
from tests.upstream import Script

GOOGLE = "generativelanguage.googleapis.com"
VERTEX = "aiplatform.googleapis.com"


def report(given: int, made: int, total: int | None = None, thoughts: int | None = None) -> Any:
    usage: dict[str, Any] = {"prompt_tokens": given, "completion_tokens": made}
    if total is not None:
        usage["total_tokens"] = total
    if thoughts is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": thoughts}
    return usage


@pytest.mark.parametrize(
    ("usage", "host", "output", "thoughts", "odd"),
    [
        pytest.param(report(32, 9, 135, 94), "", 103, 94, None, id="thoughts beside"),
        pytest.param(report(32, 103, 135, 94), "", 103, 94, None, id="thoughts within"),
        pytest.param(report(21, 0, 81, 60), "", 60, 60, None, id="nothing but thoughts"),
        pytest.param(report(32, 9, None, 94), "", 103, 94, None, id="more than the output"),
        pytest.param(report(32, 9, 41, 94), "", 9, 9, None, id="the total denies them"),
        pytest.param(report(32, 103, None, 94), "", 103, 94, None, id="no total"),
        pytest.param(report(10, 5, 515), GOOGLE, 505, None, None, id="Google's total"),
        pytest.param(
            report(10, 5, 515), f"eu-{VERTEX}", 505, None, None, id="Vertex"
        ),
        pytest.param(report(10, 5, 515), "api.x.ai", 505, None, None, id="xAI's total"),
        pytest.param(report(10, 5, 15), GOOGLE, 5, None, None, id="Google without thoughts"),
        pytest.param(report(10, 5, 515), "", 5, None, 515, id="nobody's total"),
        pytest.param(report(10, 5, 515), "x.ai.example.com", 5, None, 515, id="another host"),
        pytest.param(report(10, 5, 12), GOOGLE, 5, None, 12, id="a total below the sum"),
        pytest.param(report(10, 5, 500, 94), "", 5, 5, 500, id="thoughts explain it in part"),
        pytest.param(report(10, 5, 0), "", 5, None, None, id="a total of nothing"),
    ],
)  # fmt: skip
def test_thoughts_are_output_wherever_they_are_counted(
    usage: Any, host: str, output: int, thoughts: int | None, odd: int | None
) -> None:
    counted = usage_from(usage, host)
    assert (counted.output_tokens, counted.reasoning_tokens) == (output, thoughts)
    assert counted.reported_total == odd


@pytest.mark.parametrize(
    ("more", "searches", "tokens"),
    [
        ({}, None, None),
        ({"server_tool_use_details": {"web_search_requests": 3}}, 3, None),
        ({"server_tool_use": {"web_search_requests": 0}}, 0, None),
        ({"num_search_queries": 2, "citation_tokens": 812}, 2, 812),
        ({"server_tool_use_details": {"tool_calls_requested": 3}}, None, None),
        ({"server_tool_use": None, "num_search_queries": True}, None, None),
        ({"server_tool_use": [3], "citation_tokens": -1}, None, None),
        ({"num_search_queries": "2", "citation_tokens": 10**12}, None, None),
    ],
    ids=str,
)
def test_searches_of_the_web_are_counted_where_somebody_says_them(
    more: dict[str, Any], searches: int | None, tokens: int | None
) -> None:
    counted = usage_from(report(10, 5) | more)
    assert (counted.searches, counted.search_tokens) == (searches, tokens)
    assert (counted.input_tokens, counted.output_tokens) == (10, 5)


def test_it_is_written_where_a_server_is_known_to_count_so() -> None:
    assert all(source.count("/") >= 2 for source in THOUGHTS_IN_TOTAL_ONLY.values())


@pytest.mark.parametrize(
    ("cost", "amount"),
    [
        (0.0021, "0.0021"),
        ("0.0021", "0.0021"),
        ({"input_tokens_cost": 0.001, "output_tokens_cost": 0.001, "total_cost": 0.0021}, "0.0021"),
        ({"currency": "USD", "total": "0.0021"}, "0.0021"),
        ({"total_cost": 0}, "0"),
        ({"input_tokens_cost": 0.001}, None),
        ({"total_cost": {"usd": 1}}, None),
        ({"total_cost": -1}, None),
        (["0.0021"], None),
        (True, None),
    ],
)
def test_a_cost_told_part_by_part_is_its_total(cost: Any, amount: str | None) -> None:
    assert cost_from({"cost": cost}) == (None if amount is None else Decimal(amount))


def test_a_cost_in_ticks_is_in_dollars() -> None:
    assert cost_from({"cost_in_usd_ticks": 232_856_000}) == Decimal("0.0232856")
    assert cost_from({"cost_in_usd_ticks": 232_856_000, "cost": 0.5}) == Decimal("0.5")
    assert cost_from({"cost_in_usd_ticks": -1}) is None


async def test_a_stream_says_it_in_its_last_chunk(ask: Any) -> None:
    got = await ask(Script(usage=report(32, 9, 135, 94) | {"cost": {"total_cost": 0.25}}))
    assert got.finish.usage == Usage(32, 103, reasoning_tokens=94)
    assert got.finish.cost == Decimal("0.25")
