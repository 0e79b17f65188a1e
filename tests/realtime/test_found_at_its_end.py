"""What a worker has carried out is found by what was answered, from the moment it has ended."""

from __future__ import annotations

import pytest

from console.models import Credential
from console.search import Filters, find, read_query
from console.worker.worker import Worker
from tests.carrying_out import carry_out
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
