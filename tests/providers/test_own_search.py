"""A provider's own search of the web: how each is asked for it, and who is not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx

from console.engine.calls.worst_case import fees_at_most
from console.engine.provider import Request, WebSearch
from console.engine.terms import Terms
from console.providers.anthropic import Anthropic
from console.providers.openai_compatible import OpenAICompatible
from console.providers.openrouter import OpenRouter

SAY: list[dict[str, Any]] = [{"role": "user", "content": "Why?"}]
ASKED = Request("claude-opus-4-1", SAY, search=WebSearch(queries=2, pages=4))


def body(kind: type[OpenAICompatible], request: Request) -> dict[str, Any]:
    provider = kind("http://x/v1", "", client=httpx.AsyncClient())
    return provider.wire(provider.body(request))


def test_openrouter_is_asked_by_its_plugin_unless_a_program_has_its_own() -> None:
    assert body(OpenRouter, ASKED)["plugins"] == [{"id": "web", "max_results": 4}]
    own = [{"id": "web", "engine": "exa"}]
    asked = replace(ASKED, terms=Terms(beside={"plugins": own}))
    assert body(OpenRouter, asked)["plugins"] == own


def test_anthropic_is_asked_by_its_tool() -> None:
    (tool,) = body(Anthropic, ASKED)["tools"]
    assert (tool["name"], tool["max_uses"]) == ("web_search", 2)
    assert tool["type"].startswith("web_search_")


def test_nobody_else_is_told_and_nothing_is_said_where_nothing_is_searched() -> None:
    not_asked = replace(ASKED, search=None)
    assert body(OpenAICompatible, ASKED) == body(OpenAICompatible, not_asked)
    for kind in (OpenRouter, Anthropic):
        assert not {"plugins", "tools"} & set(body(kind, not_asked))


PRICES = Decimal("0.05"), Decimal("0.004")  # of a search, of a page


def test_what_it_may_cost_is_held() -> None:
    assert fees_at_most("m", ASKED, *PRICES) == Decimal("0.10")
    assert fees_at_most("m", replace(ASKED, search=WebSearch(1, 50)), *PRICES) == Decimal("0.2")
