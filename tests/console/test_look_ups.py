"""Claims are looked up for whoever asks: within the limits of a token, and each by its own call."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine import pool
from console.engine.spec_versions import VERSION
from console.engine.state import RunStatus
from console.models import Run
from console.models.money import DAY, PERSON
from console.money.purses import purse_set
from console.services.look_ups import STOPPED, claim_look_up
from console.services.tokens import OverLimit, token_create, token_look_up

from .story import Story

pytestmark = pytest.mark.database


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, alice: User) -> Run:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
    for module in ("services.look_ups", "pages.views.runs"):
        monkeypatch.setattr(f"console.{module}.is_offered", lambda: True)
    return Story().whole().save(alice)


def test_one_that_was_stopped_takes_no_call_of_the_next(
    client: Client, run: Run, alice: User
) -> None:
    Run.objects.filter(pk=run.pk).update(spec=run.spec | {"v": VERSION - 1})
    claim_look_up(run=run, fusion=1, claim="consensus-1")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED)  # stopped by its reader
    run.refresh_from_db()
    assert pool.lookups(pool.without_open(run.research)) == []
    client.force_login(alice)
    page = client.get(f"/fusion/runs/{run.pk}?part=analysis").content.decode()
    assert "Being looked up" not in page and 'name="claim" value="consensus-1"' in page
    claim_look_up(run=run, fusion=1, claim="contradictions-1")
    run.refresh_from_db()
    first, second = pool.lookups(run.research)
    assert (first["is_over"], first["note"]) == (True, STOPPED)
    assert "is_over" not in second and second["call"] != first["call"]
    assert run.spec["v"] == VERSION  # an older worker leaves it alone


def test_a_token_that_has_spent_its_budget_looks_nothing_up(run: Run, alice: User) -> None:
    token, _ = token_create(owner=alice, name="script")
    purse_set(kind=PERSON, subject=str(alice.pk), period=DAY, limit=Decimal(0))
    with pytest.raises(OverLimit):
        token_look_up(token=token, run=run, fusion=1, claim="consensus-1")
    run.refresh_from_db()
    assert run.is_final and not pool.lookups(run.research)
