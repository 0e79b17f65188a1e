"""A run whose own budget did not pay for all of it: its page asks whether to go on and for how
much."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.errors import Reason
from console.models import Credential, Purse, Run, Window
from console.money.purses import purse_set
from console.providers.secret import Secret

from .story import Story

ASKS = "Go on for how much?"


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret("sk-or-for-the-judge")
    credential.save()
    client.force_login(alice)
    return client


def refused(alice: User, *answered: int, spent: int = 80_000_000, limit: str = "0.09") -> Run:
    """Seats that did not answer were not asked, since the budget did not pay for them."""
    story = Story().begin()
    for seat in range(3):
        if seat in answered:
            story.answer(seat, f"Answer {seat}.")
        else:
            story.fail(seat, Reason.BUDGET_EXCEEDED, "This run's budget is used up.")
    run = story.save(alice, status="failed", reason=Reason.BUDGET_EXCEEDED)
    purse_set(kind="run", subject=run.pk.hex, period="run", limit=Decimal(limit))
    purse = Purse.objects.get()
    Window.objects.create(purse=purse, rank=0, starts="1970-01-01", spent_nano=spent)
    return run


def text(client: Client, run: Run) -> str:
    content = client.get(f"/fusion/runs/{run.pk}").content.decode()
    return " ".join(re.sub("<[^>]+>", " ", unescape(content)).split())


def go_on(client: Client, run: Run, dollars: str, **form: str) -> int:
    return client.post(f"/fusion/runs/{run.pk}/go-on", {"dollars": dollars} | form).status_code


def limit() -> Decimal:
    return Purse.objects.get().limit


def test_answers_that_were_not_fused_are_with_so_much_more(page: Client, alice: User) -> None:
    run = refused(alice, 0, 1)
    said = text(page, run)
    assert f"This run's budget of $0.09 did not pay for all of it: $0.0100 is left. {ASKS}" in said
    assert "Fuse these answers" in said
    assert go_on(page, run, " $0.5 ", fuse="1") == 302
    run.refresh_from_db()
    assert (run.status, run.fusions.count()) == ("queued", 1)
    assert limit() == Decimal("0.58"), "beyond what it has spent"


def test_where_nobody_answered_the_budget_is_raised_and_whoever_was_not_asked_can_be(
    page: Client, alice: User
) -> None:
    run = refused(alice)
    assert "Raise the budget Then whoever was not asked can be." in text(page, run)
    assert go_on(page, run, "1") == 302
    run.refresh_from_db()
    assert (run.status, limit()) == ("failed", Decimal("1.08"))
    assert "This run's budget of $1.08 did not pay for all of it: $1.0000 is left." in text(
        page, run
    )


@pytest.mark.parametrize("dollars", ["", "much", "-1", "NaN", "Infinity", "100000000", "0,5"])
def test_what_is_no_amount_changes_nothing(page: Client, alice: User, dollars: str) -> None:
    run = refused(alice, 0, 1)
    assert go_on(page, run, dollars, fuse="1") == 422
    run.refresh_from_db()
    assert (run.status, limit()) == ("failed", Decimal("0.09"))


def test_nothing_is_asked_of_who_has_no_part_in_it(page: Client, alice: User, bob: User) -> None:
    whole = Story().whole().save(alice)
    assert ASKS not in text(page, whole)
    assert go_on(page, whole, "1", fuse="1") == 422, "it has no budget of its own"
    run = refused(alice, 0, 1)
    Run.objects.update(visibility="team")
    reader = Client()
    reader.force_login(bob)
    assert ASKS not in text(reader, run)
    assert go_on(reader, run, "1", fuse="1") == 404
    assert limit() == Decimal("0.09")
    Purse.objects.all().delete()
    assert ASKS not in text(page, run), "it was another's budget"
