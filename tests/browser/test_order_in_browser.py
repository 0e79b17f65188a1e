"""Runs are named, tagged, archived, deleted and put back as people do it, with JavaScript on a
desk and without it on a phone; and what others did is told."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.browser.test_accessibility import problems
from tests.stack import Stack, until

pytestmark = [pytest.mark.browser, pytest.mark.live]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


def ended(people: People, who: str, prompt: str) -> str:
    run = ask(people(who), "good", "markdown", prompt=prompt)
    until(lambda: 'data-status="completed"' in people(who).http.get(run).text)
    return run


def open_more(page: Page, run: str) -> None:
    page.goto(run)
    page.locator(".order > summary").click()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_question_is_named_found_archived_deleted_and_put_back(
    visit: Visit, people: People, shoot: Shoot, javascript: bool
) -> None:
    prompt = f"Which bird is it, {'with' if javascript else 'without'}?"
    tag, title = f"birds-{javascript}", f"Birds, {javascript}"
    run = ended(people, "bob", prompt)
    size = DESK if javascript else PHONE
    page = visit("bob", viewport=size, java_script_enabled=javascript)

    open_more(page, run)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Tags, with commas between").fill(f"{tag}, other")
    page.get_by_label("Star", exact=True).check()
    if javascript:
        assert problems(page) == []
    page.locator(".order").get_by_role("button", name="Save").click()
    expect(page.locator("h1.prompt")).to_contain_text(title)
    expect(page.locator("#run-labels")).to_contain_text(tag)
    shoot(page, f"named-{javascript}")
    if javascript:
        page.locator("#run-labels").get_by_role("link", name=tag).click()
    else:  # a phone's head has no room for them
        page.goto(f"/fusion/runs?tag={tag}")
    expect(page).to_have_url(re.compile(r"\?tag=birds-"))
    row = page.get_by_role("link", name=title)
    expect(row).to_have_count(1)
    expect(page.get_by_role("img", name="Starred")).to_be_visible()

    # Chosen rows bring what can be done with them, and are counted.
    bar = page.locator("#chosen")
    expect(bar).to_be_hidden()
    page.get_by_role("checkbox", name=title).check()
    expect(bar).to_be_visible()
    if javascript:
        assert problems(page) == []
        assert wide_things(page) == []
    shoot(page, f"chosen-{javascript}")
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("1 question archived.")).to_be_visible()
    page.goto("/fusion/runs")
    expect(page.get_by_role("link", name=title)).to_have_count(0)
    page.get_by_role("link", name="Archived").click()
    page.get_by_role("checkbox", name=title).check()
    page.get_by_role("button", name="Back into the list").click()
    expect(page.get_by_text("1 question back in the list.")).to_be_visible()

    open_more(page, run)
    page.locator(".order .delete > summary").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text(f"Deleted: {title}")).to_be_visible()
    if javascript:
        assert problems(page) == []
    assert people("bob").http.get(run).status_code == 404
    page.get_by_role("link", name="Recently deleted").click()
    expect(page.get_by_text(title).first).to_be_visible()
    if javascript:
        assert problems(page) == []
    shoot(page, f"deleted-{javascript}")
    page.get_by_role("button", name=f"Put back {title}").click()
    expect(page).to_have_url(re.compile(re.escape(run)))
    wait_for_the_end(page)


def test_what_a_colleague_finds_best_is_a_dot_until_it_is_read(
    visit: Visit, people: People, shoot: Shoot
) -> None:
    run = ended(people, "bob", "Which tree is it?")
    people("bob").post(f"{run}/share", {"visibility": "team"}, token_from=run)
    people("alice").post(f"{run}/verdict", {"best": "A", "note": "To the point."}, token_from=run)
    plain = visit("bob", viewport=DESK, java_script_enabled=False)
    plain.goto("/fusion/tokens")
    expect(plain.get_by_role("link", name="Others did something to your questions")).to_be_visible()
    page = visit("bob", viewport=PHONE)
    page.goto("/fusion")
    dot = page.get_by_role("link", name="Others did something to your questions")
    expect(dot).to_be_visible()
    assert wide_things(page) == []
    dot.click()
    expect(page.get_by_text("To the point.")).to_be_visible()
    assert problems(page) == []
    shoot(page, "others")
    page.goto("/fusion")
    expect(dot).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_link_that_is_made_is_shown_once_and_stands_in_no_log(
    visit: Visit, people: People, stack: Stack, shoot: Shoot, javascript: bool
) -> None:
    run = ended(people, "bob", "Which stone is it?")
    size = DESK if javascript else PHONE
    page = visit("bob", viewport=size, java_script_enabled=javascript)
    page.goto(run)
    page.locator(".share > summary").click()
    page.get_by_label("Anyone with the link").check()
    page.get_by_label("It ends").select_option(label="in 7 days")
    page.get_by_label("the prompt").check()
    shoot(page, f"sharing-{javascript}")
    page.get_by_role("button", name="Save").click()
    link = page.get_by_label("Link, readable without an account").input_value()
    shoot(page, f"link-made-{javascript}")
    if javascript:
        assert problems(page) == []
        assert wide_things(page) == []
    reader = visit(viewport=size, java_script_enabled=javascript)
    reader.goto(link)
    expect(reader.get_by_role("region", name="Fused answer")).to_be_visible()
    assert "stone" not in reader.content()
    if javascript:
        assert problems(reader) == []
    for part in ("", "/frames", "/compare", "/export?format=md", "/nowhere"):
        people("bob").http.get(link + part)
    page.goto(run)
    page.locator(".share > summary").click()
    page.get_by_label("Only me").check()
    page.get_by_role("button", name="Save").click()
    until(lambda: people("bob").http.get(link).status_code == 410)
    log = stack.log.read_text()
    assert "/fusion/shared/***" in log
    assert link.rpartition("/")[2] not in log
