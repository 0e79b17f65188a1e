"""What a request says of its terms at OpenRouter, and what no other server is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from console.engine.provider import Request
from console.engine.terms import Terms
from console.providers import kinds
from console.providers.openai_compatible import OpenAICompatible
from console.providers.openrouter import OpenRouter

ALL = Terms(
    only_local=True,
    zero_retention=True,
    no_training=True,
    only_providers=("azure",),
    ignored_providers=("groq",),
    max_price={"prompt": 1},
    distillable=True,
    routing={"sort": "price"},
    beside={"plugins": [{"id": "web"}]},
)
SAY: list[dict[str, Any]] = [{"role": "user", "content": "Why?"}]


def test_openrouter_is_told_what_it_can_see_to() -> None:
    body = OpenRouter("http://x/v1", "", client=httpx.AsyncClient()).body(
        Request("a", SAY, terms=ALL)
    )
    assert body["provider"] == {
        "sort": "price",
        "zdr": True,
        "data_collection": "deny",
        "only": ["azure"],
        "ignore": ["groq"],
        "max_price": {"prompt": 1},
        "enforce_distillable_text": True,
    }
    assert body["plugins"] == [{"id": "web"}]


def test_without_terms_nothing_is_said_of_them() -> None:
    for provider in (OpenRouter, OpenAICompatible):
        made = provider("http://x/v1", "", client=httpx.AsyncClient())
        assert not {"provider", "plugins", "transforms"} & set(made.body(Request("a", SAY)))


def test_others_do_not_know_the_words() -> None:
    made = OpenAICompatible("http://x/v1", "", client=httpx.AsyncClient())
    assert made.body(Request("a", SAY, terms=ALL)) == made.body(Request("a", SAY))


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://localhost:8080/v1", True),
        ("http://[::1]:9/v1", True),
        ("http://127.8.8.8/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://localhost.example.com/v1", False),
        ("http://192.168.1.5/v1", False),
        ("http://0.0.0.0/v1", False),
        ("", False),
        ("http://[/v1", False),
    ],
)
def test_what_address_is_this_machine_s(url: str, here: bool) -> None:
    assert kinds.is_on_this_machine(url) is here
