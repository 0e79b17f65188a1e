"""A credential's number of calls at a time, from the admin's page to the wire."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.state import CallState
from console.models import Credential
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_more_calls_are_under_way_than_an_admin_allows(
    client: Client, ada: User, worker: Worker, credential: Credential, start: StartRun
) -> None:
    client.force_login(ada)
    form = {
        "name": credential.name,
        "slug": credential.slug,
        "kind": credential.kind,
        "base_url": credential.base_url,
        "enabled": "on",
        "max_concurrent": "1",
    }
    client.post(f"/admin/console/credential/{credential.pk}/change/", form)
    run = start("good", "good", "good")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed"
    calls = sorted(state.calls.values(), key=sent)
    for before, after in zip(calls, calls[1:], strict=False):
        assert before.finished_at is not None and before.finished_at <= sent(after)
    assert_log_equals_rows(run)


def sent(call: CallState) -> float:
    assert call.sent_at is not None
    return call.sent_at
