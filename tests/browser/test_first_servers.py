"""From an empty site with an Ollama on its machine to a finished run, in three acts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import fuse, wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.browser.test_accessibility import problems
from tests.live.conftest import PASSWORD, add_people
from tests.live.member import Member
from tests.stack import Stack
from tests.upstream import Upstream
from tests.upstream.ollama import Ollama

pytestmark = [pytest.mark.browser, pytest.mark.live]

SIZES = {"gemma3:12b": "12.2B", "qwen3:8b": "8.2B", "phi4:latest": "14.7B", "bge-m3": "567M"}
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 780}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Ollama(SIZES) as ollama:
        yield ollama


@pytest.fixture(scope="module")
def stack(upstream: Upstream) -> Iterator[Stack]:
    with Stack(FUSION_SAMPLE="1", FUSION_LOCAL_SERVERS=str(upstream.port)) as stack:
        add_people(stack)
        yield stack


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[People]:
    known: dict[str, Member] = {}

    def person(name: str) -> Member:
        if name not in known:
            known[name] = Member(stack, name, PASSWORD)
        return known[name]

    yield person
    for member in known.values():
        member.http.close()


def found(page: Page) -> None:
    page.goto("/fusion")
    expect(page.get_by_text("Ollama was found: 3 models")).to_be_visible()


def test_three_acts_lead_from_an_ollama_that_was_found_to_a_finished_run(
    visit: Visit, upstream: Upstream, shoot: Shoot
) -> None:
    page = visit("ada", viewport=DESKTOP)
    found(page)
    expect(page.get_by_text("phi4:latest, gemma3:12b, qwen3:8b")).to_be_visible()
    expect(page.get_by_text("Nothing was sent to them yet.")).to_be_visible()
    assert upstream.calls == [] and problems(page) == []
    shoot(page, "servers-found-1440-light")
    for scheme in ("light", "dark"):
        phone = visit("ada", viewport=PHONE, color_scheme=scheme)
        found(phone)
        assert wide_things(phone) == []
        shoot(phone, f"servers-found-360-{scheme}")
    dark = visit("ada", viewport=DESKTOP, color_scheme="dark")
    found(dark)
    shoot(dark, "servers-found-1440-dark")
    assert problems(dark) == []

    page.get_by_role("textbox", name="Prompt").fill("Does it hold?")
    page.get_by_role("button", name="Use these").click()
    expect(page.get_by_text("Three models of Ollama on this machine.").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("Does it hold?")
    shoot(page, "servers-used-1440-light")
    fuse(page)
    wait_for_the_end(page)
    expect(page.get_by_role("article")).to_have_count(3)
    expect(page.get_by_role("region", name="Fused answer")).to_contain_text("phi4:latest says")
    panel = sorted(call.model for call in upstream.calls[:3])
    assert panel == ["gemma3:12b", "phi4:latest", "qwen3:8b"]


def test_the_keys_page_has_it_too_also_without_javascript(visit: Visit, shoot: Shoot) -> None:
    page = visit("ada", viewport=DESKTOP)
    page.goto("/fusion/keys")
    expect(page.get_by_text("Ollama was found: 3 models")).to_be_visible()
    assert problems(page) == []
    shoot(page, "servers-keys-1440-light")
    plain = visit("ada", viewport=PHONE, java_script_enabled=False)
    plain.goto("/fusion/keys")
    plain.get_by_role("link", name="Look for models on this machine").click()
    expect(plain.get_by_text("Ollama was found: 3 models")).to_be_visible()
    assert wide_things(plain) == []
    shoot(plain, "servers-page-360-light")
    plain.get_by_role("button", name="Use these").click()
    expect(plain.get_by_text("Three models of Ollama on this machine.").first).to_be_visible()
