"""The page of budgets as it lies on a phone and on a desk: bars, what is left, tables."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.plugin import DjangoDbBlocker

from console.models import Purse, Run, Window
from console.money.purses import purse_set
from tests.console.story import Story, a_spec
from tests.layout.conftest import Show
from tests.layout.orderly import cut, hindrances

pytestmark = pytest.mark.browser

LONG = "a-maker-with-a-long-name/and-a-model-with-a-longer-one-2027-11-29-preview"
MONTH = "/fusion/budgets?month=2026-03"


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock():
        ada = User.objects.create_user("ada-of-budgets", is_staff=True)
        client = Client()
        client.force_login(ada)
        for day in (2, 3, 5, 6, 9, 12, 13, 20, 27):
            began = datetime(2026, 3, day, 12, tzinfo=UTC)
            for _ in range(1 + day % 4):
                story = Story(a_spec("maker/alpha", LONG), began=began.timestamp()).whole()
                kept = {"model": "maker/reference", "price": {"input": "0", "output": "70"}}
                run = story.save(ada, estimate={"reference": kept})
                run.calls.filter(sent_at=None).update(sent_at=began, started_at=began)
        for kind, subject, spent, held in (
            ("site", "", 3, 1), ("person", str(ada.pk), 8, 1), ("person", "0", 12, 0),
        ):  # fmt: skip
            purse_set(kind=kind, subject=subject, period="month", limit=Decimal(10))
            Window.objects.create(
                purse=Purse.objects.get(kind=kind, subject=subject), rank=1,
                starts=timezone.localtime().date().replace(day=1),
                spent_nano=spent * 10**9, held_nano=held * 10**9,
            )  # fmt: skip
        page = client.get(MONTH).content.decode()
        client.logout()
        Purse.objects.all().delete()
        Run.objects.filter(owner=ada).delete()
        ada.delete()
    return {"budgets": page}


def test_there_is_a_page(pages: dict[str, str]) -> None:
    assert "Spent on 9 days, most on 3 Mar" in pages["budgets"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_hinders_and_nothing_is_cut(show: Show, width: int, theme: str) -> None:
    page = show("budgets", width, 1000, color_scheme=theme)
    assert hindrances(page) == []
    page.get_by_text("As a table").click()
    expect(page.get_by_role("cell", name="27 Mar")).to_be_visible()
    assert hindrances(page) == []
    assert cut(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_one_answer_would_have_cost_is_a_stroke_over_its_bar(show: Show) -> None:
    page = show("budgets", 1440)
    expect(page.get_by_text("One answer of reference to each would have cost")).to_be_visible()
    places = """all => all.map((one) => [one.getBoundingClientRect().left,
        one.getBoundingClientRect().width, one.getBoundingClientRect().top])"""
    bars = page.locator(".spent-bars g").evaluate_all(places)
    strokes = page.locator(".spent-alone").evaluate_all(places)
    assert len(bars) == len(strokes) == 9
    for bar, stroke in zip(bars, strokes, strict=True):
        assert abs(bar[0] - stroke[0]) < 2 and abs(bar[1] - stroke[1]) < 3
        assert stroke[2] > bar[2], "one answer costs less than all of them"


def test_a_bar_is_as_high_as_what_it_means(show: Show) -> None:
    page = show("budgets", 1440)
    heights = page.locator(".spent-bars g").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    counts = [1 + day % 4 for day in (2, 3, 5, 6, 9, 12, 13, 20, 27)]
    assert all(abs(height / heights[0] - count / counts[0]) < 0.05
               for height, count in zip(heights, counts, strict=True))  # fmt: skip
