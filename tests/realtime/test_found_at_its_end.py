"""What a worker has carried out is found by what was answered, from the moment it has ended; what
is not there any more it takes out of the search."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import User

from console.models import Credential, SearchEntry, SearchStale
from console.search import Filters, find, read_query
from console.search.facets import project_facet
from console.services.projects import project_delete, project_save, runs_project
from console.worker import upkeep
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.console.story import Story
from tests.realtime.test_brought import start
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_run_is_found_by_its_answers_once_it_has_ended(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    upstream.script("heron", Script(text="A grey heron wades in the shallow water."))
    upstream.script("judge", Script(text="So herons wade, and storks clatter."))
    run = start("heron")
    assert run.owner

    def found(words: str, state: str = "") -> bool:
        return bool(find(run.owner, read_query(words), Filters(state=state), count=5).hits)  # type: ignore[arg-type]

    assert found("water", "open") and not found("heron")
    carry_out(worker, str(run.pk))
    assert found('"grey heron"', "completed") and found("storks") and not found("", "open")


def test_a_worker_takes_out_of_the_search_what_a_deleted_project_left_there(
    worker: Worker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FILL_PAUSE", 0)
    monkeypatch.setattr("console.search.filling.AT_ONCE", 2)
    project = project_save(by=alice, name="Reserve", context="Cranes need fens.")
    facet = project_facet(project.pk)
    runs = [Story().whole().save(alice, prompt=f"cranes {n}") for n in range(3)]
    runs_project(runs=runs, project=project)
    project_delete(project=project)
    assert SearchEntry.objects.filter(facets__contains=facet).count() == 3
    work = upkeep.Upkeep(worker)._fill_search()
    asyncio.run_coroutine_threadsafe(work, worker.loop).result(60)
    assert not SearchEntry.objects.filter(facets__contains=facet).exists()
    assert not SearchStale.objects.exists()
    assert len(find(alice, read_query("cranes"), count=5).hits) == 3
