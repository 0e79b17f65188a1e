"""The first page, from an empty site: the sample to read, and three acts to a run of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.browser.test_accessibility import problems
from tests.live.conftest import PASSWORD, add_people
from tests.live.member import Member
from tests.stack import Stack
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

KEY = "sk-or-v1-of-the-scripted-router-0123456789"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 780}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(api_key=KEY) as up:
        yield up


@pytest.fixture(scope="module")
def stack(upstream: Upstream) -> Iterator[Stack]:
    """A new site: no key, nobody yet, and the sample."""
    with Stack(FUSION_SAMPLE="1", OPENROUTER_BASE_URL=upstream.url) as stack:
        yield stack


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[People]:
    """They join when the first of them is asked for: until then the site is nobody's."""
    known: dict[str, Member] = {}

    def person(name: str) -> Member:
        if not known:
            add_people(stack)
        if name not in known:
            known[name] = Member(stack, name, PASSWORD)
        return known[name]

    yield person
    for member in known.values():
        member.http.close()


def claim(page: Page, stack: Stack) -> None:
    """The first admin's account, by the link that a new site prints."""
    link = re.search(r"/claim/\S+", stack.manage("claim_link").stdout)
    assert link
    page.goto(link[0])
    page.get_by_label("Username").fill("zoe")
    for field in page.locator("input[type=password]").all():
        field.fill("a long enough password")
    page.locator("main form [type=submit]").click()
    page.wait_for_url("**/fusion")


def test_with_nothing_at_all_one_reads_the_sample(visit: Visit, stack: Stack, shoot: Shoot) -> None:
    stack.shell("User.objects.all().delete()")
    page = visit(viewport=DESKTOP)
    claim(page, stack)
    expect(page.get_by_text("This is a finished run (sample: no model was asked).")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    expect(page.get_by_text("Sample: no model was asked", exact=True)).to_be_visible()
    for letter in "ABCD":
        expect(page.get_by_role("article", name=f"{letter}: sample-")).to_be_visible()
    expect(page.locator("#analysis")).to_contain_text("not found")
    expect(page.locator("[data-text=fused] table")).to_be_visible()
    # It is read without scrolling, and nothing is asked that matters only once somebody answers.
    assert page.locator("[data-text=fused]").evaluate("e => e.getBoundingClientRect().top") < 650
    expect(page.get_by_label("Who may read it")).to_have_count(0)
    expect(page.get_by_role("button", name="Compare first")).to_be_hidden()
    assert problems(page) == []
    shoot(page, "first-empty-1440-light")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1440", "360"])
def test_a_newcomer_starts_from_a_template(
    visit: Visit, people: People, shoot: Shoot, size: dict[str, int], scripts: bool
) -> None:
    people("ada")
    page = visit("bob", viewport=size, java_script_enabled=scripts)
    page.goto("/fusion")
    expect(page.get_by_text("Or start from")).to_be_visible()
    shoot(page, f"first-start-{size['width']}")
    if scripts:
        assert wide_things(page) == []
    page.get_by_role("button", name="Criticise this plan").click()
    expect(page.get_by_role("textbox", name="plan", exact=True)).to_be_visible()
    expect(page.get_by_text("Or start from")).to_have_count(0)
    page.get_by_role("button", name="Fill in the example").click()
    expect(page.get_by_role("textbox", name="most", exact=True)).to_have_value("5")
    if scripts:
        assert wide_things(page) == [] and problems(page) == []


@pytest.fixture
def admin(visit: Visit, people: People) -> Page:
    page = visit("ada", viewport=DESKTOP)
    page.goto("/fusion")
    return page


@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["1440", "360"])
def test_nothing_hinders_and_nothing_is_too_wide(
    visit: Visit, people: People, width: dict[str, int], shoot: Shoot
) -> None:
    for name in ("ada", "alice"):
        page = visit(name, viewport=width)
        page.goto("/fusion")
        assert problems(page) == []
        assert wide_things(page) == []
        fuse = page.get_by_role("button", name="Fuse", exact=True).bounding_box()
        assert fuse and fuse["x"] + fuse["width"] < width["width"]
        box = page.locator(".ask").evaluate("box => box.scrollWidth - box.clientWidth")
        assert box == 0  # what is too wide for it would be cut off
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            shoot(page, f"first-{name}-{width['width']}-{scheme}")


def test_fuse_leads_to_who_could_answer_while_nobody_can(admin: Page) -> None:
    prompt, key = admin.get_by_role("textbox", name="Prompt"), admin.get_by_label("Paste a key")
    address = admin.url
    for fuse in (
        lambda: admin.get_by_role("button", name="Fuse", exact=True).click(),
        lambda: admin.keyboard.press("ControlOrMeta+Enter"),
    ):
        prompt.fill("Which one?\n\nAnd why?")
        fuse()
        expect(key).to_be_focused()
        expect(admin.get_by_role("alert")).to_have_text("First choose who answers.")
        expect(prompt).to_have_value("Which one?\n\nAnd why?")
    assert admin.url == address
    assert problems(admin) == []


def test_whose_key_it_is_is_told_as_it_is_pasted(admin: Page) -> None:
    key, told = admin.get_by_label("Paste a key"), admin.locator("#first-key-told")
    for text, name in (
        ("sk-or-v1-abc", "OpenRouter key"),
        ("sk-ant-api03-abc", "Anthropic key"),
        ("sk-proj-abc", "OpenAI key"),
        ("gsk_abc", "Groq key"),
        ("  xai-abc", "xAI key"),
        ("AIzaSy", "Google AI Studio key"),
    ):
        key.fill(text)
        expect(told).to_have_text(name)
        expect(admin.get_by_label("Whose key")).to_be_hidden()
    key.fill("0123456789abcdef")
    expect(told).to_have_text("Whose key is it?")
    expect(admin.get_by_label("Whose key")).to_be_visible()


def test_a_wrong_key_is_told_and_takes_no_word_of_the_prompt(admin: Page) -> None:
    admin.get_by_role("textbox", name="Prompt").fill("Which one?\n\nAnd why?")
    admin.get_by_label("Paste a key").fill("sk-or-v1-wrong-wrong-wrong-9z9z")
    admin.keyboard.press("Enter")
    expect(admin.locator("#first-key-told")).to_contain_text("kept for another try")
    expect(admin.get_by_role("textbox", name="Prompt")).to_have_value("Which one?\n\nAnd why?")
    assert problems(admin) == []


def test_without_javascript_the_prompt_stays_too(visit: Visit, people: People) -> None:
    page = visit("ada", java_script_enabled=False)
    page.goto("/fusion")
    page.locator("#prompt").fill("Which one?")
    page.locator("#first-key").fill("0123456789abcdef0123456789abcdef")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#first-key-told")).to_contain_text("cannot be told from its beginning")
    expect(page.locator("#prompt")).to_have_value("Which one?")


def test_three_acts_lead_to_a_finished_run_of_ones_own(admin: Page, shoot: Shoot) -> None:
    """Last, since the site has a key from here on."""
    admin.get_by_label("Paste a key").fill(KEY)
    admin.get_by_role("button", name="Use it").click()
    expect(admin.get_by_text("OpenRouter: The key works")).to_be_visible()
    expect(admin.get_by_text("First choose who answers")).to_have_count(0)
    shoot(admin, "first-key-1440-light")
    admin.get_by_text("Change who answers").click()
    admin.get_by_role("radio", name="Custom").check()
    admin.locator("#panel-0").click()
    expect(admin.get_by_role("listbox", name="Models")).to_be_visible()
    admin.goto("/fusion")
    prompt = admin.get_by_role("textbox", name="Prompt")
    expect(prompt).to_be_focused()
    prompt.fill("Which one?")
    admin.keyboard.press("ControlOrMeta+Enter")
    admin.wait_for_url(re.compile("/fusion/runs/.{36}"))
    wait_for_the_end(admin)
    expect(admin.locator("[data-text=fused]")).not_to_be_empty()
    expect(admin.get_by_text("no model was asked")).to_have_count(0)
    admin.goto("/fusion")
    expect(admin.get_by_text("This is a finished run")).to_have_count(0)
    assert problems(admin) == []


def test_an_admin_removes_the_sample_and_it_is_gone_for_everybody(
    visit: Visit, people: People
) -> None:
    page = visit("bob")
    page.goto("/fusion")
    expect(page.get_by_text("This is a finished run")).to_be_visible()
    admin = visit("ada")
    admin.goto("/fusion/runs")
    admin.get_by_role("link", name="We run a shop on PostgreSQL 13").click()
    admin.get_by_role("button", name="Remove the sample").click()
    admin.wait_for_url("**/fusion")
    page.goto("/fusion")
    expect(page.get_by_text("This is a finished run")).to_have_count(0)
