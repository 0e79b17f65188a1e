"""Seats that look things up by themselves, from the box *Web* to what they opened: the preset says
how, the page shows it as it comes and when it is over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.acts import fuse, sign_in, wait_for_the_end
from tests.live.conftest import PASSWORD, PLANTED, add_people
from tests.realtime.test_own_research import address_in, piece, streamed
from tests.stack import Stack
from tests.upstream import Script, Upstream
from tests.upstream.engines import Web

pytestmark = [pytest.mark.browser, pytest.mark.live]

SAID = "The Elbe is “1,094 km long” [1], not “9 km long” [1]."


def looks(body: dict[str, Any]) -> Script:
    turn = sum(message["role"] == "assistant" for message in body["messages"])
    if turn == 0:
        return streamed(
            {"content": "I will look."}, piece("web_search", '{"query": "elbe"}', index=0)
        )
    if turn == 1:
        return streamed(piece("web_fetch", json.dumps({"url": address_in(body)}), index=0))
    return Script(text=SAID, hold_after=1)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        upstream.script("alpha", looks)
        upstream.script("beta", Script(text="It is long [1]."))
        upstream.script("boss", Script(text=SAID, judge=Script(text='{"queries": ["elbe"]}')))
        upstream.keep()
        yield upstream


@pytest.fixture(scope="module")
def page(browser: Browser, upstream: Upstream) -> Iterator[Page]:
    with Web() as web:
        web.add("/elbe", "Elbe", "The river Elbe is 1,094 km long.", "It rises in the mountains.")
        env = {"SEARXNG_URL": web.url, "FUSION_FETCH_ALLOW": web.place}
        with Stack(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=PLANTED, **env) as stack:
            add_people(stack)
            stack.shell(
                "from console.catalog.listings import all_models\n"
                "from console.models import CatalogModel, Credential, Preset\n"
                "all_models()\n"  # its list is read, and not again within minutes
                "server = Credential.objects.get(slug='openai')\n"
                "beta = {'credential': server, 'model': 'beta'}\n"
                "tools = {'takes_tools': False}\n"
                "CatalogModel.objects.update_or_create(**beta, defaults=tools)\n"
                "of = {'judge_model': 'boss', 'judge_credential': server, 'web': 'own'}\n"
                "house = Preset.objects.create(name='House', slug='house', **of)\n"
                "for seat, model in enumerate(['alpha', 'beta']):\n"
                "    house.panelists.create(seat=seat, credential=server, model=model)\n"
            )
            size = {"width": 1440, "height": 900}
            context = browser.new_context(base_url=stack.url, viewport=size)  # type: ignore[arg-type]
            yield context.new_page()
            context.close()


def test_what_a_seat_looks_up_is_seen_in_its_column_and_among_the_sources(
    page: Page, upstream: Upstream
) -> None:
    sign_in(page, "alice", PASSWORD)
    page.goto("/fusion?preset=house")
    page.locator("#prompt").fill("How long is the Elbe?")
    expect(page.get_by_role("checkbox", name="Web")).to_be_checked()
    fuse(page)
    # While it still writes, what it has looked up stands there, folded.
    trail = page.locator("#seat-0 .trail")
    expect(trail).to_contain_text("Looked up: 1 search, 1 page opened, in 2 turns")
    upstream.release()
    wait_for_the_end(page)
    expect(page.locator("#phases li").first).to_contain_text(re.compile(r"Sources\s+done\s+1"))
    page.goto(page.url.split("?")[0] + "?look=answers")
    expect(page.locator("#seat-1-note")).to_contain_text("It cannot be given tools")
    expect(trail.get_by_text("searched")).to_be_hidden()
    trail.locator("summary").click()
    expect(trail).to_contain_text("searched “elbe”")
    expect(trail).to_contain_text("I will look.")
    expect(page.locator("#seat-0 .seat-body")).to_contain_text("1,094 km long")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("s")
    part = page.locator("#sources")
    expect(part).to_contain_text("opened by A")
    expect(part).to_contain_text("Not found there: “9 km long”")
