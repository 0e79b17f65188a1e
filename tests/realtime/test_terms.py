"""What a server promised when a run was started is looked at again before each call goes out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.engine.terms import Terms
from console.models import Credential, Run
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, rows
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)

PRIVATE = Terms(zero_retention=True, only_local=True)


def on_terms(run: Run, terms: Terms) -> Run:
    run.spec = replace(run.frozen_spec, terms=terms).to_dict()
    run.save(update_fields=["spec"])
    return run


@pytest.mark.parametrize(("own", "is_asked"), [(None, True), (True, True), (False, False)])
def test_a_server_that_promises_it_no_longer_is_sent_nothing(
    worker: Worker,
    credential: Credential,
    upstream: Upstream,
    start: StartRun,
    own: bool | None,
    is_asked: bool,
) -> None:
    run = on_terms(start("good", "echo"), PRIVATE)
    Credential.objects.filter(pk=credential.pk).update(own_machine=own)
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert bool(upstream.calls) is is_asked
    assert state.status == ("completed" if is_asked else "failed")
    if not is_asked:
        for call in state.calls.values():
            assert call.reason == "configuration" and call.sent_at is None
            assert call.error == "Test does not promise: only on this machine, zero retention."
    assert_log_equals_rows(run)
