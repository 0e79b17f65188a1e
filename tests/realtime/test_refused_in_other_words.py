"""What a refusal means decides what follows it, whatever its status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.engine.spec import Spec
from console.models import Run
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


def with_fallback(run: Run, model: str) -> Run:
    """For its first seat."""
    spec = Spec.from_dict(run.spec)
    first = replace(spec.panel[0], fallback=replace(spec.panel[0], model=model))
    run.spec = replace(spec, panel=(first, *spec.panel[1:])).to_dict()
    run.save(update_fields=["spec"])
    return run


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (400, "The model `old` has been decommissioned.", "invalid_model"),
        (400, "API key not valid. Please pass a valid API key.", "unauthorized"),
        (429, "Your prepayment credits are depleted.", "insufficient_credits"),
        (403, "Your account balance is insufficient", "insufficient_credits"),
    ],
)
def test_what_would_be_refused_again_is_asked_once_and_its_fallback_answers(
    worker: Worker, start: StartRun, upstream: Upstream, status: int, message: str, reason: str
) -> None:
    upstream.script("old", Script(status=status, error_message=message))
    run = with_fallback(start("old", "good"), "good-too")
    carry_out(worker, str(run.pk))
    calls = run.calls.filter(seat=0).order_by("number")
    rows = [(call.cause, call.status, call.reason) for call in calls]
    assert rows == [("first", "failed", reason), ("fallback", "completed", "")]
    assert len(upstream.calls_of("old")) == 1
