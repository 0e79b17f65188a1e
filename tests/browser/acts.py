"""What people do at the pages, and what they look for there."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.live.member import Member
from tests.stack import until

PATIENCE = 60_000


def ask(member: Member, *panel: str, judge: str = "good", prompt: str = "Why?") -> str:
    """Without the browser: the address of a new run of this server's models."""
    seats = [f"openai:{model}" for model in panel]
    return "/fusion/runs/" + member.ask(*seats, judge=f"openai:{judge}", prompt=prompt)


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/fusion")


def fill_custom(page: Page, *panel: str, judge: str = "good") -> None:
    page.get_by_role("radio", name="Custom").check()
    expect(page.locator("#model-list")).to_be_attached()
    for seat in range(8):
        field = page.locator(f"#panel-{seat}")
        if seat < len(panel):
            if not field.is_visible():
                page.get_by_role("button", name="Add a seat").click()
            field.fill(f"openai:{panel[seat]}")
        elif field.is_visible():
            field.fill("")
    page.get_by_role("combobox", name="Judge").fill(f"openai:{judge}")


def fuse(page: Page) -> None:
    page.get_by_role("button", name="Fuse", exact=True).click()
    page.wait_for_url(re.compile("/fusion/runs/.{36}"))


def wait_for_the_end(page: Page, status: str = "completed") -> None:
    expect(page.locator("#run")).to_have_attribute("data-status", status, timeout=PATIENCE)


def read_again_until_the_end(page: Page) -> None:
    """Of a page without scripts, which does not tell of it."""

    def is_completed_when_it_is_read_again() -> bool:
        page.reload()
        return page.locator("#run").get_attribute("data-status") == "completed"

    until(is_completed_when_it_is_read_again, PATIENCE / 1000, every=0.25)


def words(page: Page) -> list[str]:
    """Every answer and the fused answer, as they are read."""
    # Which of them stands first is the look's business.
    texts = page.locator("[data-text]")
    named = texts.evaluate_all("all => all.map((one) => [one.dataset.text, one.innerText])")
    return [text for name, text in sorted(named, key=lambda one: (one[0][:4] != "seat", one[0]))]


def wide_things(page: Page) -> list[str]:
    """What makes the page scroll sideways: nothing, one hopes."""
    if page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        return []
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("body *")]
        .map((e) => [e, e.getBoundingClientRect().right])
        .filter(([, right]) => right > innerWidth + 1)
        .map(([e, right]) => `${e.tagName} ${e.id} ${e.className} ends at ${right}`)"""
    )
    return found or ["something that is not an element"]
