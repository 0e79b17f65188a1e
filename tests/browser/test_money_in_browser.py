"""Money as a person meets it: the price before a run, a budget that asks whether to go on, the
receipt, and the page of budgets; on a desk with JavaScript and on a phone without."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import fuse, read_again_until_the_end, wait_for_the_end
from tests.browser.conftest import Shoot, Visit
from tests.browser.test_prompts_in_browser import DESK, PHONE, orderly
from tests.stack import Stack
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

PRESET = """
from console.models import CatalogModel, Credential, Preset
server = Credential.objects.get(slug="openai")
price = {"input_price": 2 * 10**9, "output_price": 10**10, "context_length": 200_000}
names = ["thrifty-one", "thrifty-two", "thrifty-judge"]
for n, model in enumerate(names):
    CatalogModel.objects.create(credential=server, model=model, position=900 + n, **price)
pair = Preset.objects.create(
    name="Thrifty pair", slug="thrifty-pair", run_budget=2,
    judge_model=names[2], judge_credential=server,
)
for seat, model in enumerate(names[:2]):
    pair.panelists.create(seat=seat, credential=server, model=model)
"""


@pytest.fixture(scope="module")
def preset(stack: Stack) -> None:
    stack.shell(PRESET)


@pytest.fixture(autouse=True)
def thrifty(preset: None, upstream: Upstream) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18, "cost": 3}
    upstream.script("thrifty-one", Script(text="Find the leak first.", usage=usage))
    upstream.script("thrifty-two", Script(text="Turn the water off."))
    upstream.script("thrifty-judge", Script(text="Turn it off, then find it."))


@pytest.mark.parametrize(
    ("size", "scripts"), [(DESK, True), (PHONE, False)], ids=["1440", "360-plain"]
)
def test_a_price_a_budget_that_asks_a_receipt_and_what_a_month_came_to(
    visit: Visit, shoot: Shoot, size: dict[str, int], scripts: bool
) -> None:
    page = visit("alice", trouble=True, viewport=size, java_script_enabled=scripts)
    page.goto("/fusion?preset=thrifty-pair&q=What+does+a+leak+cost?")
    if scripts:  # it changes as one types; without, it stands for what the form came with
        expect(page.locator(".quote-whole")).to_contain_text("$")
        page.get_by_role("textbox", name="Prompt", exact=True).press("End")
        page.keyboard.type(" And who pays?")
        expect(page.locator(".quote-parts")).to_contain_text("writer")
    orderly(page, scripts=scripts)
    fuse(page)
    ended(page, scripts=scripts)
    asks = page.locator(".go-on")
    expect(asks).to_contain_text("This run's budget of $2 did not pay for all of it: $0 is left.")
    orderly(page, scripts=scripts)
    shoot(page, f"budget-asks-{size['width']}")
    asks.get_by_label("US dollars").fill("5")
    asks.get_by_role("button", name="Fuse these answers").click()
    expect(page.locator(".go-on")).to_have_count(0)
    ended(page, scripts=scripts)
    fused = page.get_by_role("region", name="Fused answer")
    expect(fused).to_contain_text("Turn it off, then find it.")
    receipt = page.locator("table.receipt")
    expect(receipt).to_contain_text("$3.00")
    told = page.request.get(f"{page.url.partition('?')[0].partition('#')[0]}/receipt.csv").text()
    lines = {line["call"]: line for line in csv.DictReader(io.StringIO(told))}
    dear = lines["panel-0-1"]
    assert Decimal(dear["cost"]) == Decimal(dear["booked"]) == 3
    assert lines["run"]["quoted_high"]

    page.goto("/fusion/budgets")
    expect(page.get_by_role("table").filter(has_text="thrifty-one")).to_contain_text("$")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Together")).to_be_visible()
    page.get_by_role("link", name="thrifty-one").click()
    expect(page.get_by_role("link", name="thrifty-one , show all again")).to_be_visible()
    orderly(page, scripts=scripts)
    shoot(page, f"budgets-{size['width']}")
    file = page.request.get(page.get_by_role("link", name="CSV").get_attribute("href") or "")
    assert "thrifty-one" in file.text() and "thrifty-two" not in file.text()


def ended(page: Page, *, scripts: bool) -> None:
    (wait_for_the_end if scripts else read_again_until_the_end)(page)
