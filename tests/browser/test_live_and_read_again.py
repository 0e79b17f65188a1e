"""However a run is watched, everyone ends with the same text."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.acts import ask, wait_for_the_end, wide_things, words
from tests.browser.conftest import People, Shoot, Visit
from tests.stack import Stack
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

STORY = "# A title\n\nA first paragraph with *emphasis*.\n\n" + "\n\n".join(
    f"{n}. Point **{n}** of the story, with `code` in it.\n   - and a remark" for n in range(1, 15)
)


def test_reload_in_mid_run_and_a_second_tab_show_the_same(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    upstream.script("teller", Script(text=STORY, hold_after=6))
    page = visit("alice")
    page.goto(ask(people("alice"), "teller", "teller", judge="teller"))
    held = page.locator("[data-text=seat-0]")
    expect(held).to_contain_text("A title")
    expect(held).to_contain_text("first paragraph")
    early = words(page)
    page.reload()
    expect(held).to_contain_text("first paragraph")
    assert words(page) == early
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator("[data-text=seat-1]")).to_contain_text("first paragraph")
    assert words(tab) == early
    upstream.release()
    wait_for_the_end(page)
    wait_for_the_end(tab)
    live = words(page)
    assert "Point 14 of the story" in live[0] and "Point 14 of the story" in live[-1]
    assert words(tab) == live
    page.reload()
    assert words(page) == live


def test_a_lost_network_and_a_killed_server_lose_nothing(
    visit: Visit, people: People, upstream: Upstream, stack: Stack
) -> None:
    upstream.script("teller", Script(text=STORY, tokens_per_second=60, hold_after=60))
    page = visit("alice", trouble=True)
    page.goto(ask(people("alice"), "teller", "teller", judge="good"))
    held = page.locator("[data-text=seat-0]")
    expect(held).to_contain_text("A title")
    page.context.set_offline(True)
    page.evaluate("window.sockets.at(-1).close()")
    expect(page.locator("#run")).to_have_attribute("data-live", "no")
    page.wait_for_timeout(500)
    page.context.set_offline(False)
    expect(page.locator("#run")).to_have_attribute("data-live", "yes")
    stack.kill("web")
    expect(page.locator("#run")).to_have_attribute("data-live", "no")
    stack.start_web()
    expect(page.locator("#run")).to_have_attribute("data-live", "yes")
    upstream.release()
    wait_for_the_end(page)
    live = words(page)
    assert "Point 14 of the story" in live[0] and "Point 14 of the story" in live[1]
    page.reload()
    assert words(page) == live


def test_nothing_jumps_while_answers_arrive(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot
) -> None:
    upstream.script("teller", Script(text=STORY, tokens_per_second=90))
    upstream.script("refuser", Script(status=400, error_message="Not today."))
    upstream.script("closer", Script(text=STORY, tokens_per_second=200))
    page = visit("alice", viewport={"width": 1440, "height": 900})
    page.goto(ask(people("alice"), "teller", "teller", "refuser", judge="closer"))
    expect(page.locator("[data-text=seat-0]")).to_contain_text("A title")
    fused = page.get_by_role("region", name="Fused answer")
    tops: list[float] = []
    shot = False
    while page.locator("#run").get_attribute("data-status") != "completed":
        # Where the document has it, however far the reader has scrolled.
        tops.append(fused.evaluate("e => e.getBoundingClientRect().top + scrollY"))
        if not shot and len(tops) > 12:
            shoot(page, "streaming-desktop-light")
            shot = True
        page.wait_for_timeout(80)
    assert len(tops) > 10
    assert max(tops) - min(tops) <= 2, sorted(set(tops))
    shoot(page, "failures-desktop-light")


def test_a_phone_never_scrolls_sideways_whatever_arrives(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot
) -> None:
    wide = "```\n" + "x" * 400 + "\n```\n\n| a | b |\n|---|---|\n| " + "wide" * 60 + " | b |\n\n"
    upstream.script("wide/" + "w" * 120, Script(text=wide + STORY, hold_after=30))
    page = visit("alice", viewport={"width": 360, "height": 740}, color_scheme="dark")
    name = "wide/" + "w" * 120
    page.goto(ask(people("alice"), name, name, "fault-500", judge=name, prompt="p" * 200))
    expect(page.locator("[data-text=seat-0]")).to_contain_text("xxx")
    shoot(page, "streaming-phone-dark")
    assert wide_things(page) == []
    page.locator(".share summary").click()
    expect(page.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    assert wide_things(page) == []
    upstream.release()
    wait_for_the_end(page)
    expect(page.get_by_role("region", name="Go on")).to_be_visible()
    expect(page.get_by_role("region", name="Was it worth it?")).to_be_visible()
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    shoot(page, "failures-phone-dark")
    assert wide_things(page) == []
    for address in ("/fusion", "/fusion/runs", "/sign-in"):
        page.goto(address)
        assert wide_things(page) == []
        shoot(page, "phone-dark" + address.replace("/", "-"))
    admin = visit("ada", viewport={"width": 360, "height": 740})
    admin.goto("/fusion/keys")
    assert wide_things(admin) == []


def test_where_no_socket_comes_through_the_page_asks_and_says_so_once(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    upstream.script("teller", Script(text=STORY, hold_after=6))
    page = visit("alice", trouble=True, apart=True)
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto(ask(people("alice"), "teller", "good", judge="teller"))
    held = page.locator("[data-text=seat-0]")
    expect(held).to_contain_text("A title")
    asking = page.get_by_text("Live updates do not come through this network")
    expect(asking).to_be_visible()
    upstream.release()
    wait_for_the_end(page)
    expect(asking).to_have_count(1)
    live = words(page)
    page.reload()
    assert words(page) == live
    expect(asking).to_have_count(0)


@pytest.mark.parametrize("has_sockets", [True, False])
def test_a_column_that_was_hidden_lacks_nothing_when_it_is_shown_after_the_line_broke(
    visit: Visit, people: People, upstream: Upstream, has_sockets: bool
) -> None:
    """On a phone one column is shown, and only that is sent."""
    upstream.script("teller", Script(text=STORY, hold_after=40))
    size = {"width": 360, "height": 740}
    page = visit("alice", trouble=True, viewport=size, apart=not has_sockets)
    if not has_sockets:
        page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto(ask(people("alice"), "teller", "teller", judge="teller"))
    columns = page.locator(".rail [data-part^=seat-]")
    expect(page.locator("[data-text=seat-0]")).to_contain_text("Point 2")
    if has_sockets:
        page.evaluate("window.sockets.at(-1).close()")
        expect(page.locator("#run")).to_have_attribute("data-live", "no")
        expect(page.locator("#run")).to_have_attribute("data-live", "yes")
    columns.nth(1).click()
    expect(page.locator("[data-text=seat-1]")).to_contain_text("Point 2")
    columns.nth(0).click()
    upstream.release()
    wait_for_the_end(page)
    live = page.locator("[data-text]").all_text_contents()
    page.reload()
    assert page.locator("[data-text]").all_text_contents() == live
    for text in live[:2]:
        assert "Point 14 of the story" in text and text.count("A title") == 1
