"""A question is asked again, and of its panel only who is new: what is there is taken over."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from console.fragments.receipt import receipt
from console.fragments.seats import columns
from console.models import Credential, Preset, Run
from console.money.receipt import receipt_of
from console.record.rows import state_from_rows
from console.services import runs as services
from console.services.ask_again import run_ask_again
from console.services.presets import preset_spec
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.test_run_way import assert_log_equals_rows, rows
from tests.upstream import Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def preset(credential: Credential) -> Preset:
    made = Preset.objects.create(
        slug="house", name="House", judge_model="judge", judge_credential=credential
    )
    for seat, model in enumerate(("good", "echo")):
        made.panelists.create(seat=seat, credential=credential, model=model)
    return made


def asked(worker: Worker, preset: Preset) -> Run:
    owner = User.objects.create(username="alice")
    run = services.run_start(owner=owner, prompt="Water?", spec=preset_spec(preset))
    carry_out(worker, str(run.pk))
    run.refresh_from_db()
    return run


def test_only_what_is_missing_is_paid_for(
    worker: Worker, upstream: Upstream, preset: Preset
) -> None:
    run = asked(worker, preset)
    assert run.owner
    preset.panelists.filter(seat=1).update(model="writer")
    preset.panelists.create(seat=2, credential=preset.judge_credential, model="good")
    again = run_ask_again(run=run, owner=run.owner, reuses=True)
    carry_out(worker, str(again.pk))
    state = rows(again)
    assert state.status == "completed"
    # The third seat is asked: there is one answer of that model, and it has been taken.
    assert [len(upstream.calls_of(m)) for m in ("good", "writer", "echo")] == [2, 1, 1]
    taken = state.calls["panel-0-1"]
    paid = state_from_rows(run).calls["panel-0-1"]
    assert (taken.text, taken.cause, taken.cost, taken.sent_at) == (paid.text, "taken", 0, None)
    assert taken.taken_from == f"{run.pk}/panel-0-1"
    assert state.fusions[1].judged == ["panel-0-1", "panel-1-1", "panel-2-1"]
    line = receipt(again.frozen_spec, state, columns(again.frozen_spec, state)).lines[0]
    assert (line.cost, line.taken_from) == ("$0", str(run.pk))
    assert receipt_of(again, state)[0].taken_from == taken.taken_from
    assert_log_equals_rows(again)
    # Taken over once more, it still names the call that was paid for.
    again.refresh_from_db()
    third = run_ask_again(run=again, owner=run.owner, reuses=True)
    assert third.calls.get(key="panel-0-1").taken_from == taken.taken_from


def test_another_option_is_another_answer(
    worker: Worker, upstream: Upstream, preset: Preset
) -> None:
    run = asked(worker, preset)
    assert run.owner
    preset.panelists.filter(seat=0).update(temperature=0.2)
    again = run_ask_again(run=run, owner=run.owner, reuses=True)
    assert [call.key for call in again.calls.all()] == ["panel-1-1"]
    assert not run_ask_again(run=run, owner=run.owner).calls.exists()
