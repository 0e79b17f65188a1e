"""What can be found of a run is what its rows say, at every moment that somebody may look."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import access
from console.models import Run, SearchEntry, SearchFill, SearchStale, Visibility
from console.models.runs import Origin
from console.search import Filters, entries, find, index, read_query, shown
from console.search.facets import project_facet, project_named
from console.search.filling import (
    begin_anew,
    claim_fill,
    claim_stale,
    fill,
    is_filling,
    take_out,
)
from console.services.links import run_share
from console.services.projects import project_delete, project_save, runs_project
from console.services.reopening import reopen
from console.services.runs import run_cancel, run_start
from console.services.verdicts import WhatWasSeen, verdict_set, verdict_take_back
from tests.console.story import Story, a_spec

pytestmark = pytest.mark.database


def found(person: User, words: str = "", **filters: object) -> list[Run]:
    hits = find(person, read_query(words), Filters(**filters), count=50).hits  # type: ignore[arg-type]
    return [Run.objects.get(pk=hit.run) for hit in hits]


def test_a_run_is_found_by_its_prompt_from_its_start_on(alice: User) -> None:
    run = run_start(owner=alice, prompt="Why do cranes dance?", spec=a_spec())
    assert found(alice, "crane* dance") == [run]
    assert found(alice, "cranes", state="open") == [run]
    run_cancel(run=run)
    assert found(alice, "cranes", state="open") == []
    assert found(alice, "cranes", state="cancelled") == [run]


def test_answers_analysis_and_fused_answer_are_found(alice: User) -> None:
    run = Story().whole(answer="Herons wade.", fused="Storks clatter.").save(alice)
    for words in ("herons", "storks", '"invoice"', "unbudgeted cost", "herons storks invoice"):
        assert found(alice, words) == [run], words


def test_no_phrase_goes_from_one_text_into_the_next(alice: User) -> None:
    Story().whole(answer="Herons wade.").save(alice)
    assert found(alice, '"wade herons"') == []


def test_who_may_read_it_finds_it_from_that_moment_on_and_no_longer(alice: User, bob: User) -> None:
    run = Story().whole().save(alice, prompt="Why do cranes dance?")
    assert found(bob, "cranes") == []
    run_share(run=run, visibility=Visibility.TEAM, by=alice)
    assert found(bob, "cranes") == [run]
    run_share(run=run, visibility=Visibility.PRIVATE, by=alice)
    assert found(bob, "cranes") == []


def test_what_was_found_best_and_why_is_found_until_it_is_taken_back(alice: User) -> None:
    run = Story().whole().save(alice)
    verdict_set(run=run, person=alice, best="A", note="It names swans.", seen=WhatWasSeen())
    assert found(alice, "swans", best=True) == [run]
    verdict_take_back(run=run, person=alice)
    assert found(alice, "swans") == found(alice, best=True) == []


def test_a_run_that_is_fused_again_is_under_way_again(alice: User) -> None:
    run = Story().whole().save(alice)
    with transaction.atomic():
        reopen(run)
    assert found(alice, state="open") == [run]
    assert found(alice, state="completed") == []


def test_what_is_deleted_is_found_no_more(alice: User) -> None:
    run = Story().whole().save(alice, prompt="Why do cranes dance?")
    Run.objects.filter(pk=run.pk).delete()
    assert found(alice, "cranes") == []
    assert not SearchEntry.objects.exists()


def test_of_a_very_long_run_all_is_found(alice: User) -> None:
    long = " ".join(f"word{n}" for n in range(60_000))
    run = Story().whole(answer=long, fused=long).save(alice, prompt=f"cranes {long[:300_000]}")
    for words in ("cranes", "word1", "word29999", "word59999", '"word59998 word59999"'):
        assert found(alice, words) == [run], words
    assert SearchEntry.objects.filter(run=run).count() > 5
    # Once it says less, less is found.
    run.calls.all().delete()
    run.fusions.all().delete()
    Run.objects.filter(pk=run.pk).update(prompt="cranes")
    index(run.pk)
    assert found(alice, "cranes") == [run] and found(alice, "word1") == []
    assert SearchEntry.objects.filter(run=run).count() == 1


def test_words_without_an_end_and_signs_that_no_database_keeps_are_no_trouble(alice: User) -> None:
    run = Story().whole(answer="x" * 5000 + " a\u0001b \ud7ff\ufffe ' \" \\ %s").save(alice)
    assert found(alice, "x" * 200) == [run]
    assert found(alice, "xxx*") == [run]


def test_runs_of_the_very_same_moment_are_each_found(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "SLOTS", 5)
    runs = [Story().whole().save(alice) for _ in range(20)]
    SearchEntry.objects.all().delete()
    Run.objects.update(created_at=timezone.now())
    for run in runs:
        index(run.pk)
    assert {run.pk for run in found(alice, "billing")} == {run.pk for run in runs}


def test_a_run_whose_words_are_refused_is_answered_all_the_same(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(SearchEntry._meta, "db_table", "console_nowhere")
    run = run_start(owner=alice, prompt="Why do cranes dance?", spec=a_spec())
    assert Run.objects.filter(pk=run.pk).exists()
    assert "cannot be found by its words" in caplog.text


# what was there before


def test_what_was_asked_before_there_was_a_search_is_read_into_it_the_newest_first(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.search.filling.AT_ONCE", 2)
    runs = [Story().whole().save(alice, prompt=f"cranes {n}") for n in range(5)]
    SearchEntry.objects.all().delete()
    assert not is_filling() and not claim_fill()
    begin_anew()
    assert is_filling() and claim_fill()
    assert not claim_fill(), "two at once"
    assert fill() == 2
    assert found(alice, "cranes") == [runs[4], runs[3]]
    while claim_fill():
        fill()
    assert found(alice, "cranes") == runs[::-1]
    assert not is_filling()


def test_a_worker_that_was_lost_in_the_middle_of_it_holds_nobody_up_for_long(alice: User) -> None:
    begin_anew()
    assert claim_fill()
    SearchFill.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert claim_fill()


# what stands in no list


def test_runs_that_nobody_asked_are_found_in_no_list(alice: User, ada: User) -> None:
    for origin in (Origin.SAMPLE, Origin.EVALUATION):
        run = Run.objects.create(
            owner=None, prompt="Why do cranes dance?", messages=[], spec=a_spec().to_dict(),
            preset="quality", preset_name="Quality", origin=origin, visibility=Visibility.TEAM,
        )  # fmt: skip
        index(run.pk)
    assert found(alice, "cranes") == []
    assert len(find(ada, read_query("cranes"), count=10, as_admin=True).hits) == 2


@pytest.mark.sqlite
def test_the_words_of_sqlite_s_table_are_those_of_the_entries(alice: User) -> None:
    run = Story().whole().save(alice)
    verdict_set(run=run, person=alice, best="A", note="It names swans.", seen=WhatWasSeen())
    Story().whole().save(alice).delete()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO console_searchwords(console_searchwords, rank)"
                       " VALUES ('integrity-check', 1)")  # fmt: skip


def test_all_is_read_anew_by_a_command(alice: User) -> None:
    run = Story().whole().save(alice, prompt="Why do cranes dance?")
    SearchEntry.objects.update(prompt="", facets="")
    call_command("search_again", "--now", stdout=StringIO())
    assert found(alice, "cranes") == [run] and not is_filling()
    call_command("search_again", stdout=StringIO())
    assert is_filling()


def test_where_the_database_is_away_nothing_is_taken_for_written(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise OperationalError("the connection is gone")

    def gone(sid: str) -> None:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(entries, "_begun", lost)
    monkeypatch.setattr(connection, "savepoint_rollback", gone)
    with pytest.raises(OperationalError):
        run_start(owner=alice, prompt="Why do cranes dance?", spec=a_spec())
    connection.needs_rollback = False
    monkeypatch.undo()


# what is not there any more


def test_what_a_deleted_project_leaves_behind_is_taken_out_a_few_runs_at_a_time(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_save(by=alice, name="Reserve", context="Cranes need fens.")
    runs = [Story().whole().save(alice, prompt=f"cranes {n}") for n in range(5)]
    runs_project(runs=runs, project=project)
    for run in runs:
        run_share(run=run, visibility="project", by=alice)
    facet = project_facet(project.pk)
    with CaptureQueriesContext(connection) as asked:
        project_delete(project=project)
    assert not any("UPDATE" in one["sql"] and "searchentry" in one["sql"] for one in asked)

    def has_it() -> int:
        return SearchEntry.objects.filter(facets__contains=facet).count()

    # At once: its owner finds each by its words, and nobody by the project, or what was its team's.
    query = read_query("cranes")
    assert found(alice, "cranes") == runs[::-1] and project_named("reserve") == 0
    assert shown(find(bob, query, count=50), query, access.runs_visible_to(bob)) == []
    monkeypatch.setattr("console.search.filling.AT_ONCE", 2)
    key = claim_stale()
    assert key and claim_stale() is None, "two at once"
    assert (take_out(key), has_it()) == (2, 3)
    with monkeypatch.context() as broken:  # what cannot be written anew holds up nobody
        broken.setattr("console.search.filling.index", lambda run: None)
        assert claim_stale() == key and take_out(key) == 2
    SearchStale.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert claim_stale() == key, "who had it was lost"
    assert (take_out(key), has_it()) == (1, 2)
    assert claim_stale() is None and found(alice, "cranes") == runs[::-1]
