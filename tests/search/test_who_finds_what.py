"""Nobody finds what they may not read, whatever they look for and however they narrow it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from console import access
from console.models import Run, SearchEntry, Visibility
from console.models.order import ARCHIVE, STAR
from console.models.search import DAYS
from console.search import Filters, find, read_query
from console.search.facets import COSTS, STATES, kept_facets
from console.services.order import run_tags, runs_mark
from console.services.projects import project_save, runs_project
from console.services.verdicts import WhatWasSeen, verdict_set
from tests.console.story import Story, a_spec

pytestmark = pytest.mark.database

WORDS = ("", "cranes", "herons", "storks", "invoice", '"cranes dance"', "crane*")


@pytest.fixture
def runs(alice: User, bob: User, charlie: User, ada: User) -> list[Run]:
    """Of each person, one for each who may read it."""
    made = []
    for owner, visibility in itertools.product((alice, bob, charlie, ada), Visibility.values):
        story = Story().begin().answer(0, "Herons wade.").answer(1, "They do.").fail(2)
        story.judge().analyse().synthesise("Storks clatter.").complete()
        token = f"{owner.pk}-{visibility}" if visibility == Visibility.LINK else None
        made.append(
            story.save(
                owner,
                prompt="Why do cranes dance?",
                visibility=visibility,
                share_token=token,
                cost=Decimal("0.05"),
            )
        )
    return made


def filters_that_fit(owner: User) -> list[dict[str, Any]]:
    now = timezone.now()
    return [
        {},
        {"preset": "quality"},
        {"model": "maker/alpha"},
        {"person": owner.pk},
        {"state": "completed"},
        {"cost": "dime"},
        {"origin": "page"},
        {"degraded": True},
        {"contradictions": True},
        {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)},
        {"preset": "quality", "model": "maker/gamma", "state": "completed", "degraded": True},
    ]


def test_everybody_finds_what_they_may_read_and_nothing_else(
    runs: list[Run], alice: User, bob: User, charlie: User, ada: User
) -> None:
    for person, owner in itertools.product((alice, bob, charlie, ada), repeat=2):
        readable = {*access.runs_visible_to(person).values_list("pk", flat=True)}
        for words, narrowed in itertools.product(WORDS, filters_that_fit(owner)):
            for by_rank in (False, True):
                found = find(
                    person, read_query(words), Filters(**narrowed), count=50, by_rank=by_rank
                )
                expected = {
                    run.pk
                    for run in runs
                    if run.pk in readable and run.owner_id == narrowed.get("person", run.owner_id)
                }
                assert {hit.run for hit in found.hits} == expected, (person, words, narrowed)


def test_what_is_kept_of_a_run_narrows_and_shows_nobody_more(
    runs: list[Run], alice: User, bob: User, charlie: User, ada: User
) -> None:
    people = (alice, bob, charlie, ada)
    project = project_save(by=alice, name="Fens")
    for run in runs:
        assert run.owner
        run_tags(run=run, names=["wet"])
        for kind in (STAR, ARCHIVE):
            runs_mark(runs=[run], person=run.owner, kind=kind, on=True)
        verdict_set(run=run, person=run.owner, best="A", seen=WhatWasSeen())
    runs_project(runs=runs, project=project)
    # Tags that read like words of the index that are no tags: who may read, when.
    days = {str(entry.pk >> DAYS) for entry in SearchEntry.objects.all()}
    for person, words in itertools.product(people, ("", "cranes")):
        readable = {*access.runs_visible_to(person).values_list("pk", flat=True)}
        own = readable & {run.pk for run in runs if run.owner == person}
        for kept, expected in (
            ({"tag": "wet"}, readable),
            ({"project": project.pk}, readable),
            ({"starred": True}, own),
            ({"archived": True}, own),
            ({"tag": "wet", "project": project.pk, "starred": True}, own),
            *(({"tag": tag}, set()) for tag in ("dry", "eam", *days)),
        ):
            more = kept_facets(person.pk, **kept)  # type: ignore[arg-type]
            found = find(person, read_query(words), Filters(more=more, best=True), count=50)
            assert {hit.run for hit in found.hits} == expected, (person, words, kept)


def test_an_admin_finds_of_others_what_the_team_reads(runs: list[Run], ada: User) -> None:
    found = find(ada, read_query("cranes"), count=50, as_admin=True)
    assert len(found.hits) == len(access.runs_visible_to(ada)) < len(runs)


def test_own_are_one_s_own(runs: list[Run], alice: User) -> None:
    found = find(alice, read_query("cranes"), Filters(own=True), count=50)
    assert {hit.run for hit in found.hits} == {run.pk for run in runs if run.owner == alice}


def test_what_does_not_fit_is_not_found(runs: list[Run], alice: User) -> None:
    now = timezone.now()
    none_fits: list[dict[str, Any]] = [
        {"preset": "budget"}, {"model": "maker/alph"}, {"person": 0}, {"state": "failed"},
        {"cost": "cents"}, {"origin": "api"}, {"rulings": True}, {"best": True},
        {"since": now + timedelta(minutes=1)}, {"until": now - timedelta(days=1)},
        {"preset": 'quality" OR "'}, {"model": "' | '"}, {"more": ("·star",)},
    ]  # fmt: skip
    for narrowed in none_fits:
        assert not find(alice, read_query("cranes"), Filters(**narrowed), count=50).hits, narrowed


def test_every_state_and_cost_may_be_asked_for(runs: list[Run], alice: User) -> None:
    for state, cost in itertools.product(STATES, COSTS):
        found = find(alice, read_query("cranes"), Filters(state=state, cost=cost), count=50)
        assert bool(found.hits) == ((state, cost) == ("completed", "dime"))
    with pytest.raises(KeyError):
        find(alice, read_query("cranes"), Filters(state="lost"), count=50)


def test_pages_hold_every_run_once(alice: User) -> None:
    for n in range(25):
        Story(a_spec("maker/alpha")).begin().answer(0, f"cranes {n}").save(alice)
    seen, before = [], None
    while True:
        found = find(alice, read_query("cranes"), count=10, before=before)
        seen += [hit.entry for hit in found.hits]
        before = found.before
        if before is None:
            break
    entries = SearchEntry.objects.order_by("-pk").values_list("pk", flat=True)
    assert seen == [*entries] and len(seen) == 25


def test_the_best_of_the_newest_stand_first(alice: User) -> None:
    once = Story().whole(answer="Nothing of cranes here, but of much else besides.").save(alice)
    often = Story().whole().save(alice, prompt="Cranes, cranes and cranes?")
    last = Story().whole(answer="A long answer about storks and, once, of cranes.").save(alice)
    found = find(alice, read_query("cranes"), count=10, by_rank=True)
    assert found.hits[0].run == often.pk
    assert {hit.run for hit in found.hits} == {once.pk, often.pk, last.pk}
    assert found.best_of >= 100
