"""A new site with nothing but a key of Anthropic's: three acts to a finished run of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.acts import wait_for_the_end
from tests.browser.conftest import People, Visit
from tests.live.conftest import PASSWORD, add_people
from tests.live.member import Member
from tests.stack import Stack
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

KEY = "sk-ant-api03-of-the-scripted-anthropic-0123456789"
MODELS = Path(__file__).parents[1] / "data" / "lists" / "anthropic.json"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(api_key=KEY) as up:
        up.script("/v1/models?limit=1000", Script(body=MODELS.read_text()))
        up.keep()
        yield up


@pytest.fixture(scope="module")
def stack(upstream: Upstream) -> Iterator[Stack]:
    # As Anthropic's own programs are told it: without a version.
    with Stack(FUSION_SAMPLE="1", ANTHROPIC_BASE_URL=upstream.url.removesuffix("/v1")) as stack:
        add_people(stack)
        yield stack


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[People]:
    known: dict[str, Member] = {}

    def person(name: str) -> Member:
        return known.setdefault(name, Member(stack, name, PASSWORD))

    yield person
    for member in known.values():
        member.http.close()


def test_a_key_of_anthropics_a_prompt_and_a_finished_run(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    page = visit("ada")
    page.goto("/fusion")
    page.get_by_label("Paste a key").fill(KEY)
    expect(page.locator("#first-key-told")).to_have_text("Anthropic key")
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_text("Anthropic: The key works")).to_be_visible()
    page.get_by_role("textbox", name="Prompt").fill("Which one?")
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_url(re.compile("/fusion/runs/.{36}"))
    wait_for_the_end(page)
    expect(page.locator("[data-text=fused]")).not_to_be_empty()
    expect(page.get_by_role("article")).to_have_count(3)
    assert upstream.calls and all(call.path == "/v1/messages" for call in upstream.calls)
    assert all(call.model.startswith("claude-") for call in upstream.calls)
    assert KEY not in page.content()
