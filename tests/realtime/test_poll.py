"""The poll from the button to the tally: one call for each panelist, on record, once."""

from __future__ import annotations

import pytest
from django.test import Client

from console.models import Run
from console.record.rows import state_from_rows
from console.services import fusions
from console.services.errors import Refused
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def finished(worker: Worker, upstream: Upstream, start: StartRun) -> Run:
    run = start("good", "echo", "fault-401", judge="writes")
    carry_out(worker, str(run.pk))
    return Run.objects.get(pk=run.pk)


def ballot(text: str, cost: float | None = None) -> Script:
    """What a panelist says when it is asked for its preference."""
    return Script(judge=Script(text=text, cost=cost))


def posted(run: Run, number: int = 1) -> int:
    client = Client()
    assert run.owner
    client.force_login(run.owner)
    return client.post(f"/fusion/runs/{run.pk}/fusions/{number}/poll").status_code


def page(run: Run) -> str:
    client = Client()
    assert run.owner
    client.force_login(run.owner)
    return client.get(f"/fusion/runs/{run.pk}").content.decode()


def test_each_panelist_that_was_compared_is_asked_once_and_the_tally_stands_on_the_run(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    assert "Ask the panel which is better" in page(finished)
    before, cost = list(finished.fusions.values("text", "analysis")), finished.cost
    upstream.script("good", ballot('{"better": "equal"}', cost=0.25))
    upstream.script("echo", ballot("The first, I think."))
    made = len(upstream.calls)
    assert posted(finished) == 302
    carry_out(worker, str(finished.pk))
    run = Run.objects.get(pk=finished.pk)
    assert run.status == "completed"
    assert sorted(r.model for r in upstream.calls[made:]) == ["echo", "good"]
    assert list(run.fusions.values("text", "analysis")) == before
    votes = {v["seat"]: v["vote"] for v in run.fusions.get().poll}
    assert votes == {0: "equal", 1: "unparsed"}
    assert run.calls.filter(step="poll", sent_at__isnull=False).count() == 2
    assert (
        run.cost is not None
        and run.cost - (cost or 0) == state_from_rows(run).calls["poll-f1-s0-1"].cost
    )
    said = page(run)
    assert "1 neither" in said and "1 could not be read" in said
    assert "Ask the panel" not in said
    with pytest.raises(Refused, match="Every seat"):
        fusions.run_poll(run=run, fusion=1)


def test_who_could_not_be_asked_may_be_asked_again_alone(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    upstream.script("good", ballot('{"better": "1"}'))
    upstream.script("echo", Script(status=401))
    posted(finished)
    carry_out(worker, str(finished.pk))
    run = Run.objects.get(pk=finished.pk)
    assert len(run.fusions.get().poll) == 1 and "no vote." in page(run)
    upstream.script("echo", ballot('{"better": "2"}'))
    made = len(upstream.calls)
    assert posted(run) == 302
    carry_out(worker, str(run.pk))
    assert [r.model for r in upstream.calls[made:]] == ["echo"]
    assert len(Run.objects.get(pk=run.pk).fusions.get().poll) == 2


def test_a_poll_is_refused_where_there_is_nothing_to_ask_about(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    assert posted(finished, number=9) == 422
    fusions.run_fuse(run=finished)
    running = Run.objects.get(pk=finished.pk)
    assert posted(running) == 422
    assert not finished.calls.filter(step="poll").exists()
