"""A run as one web page, opened from disk: nothing in it runs, nobody is asked for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django.plugin import DjangoDbBlocker

from console.export import export_runs
from console.export.as_html import POLICY
from console.models.shown import ALL
from console.services.imports import runs_import
from tests.console.story import Story, a_spec
from tests.hostile_markdown import HANDLERS, PAYLOADS
from tests.layout.orderly import hindrances

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "sample.html"
HARM = "<script>pwned()</script><img src=https://evil.test/i onerror=pwned()></style></title>"
SEATS = 8


def hostile() -> Story:
    models = [f"m/{seat}{HARM}" for seat in range(SEATS)]
    story = Story(a_spec(*models)).begin().think(0, HARM)
    for seat in range(SEATS):
        cited = [{"url": f"https://evil.test/{seat}?x=%22%3E", "title": HARM}]
        story.answer(seat, "\n\n".join(PAYLOADS[seat::SEATS]), citations=cited)
    quote = {"seat": 0, "quote": HARM}
    analysis: dict[str, Any] = {
        "consensus": [{"claim": HARM, "seats": [0, 1], "evidence": [quote]}],
        "contradictions": [{"topic": HARM, "stances": [{"stance": HARM, "seats": [0]}]}],
        "partial_coverage": [{"point": HARM, "seats": [2]}],
        "unique_insights": [{"insight": HARM, "seat": 3}],
        "blind_spots": [HARM],
    }
    fused = "\n\n".join([*HANDLERS, f"{HARM} [^A]"])
    story.judge().analyse(analysis).synthesise(fused).complete()
    rulings = [{"on": 1, "claim": "consensus-1", "text": HARM, "verdict": "right", "note": HARM}]
    wish = {"rulings": rulings, "facts": [HARM], "instruction": HARM, "on": 1, "root": 1}
    return story.fuse_again(fused, wish=wish)


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """Of a run that was asked here, and of one that was brought in."""
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-exports")
        run = hostile().save(alice, prompt=HARM, preset_name=HARM[:60])
        taken = export_runs([run], "json", lambda _: ALL)
        (imported,) = runs_import(raw=taken.body, owner=alice)
        html = {
            name: export_runs([one], "html", lambda _: ALL).body.decode()
            for name, one in (("own", run), ("imported", imported))
        }
        alice.delete()
    yield html


def test_one_that_was_brought_in_says_so_and_the_same(pages: dict[str, str]) -> None:
    own, imported = (pages[name].partition("<section class")[2] for name in ("own", "imported"))
    told = own.partition("<section>\n<h2>Receipt")[0]
    assert told and imported.startswith(told) and "<h2>Receipt" not in imported
    assert "Imported " in pages["imported"] and "Imported " not in pages["own"]


def opened(chromium: Browser, file: Path, **options: Any) -> tuple[Page, list[str]]:
    """The page, and whatever it asks for or says."""
    context = chromium.new_context(**options)
    context.add_init_script("window.ran = 0; window.pwned = () => { window.ran += 1; };")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    return page, asked


@pytest.mark.parametrize("name", ["own", "imported"])
def test_hostile_text_in_it_is_only_ever_read(
    chromium: Browser, pages: dict[str, str], tmp_path: Path, name: str
) -> None:
    file = tmp_path / "run.html"
    file.write_text(pages[name])
    page, asked = opened(chromium, file)
    assert asked == [file.as_uri()]
    assert page.evaluate("window.ran") == 0
    loads = "script, iframe, img, object, embed, form, base, svg, link:not([href='data:,'])"
    assert page.locator(loads).count() == 0
    assert page.locator("head meta[http-equiv]").get_attribute("content") == POLICY
    attributes = page.evaluate(
        "[...new Set([...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()))]"
    )
    assert not [one for one in attributes if one.startswith("on") or one in ("src", "style")]
    links = page.evaluate("[...document.links].map((link) => link.protocol)")
    assert set(links) <= {"http:", "https:", "mailto:"}
    assert HARM in (page.locator("h1").first.text_content() or "")


def test_whatever_came_into_it_its_policy_would_let_nothing_run_or_load(
    chromium: Browser, pages: dict[str, str], tmp_path: Path, complaints: list[str]
) -> None:
    file = tmp_path / "run.html"
    harm = "<script>pwned()</script><img src='http://127.0.0.1:9/i' onerror='pwned()'>"
    file.write_text(pages["own"].replace("<main>", f"<main>{harm}"))
    page, asked = opened(chromium, file)
    assert page.evaluate("window.ran") == 0
    assert any("Content Security Policy" in one for one in complaints)
    assert not [one for one in asked if one.startswith("http")] or len(complaints) >= 2
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_sample_is_read_without_hindrance(
    chromium: Browser, pages: dict[str, str], width: int, theme: Any
) -> None:
    view: Any = {"width": width, "height": 900}
    page, asked = opened(chromium, SAMPLE, viewport=view, color_scheme=theme, bypass_csp=True)
    assert asked == [SAMPLE.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert hindrances(page) == []
