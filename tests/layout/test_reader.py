"""What a screen reader reads of each look, from Chromium's own tree: landmarks, headings in their
order, names and roles. `trees/` holds them, small enough to be read by whoever changes one:
TEST_TREES=1 writes them anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django.plugin import DjangoDbBlocker

from console.services.links import run_share
from tests.console.story import Story, a_spec
from tests.layout.conftest import Show

pytestmark = pytest.mark.browser
TREES = Path(__file__).parent / "trees"
SAYS = ("Replace the plant with CO2 now.", "Retrofit it this spring.")
FUSED = "Replace the plant with CO2 now, before the summer. [^A] Order it by May. [^own]"
QUOTE = {"verified": True, "start": 0, "end": len(SAYS[0])}
ANALYSIS: dict[str, Any] = {
    "consensus": [
        {
            "claim": "The plant has to be changed",
            "seats": [0, 1],
            "standing": "supported",
            "evidence": [{"seat": 0, "quote": SAYS[0]} | QUOTE],
        }
    ],
    "contradictions": [
        {
            "topic": "What to do now",
            "stances": [
                {"stance": "Replace it.", "seats": [0], "standing": "supported", "evidence": []},
                {"stance": "Retrofit it.", "seats": [1], "standing": "supported", "evidence": []},
            ],
        }
    ],
    "partial_coverage": [],
    "unique_insights": [],
    "blind_spots": ["What the lease allows"],
}


def small() -> Story:
    story = Story(a_spec("maker/alpha", "maker/beta")).begin().wait(2)
    return story.answer(0, SAYS[0]).wait(3)


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice")
        client = Client()
        client.force_login(alice)
        streaming = small().write(1, SAYS[1]).save(alice)
        ended = small().answer(1, SAYS[1]).judge().wait(4).analyse(ANALYSIS).synthesise(FUSED)
        run = ended.wait(5).complete().save(alice)
        token = run_share(run=run, visibility="link", by=alice)
        addresses = {
            "result": f"/fusion/runs/{run.pk}?look=result",
            "answers": f"/fusion/runs/{run.pk}?look=answers",
            "compare": f"/fusion/runs/{run.pk}/compare?left=A&right=B",
            "streaming": f"/fusion/runs/{streaming.pk}",
            "compose": "/fusion",
        }
        html = {name: client.get(at).content.decode() for name, at in addresses.items()}
        html["shared"] = Client().get(f"/fusion/shared/{token}").content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        streaming.delete()
        alice.delete()


LOOKS = ("result", "answers", "compare", "streaming", "compose", "shared")


def test_there_are_looks_to_read(pages: dict[str, str]) -> None:
    assert set(LOOKS) == pages.keys()


def tree(page: Page) -> str:
    """As it is read, without addresses and what a clock decides."""
    read = page.locator("body").aria_snapshot()
    read = re.sub(r":\n *- /(url|placeholder): .*", "", read)
    read = re.sub(r"\d+ min \d\d s|\d+(\.\d)? s\b", "0 s", read)
    read = re.sub(r"\b\d+(\.\d)? tok/s", "0 tok/s", read)
    return re.sub(r"time: .*", "time: WHEN", read) + "\n"


@pytest.mark.parametrize("look", LOOKS)
def test_a_screen_reader_reads_it_as_it_was_read_over(show: Show, look: str) -> None:
    page = show(look, 1440, 900)
    page.wait_for_load_state("networkidle")
    read, stored = tree(page), TREES / f"{look}.yaml"
    if os.environ.get("TEST_TREES"):
        TREES.mkdir(exist_ok=True)
        stored.write_text(read)
    assert read == stored.read_text()


ORDER = """() => [...document.querySelectorAll("h1, h2, h3, h4")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".reading"))
  .map((one) => Number(one.tagName[1]))"""
# Controls and landmarks by whose name nobody could tell them apart, or that have none.
NAMELESS = """() => {
  const shown = (one) => one.checkVisibility({ visibilityProperty: true });
  const nameOf = (one) => (one.getAttribute("aria-label")
    ?? (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) =>
      document.getElementById(id)?.textContent ?? "").join(" ")).trim();
  const marks = [...document.querySelectorAll("nav, section, aside, [role=region], article")];
  const regions = marks.filter((one) => shown(one) && !one.closest(".reading"));
  const names = regions.map((one) => `${one.tagName} ${nameOf(one)}`);
  return [
    ...names.filter((name) => /^\\w+ $/.test(name)),
    ...names.filter((name, at) => names.indexOf(name) !== at),
  ];
}"""


@pytest.mark.parametrize("look", LOOKS)
def test_headings_follow_one_another_and_every_region_has_a_name_of_its_own(
    show: Show, look: str
) -> None:
    page = show(look, 1440, 900)
    levels = page.evaluate(ORDER)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert page.evaluate(NAMELESS) == []
