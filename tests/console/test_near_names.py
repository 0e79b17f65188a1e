"""Whoever names a model or a preset that nobody knows is told names like it."""

from __future__ import annotations

from typing import Any

import pytest

from console.catalog import names
from console.catalog.names import ModelNames, UnknownName
from console.catalog.near import did_you_mean
from console.models import CatalogModel, Credential

KNOWN = [
    "~anthropic/claude-opus-latest",
    "anthropic/claude-sonnet-4.5",
    "openai/gpt-5-mini",
    "google/gemini-3-pro",
    "llama3:8b",
]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gpt-5-mini", "openai/gpt-5-mini"),
        ("openai/gpt5-mini", "openai/gpt-5-mini"),
        ("azure/gpt-5-mini", "openai/gpt-5-mini"),
        ("Anthropic/Claude-Sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("claude-sonet-4-5", "anthropic/claude-sonnet-4.5"),
        ("claude-opus-latest", "~anthropic/claude-opus-latest"),
        ("llama3:8", "llama3:8b"),
    ],
)
def test_the_name_that_was_meant_comes_first(typed: str, meant: str) -> None:
    assert did_you_mean(typed, KNOWN).startswith(f" Did you mean “{meant}”")


@pytest.mark.parametrize("typed", ["mistral-large", "x", "", "💥", "g" * 200])
def test_names_that_are_nothing_like_it_are_not_offered(typed: str) -> None:
    assert did_you_mean(typed, KNOWN) == ""
    assert did_you_mean(typed, []) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "listed_only", "sentence"),
    [
        ("gpt-5-min", True, "There is no model “gpt-5-min”. Did you mean “gpt-5-mini”?"),
        (
            "gpt-5-min",
            False,
            "No provider lists gpt-5-min. Did you mean “gpt-5-mini”? "
            "To ask for it all the same, name it one:gpt-5-min or two:gpt-5-min.",
        ),
        ("bothh", True, "There is no model “bothh”. Did you mean “one:both” or “two:both”?"),
        ("won:gpt-5-mini", True, "Did you mean “gpt-5-mini”?"),
        ("onee:both", True, "Did you mean “one:both”"),
        ("nothing-like-it", True, "There is no model “nothing-like-it”."),
    ],
)
def test_a_name_is_refused_with_names_that_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, typed: str, listed_only: bool, sentence: str
) -> None:
    Credential.objects.update(enabled=False)
    for slug in ("one", "two"):
        Credential.objects.create(
            slug=slug, name=slug, kind="openai_compatible", base_url="http://127.0.0.1:1/v1"
        )
    listed = [
        CatalogModel(credential=Credential(slug=slug), model=model, name=model)
        for slug, model in (("one", "gpt-5-mini"), ("one", "both"), ("two", "both"))
    ]

    def all_models() -> Any:
        return listed, []

    monkeypatch.setattr(names, "all_models", all_models)
    with pytest.raises(UnknownName) as refused:
        ModelNames(listed_only=listed_only).find(typed)
    assert sentence in str(refused.value)
