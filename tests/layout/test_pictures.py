"""Pictures under an answer: as wide as their column at most, with their room kept, none cut."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from tests.console.story import Story
from tests.files import making
from tests.layout.conftest import Render, Show

pytestmark = pytest.mark.browser

HASH = "0" * 64


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    kept: dict[str, Any] = {"type": "image/png", "bytes": 9_000, "hash": HASH, "alt": "A roof"}
    lost = {"type": "image/svg+xml", "bytes": 2_000, "why": "it is not PNG, JPEG, WebP or GIF"}
    story = Story().begin().answer(0, "Here.", attachments=[kept | {"width": 1024, "height": 768}])
    story.answer(1, "[picture: PNG, 9 kB]", attachments=[kept | {"width": 40, "height": 30}])
    story.answer(2, "See below.", attachments=[lost]).judge().analyse()
    story.synthesise("As the first one drew it.").wait(1).complete()
    drawn = base64.b64encode(making.picture(1024, 768)).decode()
    made = render("?look=answers", run=story)
    html = made["run"].replace(f'src="?picture={HASH}"', f'src="data:image/png;base64,{drawn}"')
    return {"run": html, "unseen": made["run"].replace('loading="lazy"', "")}


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_nothing_is_cut_and_nothing_hinders(show: Show, width: int, scheme: str) -> None:
    page = show("run", width, 900, color_scheme=scheme)
    picture = page.get_by_role("img", name="A roof").first
    picture.scroll_into_view_if_needed()
    inside = picture.evaluate(
        """one => {
            const [a, b] = [one, one.closest('.seat-body')].map((e) => e.getBoundingClientRect());
            return a.left >= b.left && a.right <= b.right && a.width / a.height;
        }"""
    )
    assert inside == pytest.approx(1024 / 768, abs=0.02)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [one["id"] for one in found] == []


def test_its_room_is_kept_before_it_is_there(show: Show, complaints: list[str]) -> None:
    page = show("unseen", 1440, 900)
    box = page.locator(".answer-pictures img").first.evaluate(
        "one => [one.clientWidth, one.clientHeight]"
    )
    assert box[0] / box[1] == pytest.approx(1024 / 768, abs=0.05)
    complaints.clear()  # nobody serves it here
