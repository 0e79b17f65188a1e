"""`/fusion?quote`: what the form would cost as it stands, told while it is filled in."""

# ruff: noqa: F811 - fixtures are named as they are asked for
from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from console.models import CatalogModel, Preset, Purse, Run, Window
from console.money.purses import purse_set
from console.services.build_spec import build
from console.services.habits import history
from console.services.presets import preset_wish
from console.services.quote import quote
from tests.console.test_api_quote import priced  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
USUAL = "A panel takes four to five times"


def told(client: Client, **fields: str) -> str:
    response = client.post("/fusion?quote", {"preset": "own", "prompt": "", "asked": "10"} | fields)
    assert response.status_code == 200
    html = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.split())


def test_it_stands_before_the_buttons_and_says_what_holds_of_all(
    client: Client, alice: User, priced: Preset
) -> None:
    Run.objects.create(owner=alice, prompt="?", messages=[], spec={}, preset_name="")
    client.force_login(alice)
    html = client.get("/fusion").content.decode()
    box = html.split('id="quote"')[1].split('class="ask-foot"')[0]
    assert USUAL in box and html.count(USUAL) == 1


def test_it_says_low_to_high_for_each_part_and_starts_nothing(
    client: Client, alice: User, priced: Preset
) -> None:
    client.force_login(alice)
    said = told(client)
    assert re.match(r"About \$[\d.]+–[\d.]+ judge alone \$[\d.]+–[\d.]+ panel \$", said), said
    assert re.search(r"panel \$\S+ \(A \d+%, B \d+% of the whole\)", said), said
    assert "judge $" in said and "writer $" in said
    assert not Run.objects.exists()


def test_a_longer_prompt_costs_more_and_is_not_sent_for_it(
    client: Client, alice: User, priced: Preset
) -> None:
    client.force_login(alice)

    def low(said: str) -> float:
        found = re.match(r"About \$([\d.]+)", said)
        assert found, said
        return float(found[1])

    assert low(told(client, asked="1000")) < low(told(client, asked="5000"))
    text = told(client, prompt="x" * 4_000, asked="")
    assert low(text) == low(told(client, asked="1000"))
    long = told(client, asked="7900")
    assert "Too long for A (a), which reads 8,000 tokens." in long


@pytest.mark.parametrize("asked", ["", "-1", "1e9", "９", "x" * 20, "9" * 11])
def test_a_length_that_is_none_is_not_believed(
    client: Client, alice: User, priced: Preset, asked: str
) -> None:
    client.force_login(alice)
    assert told(client, asked=asked).startswith("About $")


def test_compare_first_is_not_asked_here_and_custom_panels_are(
    client: Client, alice: User, priced: Preset
) -> None:
    client.force_login(alice)
    said = told(client, preset="custom", panel="openrouter:own/a", judge="openrouter:own/judge")
    assert said.startswith("About $")


def test_an_unknown_price_is_named(client: Client, alice: User, priced: Preset) -> None:
    priced.panelists.filter(seat=1).update(model="own/unknown")
    client.force_login(alice)
    said = told(client)
    assert said.startswith("Price not known") and not re.search(r"\$0(?![.\d])", said)
    assert "What unknown costs is not known here; the others’ calls cost $" in said


@pytest.mark.parametrize(
    "fields",
    [
        {"preset": ""},
        {"preset": "gone"},
        {"preset": "custom"},
        {"preset": "custom", "panel": "half-typed", "judge": "no-such-model-anywhere"},
        {"wait_for": "nobody"},
    ],
)
def test_what_is_not_whole_yet_has_no_price_and_no_complaint(
    client: Client, alice: User, priced: Preset, fields: dict[str, str]
) -> None:
    client.force_login(alice)
    assert told(client, **fields).startswith((USUAL, "Price not known"))


def test_nobody_else_is_told(client: Client, priced: Preset) -> None:
    assert client.post("/fusion?quote", {"preset": "own"}).status_code == 302


def test_what_is_left_of_a_budget_is_told_once_it_pays_for_few_such_runs(
    client: Client, alice: User, priced: Preset
) -> None:
    client.force_login(alice)
    high = quote_high(client)
    purse_set(kind="person", subject=str(alice.pk), period="day", limit=high * 10)
    purse_set(kind="site", subject="", period="month", limit=high * 6)
    assert "is left" not in told(client)
    purse = Purse.objects.get(kind="site")
    window = Window.objects.create(
        purse=purse, rank=4, starts=timezone.localtime().date().replace(day=1),
        spent_nano=purse.limit_nano // 3,
    )  # fmt: skip
    assert "of this site’s budget of $" in told(client)
    assert "is left this month." in told(client)
    window.delete()
    purse_set(kind="person", subject=str(alice.pk), period="day", limit=high * 2)
    assert "of your budget of $" in told(client) and "is left today." in told(client)


def quote_high(client: Client) -> Decimal:
    spec = build(preset_wish(Preset.objects.get(slug="own")))
    high = quote(spec, 10, history()).high
    assert high
    return high


def test_seats_that_look_up_by_themselves_are_told_as_the_form_is_filled_in(
    client: Client, alice: User, priced: Preset, settings: Any
) -> None:
    settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")}
    client.force_login(alice)
    without = told(client, web_shown="on")
    Preset.objects.filter(slug="own").update(web="own")
    rows = CatalogModel.objects.filter(model__in=("own/a", "own/b"))
    rows.update(context_length=100_000)  # else they are too small for it
    said = told(client, web_shown="on", web="on")
    assert "Seats look things up by themselves, in some 3 calls each." in said
    assert "look" not in without and said.split()[1] != without.split()[1]
    rows.filter(model="own/b").update(takes_tools=False)
    said = told(client, web_shown="on", web="on")
    assert "For B pages are looked up beforehand: no tools can be used there." in said
