"""Claims are looked up for whoever asks: within the limits of a token, and each by its own call."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine import pool
from console.engine.events import EventType
from console.engine.spec_versions import VERSION
from console.engine.state import RunStatus
from console.fragments.agreement import analysis
from console.fragments.phases import phases
from console.fragments.seats import columns
from console.fragments.sentences import status
from console.models import Hold, Run, Window
from console.models.money import DAY, PERSON, TOKEN
from console.money.asking import Ask, Payer
from console.money.book import book
from console.money.purses import purse_set
from console.services.look_ups import claim_look_up
from console.services.reopening import STOPPED
from console.services.tokens import OverLimit, token_create, token_look_up

from .story import Story

pytestmark = pytest.mark.database


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, alice: User) -> Run:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
    for module in ("services.look_ups", "pages.views.runs"):
        monkeypatch.setattr(f"console.{module}.is_offered", lambda: True)
    return Story().whole().save(alice)


def looking_up(one: dict[str, object]) -> tuple[str, list[str]]:
    """What is said of a run of which two claims are looked up before it is written."""
    story = Story().begin()
    for seat in range(3):
        story.answer(seat, "An answer.")
    story.judge().analyse()
    for number, claim in enumerate(("contradictions-1", "unique_insights-1"), 1):
        said = {"claim": claim, "text": claim, "stances": [], "at": story.now, "before": True}
        story.tell(EventType.CLAIM_LOOKED_UP, fusion=1, id=number, **said | one)
    spec, state = story.spec, story.state
    view = analysis(spec, state, columns(spec, state))
    phase = phases(spec, state)[2]
    return status(spec, state), [phase.state, phase.what, *view.notes[:1]]


def test_while_doubtful_claims_are_looked_up_it_is_the_analysis_that_goes_on() -> None:
    told, of_analysis = looking_up({})
    assert told == "Analysis: 2 claims being looked up"
    assert of_analysis[:2] == ["running", "0 of 2 looked up"]


def test_what_became_of_it_is_said_where_the_analysis_is() -> None:
    found = {"queries": ["q"], "sources": [1], "quotes": [], "is_over": True}
    _, of_analysis = looking_up(found)
    noted = "Before the fused answer was written, 2 claims were looked up."
    assert of_analysis == ["done", "2 of 2 looked up", noted]
    _, of_analysis = looking_up(found | {"note": "No page was found that could be read."})
    assert of_analysis[2].startswith("Written without the look-up of 2 claims. No page was found")


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


def test_one_that_came_to_nothing_is_asked_for_again_and_tried_anew(
    client: Client, run: Run, alice: User
) -> None:
    claim_look_up(run=run, fusion=1, claim="consensus-1")
    run.refresh_from_db()
    (one,) = pool.lookups(run.research)
    found = [{"url": "https://a.example/", "title": "A"}]
    ended = pool.ended_lookup(one, "No page was read.", queries=["a", "b"], sources=[], quotes=[])
    failed = {"url": "https://a.example/", "title": "A", "query": "x", "at": 1.0, "failure": "500"}
    other = failed | {"url": "https://b.example/"}
    searches = [{"query": q, "engine": "E", "found": f} for q, f in (("a", found), ("b", []))]
    pooled = {"lookups": [ended], "sources": [failed, other], "searches": searches}
    Run.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED, research=pooled)
    client.force_login(alice)
    address = f"/fusion/runs/{run.pk}?part=analysis"
    page = client.get(address).content.decode()
    assert "No page was read." in page and 'name="claim" value="consensus-1"' in page
    run.refresh_from_db()
    claim_look_up(run=run, fusion=1, claim="consensus-1")
    run.refresh_from_db()
    assert [search["query"] for search in pool.searches(run.research)] == ["a"]
    assert pool.sources(run.research) == [other]
    assert len(pool.lookups(run.research)) == 2


def test_a_token_pays_for_what_it_has_looked_up_on_its_own_terms(run: Run, alice: User) -> None:
    mine, _ = token_create(owner=alice, name="of the run")
    Run.objects.filter(pk=run.pk).update(token=mine)
    other, _ = token_create(owner=alice, name="script", no_training=True)
    for token in (mine, other):
        purse_set(kind=TOKEN, subject=str(token.pk), period=DAY, limit=Decimal(1))
    token_look_up(token=other, run=run, fusion=1, claim="consensus-1")
    call = run.calls.get(step="lookup")
    assert call.panelist["terms"]["no_training"] is True
    payer = Payer(run.pk, alice.pk, mine.pk)
    for key, token in ((call.key, other), ("lookup-f1-2", other), ("panel-0-2", mine)):
        fusion = None if key.startswith("panel") else 1
        ask = Ask(key, fusion, "m", 10, 10, 10, 1_000_000_000, 1_000_000_000)
        book(payer, 1, [ask], [])
        hold = Hold.objects.get(run=run, call=key)
        paid_from = Window.objects.get(pk__in=hold.windows).purse
        assert paid_from.subject == str(token.pk), key


def test_a_token_that_has_spent_its_budget_looks_nothing_up(run: Run, alice: User) -> None:
    token, _ = token_create(owner=alice, name="script")
    purse_set(kind=PERSON, subject=str(alice.pk), period=DAY, limit=Decimal(0))
    with pytest.raises(OverLimit):
        token_look_up(token=token, run=run, fusion=1, claim="consensus-1")
    run.refresh_from_db()
    assert run.is_final and not pool.lookups(run.research)
