"""A project, made, filled, asked in and left by hand: with JavaScript on a desk and without it on
a phone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.acts import read_again_until_the_end, wait_for_the_end, wide_things
from tests.browser.conftest import Shoot, Visit
from tests.browser.test_accessibility import problems
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
RULES = {
    "name": "rules.txt",
    "mimeType": "text/plain",
    "buffer": b"Invoices are blue.\n" * 200 + b"A reminder costs five euros.\n",
}


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_project_is_made_filled_asked_in_and_deleted(
    visit: Visit, upstream: Upstream, shoot: Shoot, javascript: bool
) -> None:
    queries = Script(text=json.dumps({"queries": ["reminder cost"]}))
    fused = Script(text="It costs “five euros” [1].")

    def told(body: dict[str, Any]) -> Script:
        return replace(fused, judge=queries) if "search queries" in str(body) else fused

    upstream.script("good", told)
    name = f"Billing, {'with' if javascript else 'without'}"
    page = visit("alice", viewport=DESK if javascript else PHONE, java_script_enabled=javascript)

    def looks(step: str) -> None:
        assert wide_things(page) == []
        if javascript:
            assert problems(page) == []
        shoot(page, f"project-{step}-{javascript}")

    page.goto("/fusion/projects")
    looks("list")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Context").fill("We bill 40,000 customers.")
    page.get_by_label("Preset to begin with").select_option("plain-pair")
    page.get_by_text("Budget, in US dollars").click()
    expect(page.get_by_label("A month")).to_be_visible()
    looks("new")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()

    page.get_by_label("Files to add").set_input_files([RULES])
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="rules.txt")).to_be_visible()
    looks("page")

    page.get_by_role("link", name="Ask in it").click()
    expect(page.get_by_label("Project")).to_have_value(re.compile("billing-with"))
    expect(page.locator("#preset-plain-pair")).to_be_checked()
    page.get_by_role("textbox", name="Prompt").fill("What does a reminder cost?")
    looks("compose")
    page.get_by_role("button", name="Fuse").click()
    page.wait_for_url("**/fusion/runs/*")
    (wait_for_the_end if javascript else read_again_until_the_end)(page)
    expect(page.locator("#run")).to_have_attribute("data-status", "completed")
    page.get_by_text("Asked with the project’s context").click()
    expect(page.get_by_text("We bill 40,000 customers.")).to_be_visible()
    address = page.url.partition("?")[0]
    page.goto(f"{address}?look=result&part=sources")
    expect(page.locator("#source-1")).to_contain_text("rules.txt")
    looks("run")

    page.locator(".share > summary").click()
    page.get_by_label("Everyone in the project").check()
    page.locator("#share-save").click()
    page.goto(address)
    page.locator(".order > summary").click()
    looks("more")
    page.locator("#order-project").select_option("")
    page.locator(".order").get_by_role("button", name="Save").click()
    expect(page.locator(".run-project")).to_have_count(0)
    page.goto(address)
    expect(page.locator("#run-visibility")).to_have_text("Only me")

    page.goto("/fusion/projects")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text("No question in it that you may read yet.")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("link", name="Delete…").click()
    looks("delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Its questions are still there.")).to_be_visible()
