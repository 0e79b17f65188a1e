"""Two texts side by side in a real Chromium: marks, bars and ribbons, scrolling, the divider, a
phone, and without JavaScript."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from console.engine.findings.evidence import verify
from tests.console.story import ANALYSIS, Story
from tests.layout.served import HOST
from tests.layout.windows import Windows
from tests.stack import until

pytestmark = pytest.mark.browser

TABLE = """
| thousand € | Keep | Retrofit | CO₂ now |
|---|---:|---:|---:|
| Plant | 545 | {plant} | 486 |
| Gas | 31 | 12 | 1 |
| Power | 1,885 | 1,872 | 1,760 |
"""
CODE = "```python\ndef leak(charge, rate):\n    return charge * rate * {gwp}\n```\n"
SHARED = "\n\n".join(
    f"Paragraph {n} speaks of valve {n * 7} and of nothing that the others do not know. "
    f"It holds {n * 11} kilograms."
    for n in range(1, 13)
)
ALPHA = f"""
**Replace the rack with transcritical CO₂**, and order it before the summer. Topping up is a
bridge and no more: since 2025 only reclaimed gas may go into the plant.

The retrofit looks cheaper than it is. It costs €70,000 to 80,000 and a long weekend.

## What it costs
{TABLE.format(plant=594)}
The yearly loss is $E = 420 \\cdot 0.11$ at most.

{CODE.format(gwp=3922)}
- Seal the circuit under nitrogen
- Change the expansion valves

{SHARED}

Hiring a fitter costs half a year's salary.
"""
BETA = f"""
Retrofit to R-448A this spring and replace the rack in 2031. The retrofit costs €70,000 to 90,000
and a long weekend; nothing else gets you out so quickly.

- Change the expansion valves and the oil
- Seal the circuit under nitrogen

{SHARED.replace("nothing that", "little that")}

## What it costs
{TABLE.format(plant=620)}
{CODE.format(gwp=1387)}
Losing one person takes six to twenty-four months of pay. Fitters are booked out until autumn.
"""
ARABIC = "مرحبا بالعالم كل يوم. نعم هذا صحيح.\n\n" + "热泵每年可节省八百欧元。安装需要三天。"


def analysis() -> dict[str, Any]:
    def says(seat: int, stance: str, quote: str) -> dict[str, Any]:
        return {"seats": [seat], "stance": stance, "evidence": [{"seat": seat, "quote": quote}]}

    now = says(0, "Replace it now", "Replace the rack with transcritical CO₂")
    later = says(1, "Retrofit first", "Retrofit to R-448A this spring")
    dear = [
        {"seat": 0, "quote": "Hiring a fitter costs half a year's salary"},
        {"seat": 1, "quote": "six to twenty-four months of pay"},
    ]
    found = ANALYSIS | {
        "consensus": [{"claim": "Turnover is dear", "seats": [0, 1], "evidence": dear}],
        "contradictions": [{"topic": "What to do now", "stances": [now, later]}],
    }
    return verify(found, {0: ALPHA, 1: BETA, 2: ARABIC})


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """Address -> HTML."""
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-compares")
        story = Story().begin().answer(0, ALPHA).answer(1, BETA).answer(2, ARABIC).judge()
        fused = f"Replace the rack with transcritical CO₂.[^A]\n\n{SHARED}[^B]"
        run = story.analyse(analysis()).synthesise(fused).complete().save(alice)
        client = Client()
        client.force_login(alice)
        asked = {
            "seats": "left=A&right=B",
            "differs": "left=A&right=B&differs=1",
            "fused": "",
            "rtl": "left=C&right=C",
            "analysis": "left=analysis&right=A",
        }
        html = {
            name: client.get(f"/fusion/runs/{run.pk}/compare?{query}").content.decode()
            for name, query in asked.items()
        }
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        alice.delete()


Show = Callable[..., Page]


@pytest.fixture
def show(windows: Windows, pages: dict[str, str]) -> Show:
    def shown(name: str, width: int = 1440, height: int = 900, **options: Any) -> Page:
        page = windows.take(lambda path: pages[name], width, height, **options)
        page.goto(f"{HOST}/fusion/compare?left=A&right=B")
        if options.get("java_script_enabled", True):
            expect(page.locator("#compare")).to_have_class("page page-wide compare has-script") if (
                name != "differs"
            ) else None
            page.evaluate(
                "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
            )
        return page

    return shown


def test_there_are_pages_to_show(pages: dict[str, str]) -> None:
    assert all("data-said" in html for html in pages.values())


def pane(page: Page, side: str) -> Any:
    return page.locator(f".pane[data-side={side}]")


def test_what_stands_only_here_has_a_bar_at_its_lines(show: Show) -> None:
    page = show("seats")
    bars = pane(page, "left").locator(".bar")
    expect(bars.first).to_be_attached()
    lies = page.evaluate(
        """() => {
          const left = document.querySelector('[data-side=left]');
          const bars = [...left.querySelectorAll('.bar')].map((b) => b.getBoundingClientRect());
          return [...left.querySelectorAll('[data-said=only][id]')].every((said) => {
            const { top, bottom } = said.getBoundingClientRect();
            return bars.some((bar) => Math.abs(bar.top - top) < 6 && bar.bottom < bottom + 40);
          });
        }"""
    )
    assert lies
    expect(bars.and_(page.locator("[data-bar=opposed]"))).not_to_have_count(0)
    expect(page.locator(".ribbons .is-opposed")).to_have_count(1)


def test_the_panes_fill_the_window_and_only_they_scroll(show: Show) -> None:
    for width, height in ((1440, 900), (2560, 1440), (800, 700)):
        page = show("seats", width, height)
        doc = page.evaluate("[document.documentElement.scrollHeight, scrollX, innerWidth]")
        assert doc[0] <= height
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for side in ("left", "right"):
            box = pane(page, side).bounding_box()
            assert box["y"] + box["height"] > height - 30 and box["height"] > height * 0.6


def test_only_what_differs_leaves_out_what_is_the_same_and_says_so_in_the_address(
    show: Show,
) -> None:
    page = show("seats")
    same = page.locator("[data-side=left] tbody tr").filter(has_text="Power")
    expect(same).to_be_visible()
    page.get_by_label("Only what differs").check()
    expect(same).to_be_hidden()
    expect(page.locator("[data-side=left] tbody tr").filter(has_text="Plant")).to_be_visible()
    assert "differs=1" in page.url
    page.get_by_label("Only what differs").uncheck()
    expect(same).to_be_visible()
    assert "differs" not in page.url


def test_both_scroll_together_unless_one_is_to_scroll_alone(show: Show) -> None:
    page = show("seats")
    page.evaluate("document.querySelector('[data-side=left] .pane-body').scrollTop = 500")
    until(
        lambda: page.evaluate(
            "document.querySelector('[data-side=right] .pane-body').scrollTop > 100"
        )
    )
    page.get_by_label("Scroll together").uncheck()
    moved = page.evaluate(
        """async () => {
          const [left, right] = document.querySelectorAll('.pane-body');
          const before = right.scrollTop;
          left.scrollTop = 0;
          await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
          return right.scrollTop - before;
        }"""
    )
    assert moved == 0


def test_a_sentence_leads_to_its_counterpart_and_stays_where_it_is(show: Show) -> None:
    page = show("seats")
    said = page.locator("[data-side=left] [data-said=words]").filter(has_text="Paragraph 5").first
    said.scroll_into_view_if_needed()
    before = said.bounding_box()
    said.click()
    partner = page.locator("[data-side=right] [data-number].is-lit").first
    expect(partner).to_contain_text("Paragraph 5")
    after, there = said.bounding_box(), partner.bounding_box()
    assert before and after and there
    assert abs(before["y"] - after["y"]) < 1 and abs(there["y"] - after["y"]) < 4


def test_the_divider_is_moved_by_keys_and_by_the_pointer(show: Show) -> None:
    page = show("seats")
    divider = page.get_by_role("separator")
    width = pane(page, "left").bounding_box()["width"]
    divider.focus()
    page.keyboard.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", "52")
    assert pane(page, "left").bounding_box()["width"] > width
    page.keyboard.press("Home")
    expect(divider).to_have_attribute("aria-valuenow", "25")
    box = divider.bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(1000, box["y"] + 100)
    page.mouse.up()
    assert int(divider.get_attribute("aria-valuenow") or 0) > 60


def test_on_a_phone_one_text_is_shown_and_the_other_is_a_tab(show: Show) -> None:
    for options in ({}, {"java_script_enabled": False}):
        page = show("seats", 360, 780, **options)
        assert pane(page, "left").is_visible() and not pane(page, "right").is_visible()
        page.locator(".pane-tabs label").nth(1).click()
        expect(pane(page, "right")).to_be_visible()
        expect(pane(page, "left")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_javascript_the_page_is_whole(show: Show) -> None:
    page = show("seats", java_script_enabled=False)
    expect(page.get_by_role("button", name="Show")).to_be_visible()
    expect(page.get_by_role("separator")).to_be_hidden()
    expect(page.get_by_label("Scroll together")).to_be_hidden()
    only = page.locator("[data-side=left] [data-said=only][id]").first
    assert only.evaluate("(e) => getComputedStyle(e).borderInlineStartWidth") == "3px"
    box = pane(page, "right").bounding_box()
    assert box and box["height"] > 500


@pytest.mark.parametrize("name", ["seats", "differs", "fused", "rtl", "analysis"])
def test_nothing_hinders(show: Show, name: str) -> None:
    for width in (1440, 360):
        page = show(name, width)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            found = Axe().run(page).response["violations"]
            assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found] == []
            if to := os.environ.get("DIFF_SHOTS"):
                page.screenshot(path=f"{to}/{name}-{width}-{scheme}.png")
