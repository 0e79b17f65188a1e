"""The pages in a real Chromium, on a real stack: what a person sees, hears and can do."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.stack import Stack
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE = 15_000
# Every socket the page opens, so that a test can cut them.
KEEP_SOCKETS = """
const Real = WebSocket; window.sockets = [];
window.WebSocket = class extends Real {
  constructor(...args) { super(...args); window.sockets.push(this); }
};
"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


@pytest.fixture(scope="module")
def stack(upstream: Upstream) -> Iterator[Stack]:
    env = {"OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": "sk-only-for-tests"}
    with Stack(**env, FUSION_STALL_TIMEOUT="1") as stack:
        stack.env["DJANGO_SUPERUSER_PASSWORD"] = "ada-has-a-password"
        stack.manage("createsuperuser", "--noinput", "--username=ada", "--email=")
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "Chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(stack: Stack, browser: Browser) -> str:
    """Where the session of ada's is kept."""
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("[name=username]").fill("ada")
    page.locator("[name=password]").fill("ada-has-a-password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/fusion")
    path = os.path.join(stack.dir, "session.json")
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def page(stack: Stack, browser: Browser, signed_in: str) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, storage_state=signed_in)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.add_init_script(KEEP_SOCKETS)
    yield page
    context.close()
    assert not complaints


def fuse(page: Page, *panel: str, judge: str = "good", prompt: str = "Why?") -> None:
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt").fill(prompt)
    page.get_by_role("radio", name="Custom").check()
    expect(page.locator("#model-list")).to_be_attached()
    for seat, model in enumerate(panel):
        seat_input = page.locator(f"#panel-{seat}")
        if not seat_input.is_visible():
            page.get_by_role("button", name="Add a seat").click()
        seat_input.fill(model)
    for seat in range(len(panel), 8):
        page.locator(f"#panel-{seat}").evaluate("input => (input.value = '')")
    page.get_by_role("textbox", name="Judge").or_(page.locator("#judge")).first.fill(judge)
    page.get_by_role("button", name="Fuse").click()
    page.wait_for_url(re.compile("/fusion/runs/"))


def wait_for_the_end(page: Page, status: str = "completed") -> None:
    expect(page.locator("#run")).to_have_attribute("data-status", status, timeout=PATIENCE)


def words(page: Page) -> list[str]:
    return page.locator("[data-text]").all_inner_texts()


def test_a_question_is_asked_watched_and_read_again(page: Page) -> None:
    fuse(page, "openai:markdown", "openai:good-slow", judge="openai:good")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("article", name="markdown").locator("li strong")).to_have_text("two")
    wait_for_the_end(page)
    expect(page.get_by_role("status")).to_contain_text("Done")
    analysis = page.get_by_role("region", name="Analysis")
    expect(analysis.get_by_role("rowheader", name="Consensus")).to_be_visible()
    answer = page.get_by_role("region", name="Fused answer").locator("[data-text]")
    expect(answer).not_to_be_empty()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    live = words(page)
    page.reload()
    assert words(page) == live


def test_a_socket_cut_again_and_again_loses_nothing(page: Page) -> None:
    fuse(page, "openai:good-slow--tokens_per_second=8", judge="openai:good")
    for _ in range(4):
        page.wait_for_timeout(250)
        page.evaluate("window.sockets.at(-1).close()")
    wait_for_the_end(page)
    live = words(page)
    page.reload()
    assert words(page) == live


def test_a_failed_seat_speaks_in_its_own_column(page: Page) -> None:
    fuse(page, "openai:good", "openai:fault-stall", "openai:fault-500", judge="openai:good")
    wait_for_the_end(page)
    stalled = page.get_by_role("article", name="fault-stall")
    expect(stalled).to_contain_text("stalled")
    expect(stalled).to_contain_text("kept and not given to the judge")
    expect(page.get_by_role("article", name="fault-500")).to_contain_text("failed")
    expect(page.locator("#run-badges")).to_contain_text("From a single answer")


def test_stop_ends_the_run_and_keeps_what_came(page: Page) -> None:
    fuse(page, "openai:good-long", "openai:good-long", judge="openai:good")
    expect(page.get_by_role("article").first).to_contain_text("Sentence 1")
    page.get_by_role("button", name="Stop").click()
    wait_for_the_end(page, "cancelled")
    expect(page.get_by_role("status")).to_contain_text("Stopped")
    expect(page.get_by_role("article").first).to_contain_text("Sentence 1")


def test_hostile_answers_run_nothing_and_load_nothing(page: Page, stack: Stack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    fuse(page, "openai:hostile", "openai:hostile", judge="openai:hostile", prompt="<b>Why?</b>")
    wait_for_the_end(page)
    expect(page.get_by_role("article").first).to_contain_text("alert(1)")
    page.reload()
    assert page.locator("#run img, #run b, #run [hx-get], #run [onerror]").count() == 0
    # A data: address makes no request; the fonts and pages are ours.
    assert all(url.startswith((stack.url, "data:")) for url in asked)


def test_a_draft_outlives_a_reload_and_the_keyboard_sends_it(page: Page) -> None:
    page.goto("/fusion")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    page.keyboard.type("A thought worth keeping")
    page.reload()
    prompt = page.get_by_role("textbox", name="Prompt")
    expect(prompt).to_have_value("A thought worth keeping")
    # With no key but this server's, Custom is chosen and filled with its first models.
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    expect(page.locator("#judge")).not_to_have_value("")
    prompt.press("Control+Enter")
    page.wait_for_url(re.compile("/fusion/runs/"))
    expect(page.get_by_role("heading", name="A thought worth keeping")).to_be_visible()


def test_a_link_is_made_used_and_taken_back(page: Page, browser: Browser) -> None:
    fuse(page, "openai:good", "openai:good", judge="openai:good")
    wait_for_the_end(page)
    page.locator(".share summary").click()
    page.get_by_label("Anyone with the link").check()
    page.get_by_role("button", name="Save").click()
    page.locator(".share summary").click()
    address = page.locator("#share-url").input_value()
    visitor = browser.new_page()
    visitor.goto(address)
    expect(visitor.get_by_role("region", name="Fused answer")).to_be_visible()
    expect(visitor.get_by_role("region", name="Receipt")).to_have_count(0)
    page.get_by_label("Only me").check()
    page.get_by_role("button", name="Save").click()
    answer = visitor.goto(address)
    assert answer is not None
    assert answer.status == 404
    visitor.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hinders_assistive_technology(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/fusion")
    assert not problems(page)
    fuse(page, "openai:markdown", "openai:good", "openai:fault-500", judge="openai:good")
    wait_for_the_end(page)
    assert not problems(page)
    page.goto("/fusion/runs")
    assert not problems(page)


def problems(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


def test_a_phone_shows_one_answer_at_a_time_and_never_scrolls_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    fuse(page, "openai:markdown", "openai:good-long--tokens_per_second=0", judge="openai:good")
    wait_for_the_end(page)
    assert is_narrow(page)
    articles = page.get_by_role("article")
    expect(articles).to_have_count(1)
    page.get_by_role("button", name="B: good-long").click()
    expect(page.get_by_role("article", name="good-long")).to_be_visible()
    expect(articles).to_have_count(1)
    fused = page.get_by_role("region", name="Fused answer").bounding_box()
    column = page.get_by_role("article").bounding_box()
    assert fused and column and fused["y"] < column["y"]
    for address in ("/fusion", "/fusion/runs"):
        page.goto(address)
        assert is_narrow(page)


def is_narrow(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
