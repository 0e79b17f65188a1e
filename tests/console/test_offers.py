"""What can be chosen where a model is named: one line a model, whichever keys reach it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.catalog import offers as module
from console.catalog.listings import all_models
from console.catalog.offers import ModelOffer, offers, offers_as_json
from console.models import CatalogModel, Credential
from console.models.catalog import nano_dollars
from tests.console.listed import Have
from tests.console.story import Story

TODAY = date(2026, 11, 20)
KEYS = {
    slug: Credential(
        pk=pk, slug=slug, name=slug.title(), kind="openai_compatible", base_url=f"http://{slug}/v1"
    )
    for pk, slug in enumerate(("one", "two"), start=1)
}


def row(at: str, model: str, price: tuple[str, str] | None = None, **told: Any) -> CatalogModel:
    given, made = (nano_dollars(Decimal(p)) for p in price) if price else (None, None)
    return CatalogModel(
        credential=KEYS[at], model=model, input_price=given, output_price=made, **told
    )


def ways(*rows: CatalogModel) -> list[list[str]]:
    return [[way.name for way in offer.ways] for offer in offers(rows, TODAY)]


@pytest.mark.parametrize(
    ("one", "two", "lines"),
    [
        # One model under the names of two servers.
        ("gpt-5.5", "gpt-5.5", [["one:gpt-5.5", "two:gpt-5.5"]]),
        ("openai/gpt-5.5", "gpt-5.5", [["openai/gpt-5.5", "gpt-5.5"]]),
        ("anthropic/claude-opus-4.1", "claude-opus-4-1", None),
        ("qwen3:8b", "Qwen/Qwen3-8B", None),
        # Neighbours, which are models of their own.
        ("gpt-5.5", "gpt-5", [["gpt-5.5"], ["gpt-5"]]),
        ("gpt-5-mini", "gpt-5", [["gpt-5-mini"], ["gpt-5"]]),
        ("m/one:free", "m/one", [["m/one:free"], ["m/one"]]),
        ("llama3:8b", "llama3:70b", [["llama3:8b"], ["llama3:70b"]]),
        ("x/alpha", "y/alpha", [["x/alpha"], ["y/alpha"]]),
    ],
)
def test_the_same_model_at_two_keys_is_one_line(
    one: str, two: str, lines: list[list[str]] | None
) -> None:
    assert ways(row("one", one), row("two", two)) == (lines or [[one, two]])


def test_two_names_at_one_key_are_two_lines() -> None:
    assert ways(row("one", "m/alpha"), row("one", "alpha")) == [["m/alpha"], ["alpha"]]


def offer(*rows: CatalogModel) -> ModelOffer:
    [only] = offers(rows, TODAY)
    return only


def test_each_way_has_its_own_price_and_context() -> None:
    made = offer(
        row("one", "m/alpha", ("1", "2.5"), context_length=8000),
        row("two", "alpha", ("0", "0")),
    )
    assert (made.title, made.ways[0].key, made.ways[1].key) == ("alpha", "One", "Two")
    assert [(w.input_price, w.output_price, w.context) for w in made.ways] == [
        (1.0, 2.5, 8000),
        (0.0, 0.0, None),
    ]


def test_what_is_not_known_is_no_zero() -> None:
    [way] = offer(row("one", "unheard-of")).ways
    assert (way.input_price, way.output_price, way.context) == (None, None, None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"inputs": ["text", "image", "file"]}, {"takes": ["image", "file"]}),
        ({"takes_tools": True, "reasons": False}, {"tools": True}),
        ({"reasons": True}, {"reasons": True}),
        ({"published_at": datetime(2026, 11, 1, tzinfo=UTC)}, {"new": True}),
        ({"published_at": datetime(2026, 10, 1, tzinfo=UTC)}, {}),
        ({"expires_at": datetime(2026, 12, 1, tzinfo=UTC)}, {"ends": "1 December"}),
        ({"expires_at": datetime(2027, 1, 12, tzinfo=UTC)}, {"ends": "12 January 2027"}),
        ({}, {}),
    ],
)
def test_what_a_server_tells_is_told(told: dict[str, Any], expected: dict[str, Any]) -> None:
    made = offer(row("one", "openai/gpt-5.5", **told)).to_dict()
    assert made.pop("ways") and made.pop("title") == "gpt-5.5" and made.pop("maker") == "OpenAI"
    assert made == expected


def test_a_model_ends_when_none_of_its_keys_has_it_any_longer() -> None:
    ends = datetime(2026, 12, 1, tzinfo=UTC)
    assert offer(row("one", "alpha", expires_at=ends), row("two", "alpha")).ends == ""


def test_what_writes_no_text_is_not_offered() -> None:
    assert ways(row("one", "drawing", outputs=["image"])) == []
    assert ways(row("one", "talking", outputs=["text", "image"])) == [["talking"]]


def test_it_is_made_once_for_each_state_of_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    whole = module.offers

    def counted(models: Any, today: Any = None) -> Any:
        made.append(len(models))
        return whole(models, today)

    monkeypatch.setattr(module, "offers", counted)
    rows = [row("one", "alpha", ("1", "2")), row("two", "beta")]
    first = offers_as_json(rows)
    assert offers_as_json(list(rows)) == first and made == [2]
    rows[0].output_price = nano_dollars(Decimal(3))
    assert offers_as_json(rows) != first and made == [2, 2]


def test_a_name_cannot_leave_its_place_in_the_page() -> None:
    text = offers_as_json([row("one", "a</script><script>alert(1)&")])
    assert "<" not in text and "&" not in text
    assert json.loads(text)[0]["ways"][0][0] == "a</script><script>alert(1)&"


# ---- as pages get it


def lines_of(html: str) -> Any:
    [text] = re.findall(r'<div id="model-list"[^>]*>(.*?)</div>', html)
    return json.loads(text)


def used_in(html: str) -> list[str]:
    return re.findall(r'<data class="used" value="([^"]+)"', html)


@pytest.mark.django_db
def test_every_name_that_is_offered_can_be_asked_for(
    client: Client, alice: User, have: Have
) -> None:
    """What is reached by two keys, too: whatever is put into the field means one model at one."""
    from console.catalog.names import ModelNames

    have("openrouter", "anthropic", "openai")
    client.force_login(alice)
    lines = lines_of(client.get("/fusion?models").content.decode())
    names = [way[0] for line in lines for way in line["ways"]]
    assert len(names) == len(set(names)) > 300
    assert any(len(line["ways"]) == 2 for line in lines)
    by = ModelNames(*names)
    found = [by.find(name) for name in names]
    listed = {(m.credential_id, m.model) for m in all_models()[0]}
    assert {(f.credential.pk, f.model) for f in found} <= listed


@pytest.mark.django_db
def test_whom_a_person_asked_lately_is_offered_first(
    client: Client, alice: User, bob: User, have: Have
) -> None:
    have("openrouter")
    client.force_login(alice)
    assert used_in(client.get("/fusion?models").content.decode()) == []
    listed = all_models()[0]
    Story().whole().save(bob)
    story = Story()
    story.whole()
    run = story.save(alice)
    call = run.calls.order_by("pk").first()
    assert call is not None
    call.panelist |= {"credential": listed[7].credential_slug, "model": listed[7].model}
    call.save(update_fields=["panelist"])
    used = used_in(client.get("/fusion?models").content.decode())
    assert used == [listed[7].model]
