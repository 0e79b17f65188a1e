"""A reader rules, and a real worker carries it out: one call, whatever happens to the worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.engine.errors import Reason
from console.engine.spec import HEEDS_WISHES
from console.models import Run
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.fusions import run_fuse
from console.services.rulings import ReaderWish, Ruled
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

RULED = ReaderWish(
    rulings=[Ruled("contradictions-1", "none", "Both have it wrong.")],
    facts=["The lake is heated."],
)


def carried_out(worker: Worker, run: Run) -> Run:
    carry_out(worker, str(run.pk))
    return Run.objects.get(pk=run.pk)


@pytest.fixture
def finished(worker: Worker, upstream: Upstream, start: StartRun) -> Run:
    upstream.script("a", Script(text="Paris"))
    upstream.script("b", Script(text="Paris."))
    upstream.script("c", Script(text="Lyon"))
    return carried_out(worker, start("a", "b", "c", judge="judge", synthesizer="pen"))


def since(upstream: Upstream, made: int) -> list[Any]:
    return upstream.calls[made:]


def test_one_call_is_made_and_it_carries_the_reader_s_words(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    made = len(upstream.calls)
    upstream.script("pen", Script(text="Neither.[^you] And warm.[^A,you]"))
    run_fuse(run=finished, wish=RULED)
    run = carried_out(worker, finished)
    (call,) = since(upstream, made)
    assert call.model == "pen" and "The lake is heated." in call.body["messages"][-1]["content"]
    assert "none of these positions is right" in call.body["messages"][-1]["content"]
    first, second = run.fusions.all()
    assert run.status == "completed" and second.text == "Neither. And warm."
    assert second.analysis == first.analysis and second.wish["rulings"]
    told = run_object(run, run.frozen_spec, state_from_rows(run)).fusions[1]
    assert told.wish and told.wish.facts == ["The lake is heated."]
    assert told.answer == second.text


@pytest.mark.parametrize(("way", "answer"), [("best", "Paris"), ("vote", "**Paris** (2 of 3")])
def test_what_needs_nobody_asks_nobody(
    worker: Worker, upstream: Upstream, finished: Run, way: str, answer: str
) -> None:
    made = len(upstream.calls)
    run_fuse(run=finished, wish=ReaderWish(way=way))
    run = carried_out(worker, finished)
    assert since(upstream, made) == [] and run.status == "completed" and not run.error
    assert run.fusions.get(number=2).text.startswith(answer)
    assert bool(run.fusions.get(number=2).best) is (way == "best")


@pytest.mark.database
def test_a_worker_killed_in_between_buys_nothing_twice(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    run_fuse(run=finished, wish=RULED)
    past = timezone.now() - timedelta(seconds=60)
    made = len(upstream.calls)
    # Lost after it took the run and before it asked anybody.
    Run.objects.filter(pk=finished.pk).update(status="running", attempt=2, lease_until=past)
    finished.fusions.filter(number=2).update(status="running")
    run = carried_out(worker, finished)
    assert [call.model for call in since(upstream, made)] == ["pen"]
    assert run.status == "completed" and run.calls.filter(fusion__number=2).count() == 1
    # And once more, as if the end had not been saved.
    Run.objects.filter(pk=run.pk).update(status="running", lease_until=past)
    run.fusions.filter(number=2).update(status="running")
    carried_out(worker, run)
    assert [call.model for call in since(upstream, made)] == ["pen"]


def test_a_worker_that_does_not_know_of_wishes_leaves_it_in_the_queue(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    fusion = run_fuse(run=finished, wish=RULED)
    made = len(upstream.calls)
    newer = fusion.synthesizer | {"v": HEEDS_WISHES["v"] + 1}
    finished.fusions.filter(number=2).update(synthesizer=newer)
    run = carried_out(worker, finished)
    assert (run.status, run.reason) == ("queued", Reason.NEEDS_NEWER_VERSION)
    assert since(upstream, made) == []
    finished.fusions.filter(number=2).update(synthesizer=fusion.synthesizer)
    Run.objects.filter(pk=run.pk).update(rung_at=None)
    assert carried_out(worker, run).status == "completed"
