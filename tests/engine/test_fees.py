"""What a call may cost beside its tokens, held before it goes out: of one that may search."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from console.engine.calls.worst_case import fees_at_most
from console.engine.provider import Request
from console.engine.terms import Terms

OF_A_SEARCH, OF_A_RESULT = Decimal("0.05"), Decimal("0.004")


def request(plugins: Any = None, **options: Any) -> Request:
    terms = Terms(beside={"plugins": plugins} if plugins is not None else {})
    return Request("m", [{"role": "user", "content": "?"}], options=options, terms=terms)


@pytest.mark.parametrize(
    ("model", "asked", "fees"),
    [
        ("openai/gpt-7", request(), Decimal(0)),
        ("openai/gpt-7:online", request(), OF_A_SEARCH),
        ("perplexity/sonar-pro", request(), OF_A_SEARCH),
        ("openai/gpt-4o-search-preview", request(), OF_A_SEARCH),
        ("openai/o4-mini-deep-research", request(), OF_A_SEARCH),
        ("maker/sonarious", request(), Decimal(0)),
        ("maker/m", request([{"id": "web"}]), OF_A_SEARCH),
        ("maker/m", request([{"id": "web", "max_results": 50}]), Decimal("0.2")),
        ("maker/m", request([{"id": "web", "max_results": "many"}]), OF_A_SEARCH),
        ("maker/m", request([{"id": "file-parser"}, "web"]), Decimal(0)),
        ("maker/m", request(web_search_options={}), OF_A_SEARCH),
        ("maker/m", request(tools=[{"type": "openrouter:web_search"}]), OF_A_SEARCH),
        ("maker/m", request(tools=[{"type": "function", "function": {}}]), Decimal(0)),
    ],
)
def test_what_may_search_is_held_with_what_a_search_costs(
    model: str, asked: Request, fees: Decimal
) -> None:
    assert fees_at_most(model, asked, OF_A_SEARCH, OF_A_RESULT) == fees
