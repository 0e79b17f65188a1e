"""How much longer a run takes than its models: wall time / (slowest seat + analysis + synthesis).

    python3 manage.py test tests/benchmarks/test_wall_time.py -s

prints the exact figure. It is a ratio to what the upstream itself took in the same run, so
a slow machine slows both sides of it.
"""

from __future__ import annotations

import pytest

from console.models import Run
from console.worker.worker import Worker
from tests.prose import words
from tests.realtime.conftest import PATIENT, StartRun, credential, start, upstream, worker
from tests.upstream import Script, Upstream

__all__ = ["credential", "start", "upstream", "worker"]
pytestmark = pytest.mark.django_db(transaction=True)

BOUND = 1.25  # a loaded machine; the figure itself is to stay below 1.03


def took(upstream: Upstream, model: str) -> list[float]:
    return [r.ended_at - r.at for r in upstream.calls_of(model)]


def test_a_run_takes_little_longer_than_its_models(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    slow = Script(text=words(40), tokens_per_second=40)
    upstream.script("slowest", slow)
    upstream.script("quick", Script(text=words(20), tokens_per_second=40))
    upstream.script("judge", Script(text=words(40), tokens_per_second=40, judge=slow))
    run = start("slowest", "quick", "quick", policy=PATIENT)
    worker.execute(str(run.pk))
    run = Run.objects.get(pk=run.pk)
    assert run.status == "completed" and run.finished_at
    wall = (run.finished_at - run.created_at).total_seconds()
    models = took(upstream, "slowest")[0] + sum(took(upstream, "judge"))
    ratio = wall / models
    print(f"\nwall time {wall:.3f} s / models {models:.3f} s = {ratio:.4f}")  # noqa: T201
    assert ratio <= BOUND
