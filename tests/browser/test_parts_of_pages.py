"""What changes on a page without the page: by htmx where there is JavaScript, else as pages do."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end
from tests.browser.conftest import People, Visit
from tests.stack import Stack
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

_HISTORY = """
from django.contrib.auth.models import User
from console.models import Run
bob = User.objects.get(username="bob")
for number in range(50):
    Run.objects.create(owner=bob, prompt=f"Old question {number:02}", messages=[],
        spec={"panel": []}, preset="q", preset_name="Q", status="completed")
"""


@pytest.fixture(scope="module")
def history(stack: Stack) -> None:
    stack.shell(_HISTORY)


def mark(page: Page) -> None:
    """A document that is replaced forgets it."""
    page.evaluate("window.same = true")


def is_same(page: Page) -> bool:
    return bool(page.evaluate("window.same === true"))


def first_row(page: Page) -> str:
    return page.locator(".run-rows a").first.inner_text()


def expect_list(page: Page, first: str) -> None:
    """The page of the history that begins with that run."""
    expect(page.locator(".run-rows a").first).to_have_text(first)
    expect(page.get_by_role("navigation", name="Main")).to_have_count(1)
    expect(page.get_by_role("heading", name="History")).to_have_count(1)


def test_history_is_leafed_through_and_back_leads_to_whole_pages(
    visit: Visit, history: None
) -> None:
    page = visit("bob")
    page.goto("/fusion/runs")
    mark(page)
    newest = first_row(page)
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/fusion/runs?before=*")
    expect(page.locator(".run-rows a").first).not_to_have_text(newest)
    second = first_row(page)
    expect_list(page, second)
    assert is_same(page)
    assert page.evaluate("document.activeElement.id") == "main"
    page.go_back()
    expect_list(page, newest)
    page.wait_for_url("**/fusion/runs")
    page.go_forward()
    expect_list(page, second)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".run-rows a").first).not_to_have_text(second)
    third = first_row(page)
    page.get_by_role("link", name="New", exact=True).click()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()
    page.go_back()
    expect_list(page, third)
    page.reload()
    expect_list(page, third)


def test_without_javascript_the_same_links_and_forms_lead_to_pages(
    visit: Visit, history: None
) -> None:
    page = visit("bob", java_script_enabled=False)
    page.goto("/fusion/runs")
    newest = first_row(page)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".run-rows a").first).not_to_have_text(newest)
    page.goto("/fusion/tokens")
    page.get_by_label("Name").fill("Plain")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("Copy the token now.")).to_be_visible()
    page.get_by_role("button", name="Revoke Plain").click()
    expect(page.get_by_text("Plain is revoked.")).to_be_visible()


def test_a_token_is_made_and_revoked_on_the_spot(visit: Visit) -> None:
    page = visit("bob")
    page.goto("/fusion/tokens")
    mark(page)
    page.get_by_label("Name").fill("On the spot")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("Copy the token now.")).to_be_visible()
    page.get_by_role("button", name="Revoke On the spot").click()
    expect(page.get_by_text("On the spot is revoked.")).to_be_visible()
    expect(page.get_by_text("Copy the token now.")).to_have_count(0)
    assert is_same(page)
    page.goto("/fusion")
    page.go_back()
    expect(page.get_by_text("Copy the token now.")).to_have_count(0)


def test_a_key_that_does_not_work_is_said_without_a_new_page(visit: Visit) -> None:
    page = visit("ada")
    page.goto("/fusion/keys")
    mark(page)
    page.get_by_label("Provider").select_option("OpenAI-compatible server")
    page.get_by_label("Base URL").fill("http://127.0.0.1:9/v1")  # where nobody listens
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved.")
    expect(page.get_by_role("button", name="Save anyway")).to_be_visible()
    expect(page.get_by_label("Base URL")).to_have_value("http://127.0.0.1:9/v1")
    assert is_same(page)


def test_sharing_while_answers_arrive_does_not_disturb_them(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    upstream.script("held", Script(text="First words. And the rest.", hold_after=2))
    page = visit("alice")
    page.goto(ask(people("alice"), "held", "good"))
    expect(page.get_by_role("article", name="held")).to_contain_text("First words.")
    mark(page)
    page.locator(".share summary").click()
    page.get_by_label("Anyone with the link").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#share-url")).to_be_visible()
    expect(page.locator(".run-meta")).to_contain_text("Anyone with the link")
    assert page.evaluate("window.sockets.length") == 1
    upstream.release()
    wait_for_the_end(page)
    expect(page.get_by_role("region", name="Go on")).to_be_visible()
    expect(page.get_by_role("textbox", name="Follow up")).to_be_visible()
    assert is_same(page)


def test_what_is_refused_is_said_and_who_was_signed_out_signs_in(
    visit: Visit, people: People, history: None
) -> None:
    page = visit("alice", trouble=True)
    page.goto(ask(people("alice"), "good", judge="good"))
    wait_for_the_end(page)
    page.locator(".share summary").click()
    page.evaluate("document.querySelector('.share [value=team]').value = 'world'")
    page.get_by_label("The team").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Choose who may read this run.")).to_be_visible()
    bob = visit("bob", trouble=True)
    bob.goto("/fusion/runs")
    bob.context.set_offline(True)
    bob.get_by_role("link", name="Older").click()
    expect(bob.get_by_role("alert")).to_contain_text("Fusion cannot be reached.")
    bob.context.set_offline(False)
    bob.context.clear_cookies(name="sessionid")
    bob.get_by_role("link", name="Older").click()
    bob.wait_for_url("**/sign-in?next=/fusion/runs**")
    expect(bob.get_by_role("button", name="Sign in")).to_be_visible()


def test_every_module_a_page_loads_comes_from_its_import_map(visit: Visit, people: People) -> None:
    page = visit("alice", apart=True)  # it has none of them yet
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.resource_type == "script" else None)
    run = ask(people("alice"), "good", "markdown", judge="good")
    seen, listed = set[str](), set[str]()
    new_preset = "/fusion/presets/new"
    for address in ("/fusion", "/fusion/runs", "/password", new_preset, run, f"{run}/compare"):
        asked.clear()
        page.goto(address, wait_until="load")
        addresses = json.loads(page.locator("script[type=importmap]").text_content() or "")
        known = set(addresses["imports"].values())
        paths = {re.sub("^https?://[^/]+", "", url) for url in asked}
        others = {path for path in paths if "/django_htmx/htmx-2.min." in path}
        assert paths - others <= known
        seen |= paths & known
        listed |= known
    # That of a new site's first page is seen in test_first_page.py, that of the admin's forms in
    # console/test_admin_picker.py.
    elsewhere = ("/static/console/compose/first.", "/static/console/picker/lazy.")
    rest = {path for path in listed - seen if not path.startswith(elsewhere)}
    assert rest == set(), "modules that no page loads"
