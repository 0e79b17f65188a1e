"""What a run was expected to cost is kept with it, laid beside what it did, and is what it may come
to where nobody says."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from console.engine.errors import Reason
from console.engine.spec import Panelist, Spec
from console.engine.usage import Price
from console.models import CatalogModel, Credential, Purse, Run, SiteChoices
from console.models.runs import Origin
from console.services.estimates import Estimate, outcome
from console.services.follow import run_follow
from console.services.fusions import go_on
from console.services.runs import run_start
from console.services.tokens import token_create
from console.services.whole_calls import whole_calls

from .story import Story, a_spec

pytestmark = [pytest.mark.database, pytest.mark.django_db]

PRICE = Price(Decimal(2), Decimal(10))
LOW, HIGH = Decimal("0.05"), Decimal("0.2")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


def priced(price: Price | None = PRICE) -> Spec:
    spec = a_spec()
    panel = tuple(Panelist(seat.model, seat.credential, price=price) for seat in spec.panel)
    return Spec(panel, panel[0], spec.prompts, preset="quality", preset_name="Quality")


def start(alice: User, spec: Spec, **more: Any) -> Run:
    return run_start(owner=alice, prompt="What is the answer?", spec=spec, **more)


def chosen(model: str = "own/reference", **more: Any) -> None:
    credential = Credential.objects.get(slug="openrouter")
    CatalogModel.objects.create(
        credential=credential, model="own/reference", name="Reference", position=900,
        input_price=1_000_000_000, output_price=4_000_000_000,
    )  # fmt: skip
    SiteChoices.objects.create(
        reference_credential=credential if model else None, reference_model=model, **more
    )


def kept(reference: Panelist | None = None, high: Decimal = HIGH) -> dict[str, Any]:
    return Estimate(LOW, high, 30.0, 0, reference).to_dict()


def shown(client: Client, run: Run) -> str:
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    return " ".join(re.sub("<[^>]+>", " ", unescape(page)).split())


# ---- kept with the run ----


def test_a_run_keeps_what_was_expected_of_it_and_with_whom_it_was_compared(alice: User) -> None:
    run = start(alice, priced())
    estimate = Estimate.from_dict(run.estimate)
    assert estimate and estimate.low and estimate.high and 0 < estimate.low < estimate.high
    assert estimate.reference and estimate.reference.model == "maker/alpha"  # who writes
    chosen()
    estimate = Estimate.from_dict(start(alice, priced()).estimate)
    assert estimate and estimate.reference
    assert estimate.reference.model == "own/reference"
    assert estimate.reference.price == Price(Decimal(1), Decimal(4))


def test_what_goes_on_from_a_run_is_estimated_with_all_that_is_read_again(alice: User) -> None:
    story = Story(priced()).whole(answer="word " * 3_000, fused="word " * 3_000)
    first = story.save(alice)
    assert first.estimate is None
    short = Estimate.from_dict(start(alice, priced()).estimate)
    after = Estimate.from_dict(run_follow(run=first, owner=alice, prompt="And?").estimate)
    assert short and after and short.low and after.low and after.low > short.low


# ---- what it may come to ----


def test_a_run_may_come_to_three_times_that_or_a_whole_attempt_of_each_call(
    alice: User,
) -> None:
    run = start(alice, priced())
    estimate = Estimate.from_dict(run.estimate)
    assert estimate and estimate.high and run.usual_budget_nano
    # A whole attempt of each call is more than that, where no limit of its output is set.
    whole = whole_calls(priced(), ["What is the answer?"])
    assert whole and run.usual_budget_nano == sum(whole.values()) > estimate.high * 3 * 10**9
    cheap = start(alice, priced(Price(Decimal("0.0001"), Decimal("0.0001"))))
    assert cheap.usual_budget_nano == 10**7  # a cent


def test_nobody_is_stopped_for_a_price_that_is_not_known_or_nothing_or_was_said(
    alice: User,
) -> None:
    assert start(alice, priced(None)).usual_budget_nano is None
    assert start(alice, priced(Price(Decimal(0), Decimal(0)))).usual_budget_nano is None
    assert start(alice, priced(), max_cost=Decimal(1)).usual_budget_nano is None
    assert start(alice, priced(), origin=Origin.EVALUATION).usual_budget_nano is None
    chosen("", runs_have_budget=False)
    assert start(alice, priced()).usual_budget_nano is None


def stopped(alice: User) -> Run:
    story = Story(priced()).begin().answer(0, "One.").answer(1, "Two.")
    story.fail(2, Reason.BUDGET_EXCEEDED, "This run has cost $0.0624 so far.")
    return story.save(alice, status="failed", usual_budget_nano=60_000_000)


def test_the_page_of_a_run_that_came_to_that_asks_whether_to_go_on(
    client: Client, alice: User
) -> None:
    run = stopped(alice)
    client.force_login(alice)
    page = shown(client, run)
    assert "This run has cost $0.0624, more than three times what was expected" in page
    assert "Go on for how much?" in page
    go_on(run=run, dollars="0.50", fuses=False)
    run.refresh_from_db()
    assert run.usual_budget_nano is None
    assert Purse.objects.get(kind="run").limit == Decimal("0.5")


# ---- beside what it did ----


def test_the_receipt_lays_the_price_beside_what_was_expected(client: Client, alice: User) -> None:
    reference = Panelist("own/reference", "openrouter", price=Price(Decimal(1), Decimal(4)))
    run = Story().whole().save(alice, estimate=kept(reference))
    client.force_login(alice)
    page = shown(client, run)
    assert "Expected before it was sent: $0.05–0.20; it cost $0.1560." in page
    # 212 tokens read, 1,184 written.
    assert "reference alone would have cost about $0.0049 (computed)." in page
    by_htmx = client.get(f"/fusion/runs/{run.pk}", headers={"HX-Request": "true"}).content.decode()
    assert 'id="receipt-beside" hx-swap-oob="true"' in by_htmx
    assert "Expected before" not in shown(client, Story().whole().save(alice))
    under_way = Story().begin().answer(0, "One.").save(alice, estimate=kept(reference))
    assert "Expected before it was sent: $0.05–0.20." in shown(client, under_way)


def test_a_reference_that_sat_on_the_panel_would_have_cost_what_it_did(alice: User) -> None:
    run = Story().whole().save(alice, estimate=kept(Panelist("maker/beta", "openrouter")))
    found = outcome(run, Story().whole().state)
    assert found and found.alone == Decimal("0.0312")
    unknown = kept(Panelist("own/unknown", "openrouter"))
    found = outcome(Story().whole().save(alice, estimate=unknown), Story().whole().state)
    assert found and found.alone is None


def test_what_was_asked_later_is_not_laid_beside_what_was_expected(alice: User) -> None:
    story = Story().whole()
    before = outcome(story.save(alice, estimate=kept()), story.state)
    story.fuse_again("Fused again.")
    after = outcome(story.save(alice, estimate=kept()), story.state)
    assert before and after and before.cost == after.cost and not after.is_partial


def test_programs_and_spreadsheets_have_it_too(client: Client, alice: User) -> None:
    reference = Panelist("own/reference", "openrouter", price=Price(Decimal(1), Decimal(4)))
    run = Story().whole().save(alice, estimate=kept(reference))
    old = Story().whole().save(alice)
    _, secret = token_create(owner=alice)
    headers = {"authorization": f"Bearer {secret}"}
    said = client.get(f"/v1/runs/{run.pk}/receipt", headers=headers).json()
    assert said["estimate"] == {
        "low": 0.05, "high": 0.2, "seconds": 30.0, "runs": 0, "cost": 0.156,
        "cost_is_partial": False, "reference": "own/reference", "reference_cost": 0.004948,
    }  # fmt: skip
    assert client.get(f"/v1/runs/{old.pk}/receipt", headers=headers).json()["estimate"] is None
    client.force_login(alice)
    text = client.get(f"/fusion/runs/{run.pk}/receipt.csv").content.decode()
    *calls, whole = csv.DictReader(io.StringIO(text))
    assert sum(Decimal(call["cost"]) for call in calls) == Decimal("0.156")
    told = ("call", "cost", "quoted_low", "quoted_high", "reference_model", "reference_cost")
    assert [whole[name] for name in told] == [
        "run", "", "0.05", "0.2", "own/reference", "0.004948",
    ]  # fmt: skip
    text = client.get(f"/fusion/runs/{old.pk}/receipt.csv").content.decode()
    assert [row["call"] for row in csv.DictReader(io.StringIO(text))].count("run") == 0


# ---- who chooses ----


def test_an_admin_chooses_the_reference_whose_price_is_known(client: Client, ada: User) -> None:
    client.force_login(ada)
    add = "/admin/console/sitechoices/add/"
    credential = Credential.objects.get(slug="openrouter")
    chosen()
    SiteChoices.objects.all().delete()
    form = {"reference_credential": credential.pk, "runs_have_budget": "on"}
    for model, sentence in (
        ("", "Choose both the key and the model"), ("own/none", "is not known here"),
    ):  # fmt: skip
        refused = client.post(add, form | {"reference_model": model})
        assert sentence in unescape(refused.content.decode())
    assert client.post(add, form | {"reference_model": "own/reference"}).status_code == 302
    assert SiteChoices.objects.get().reference_model == "own/reference"
    assert client.get(add).status_code == 403  # there is one row of choices
