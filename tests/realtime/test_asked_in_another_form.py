"""What a model does not take, it is asked without: seats, judge and synthesizer alike, each
call on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from console.engine.spec import Policy, Spec
from console.models import ModelTrait, Run
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import FAST, StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


def no(message: str) -> Script:
    return Script(status=400, error_message=message)


def without_a_system(body: dict[str, Any]) -> Script:
    refused = any(message["role"] == "system" for message in body["messages"])
    error = {"object": "error", "message": "System role not supported", "code": 400}
    return Script(status=400, body=json.dumps(error)) if refused else Script(text="Fine.")


def without_a_schema(body: dict[str, Any]) -> Script:
    if "response_format" in body:
        return no("The provided JSON schema contains features not supported by xgrammar.")
    return Script(text="Fine.")


def without_a_stream(body: dict[str, Any]) -> Script:
    if body["stream"]:
        return no("Unsupported value: 'stream' does not support true with this model.")
    return Script(text="Fine.")


def of_4096_tokens(body: dict[str, Any]) -> Script:
    if body.get("max_tokens", 0) > 4096:
        return no("max_tokens is too large: 8000. This model supports at most 4096 tokens.")
    return Script(text="Fine.")


def run_of(start: StartRun, *models: str, policy: Policy = FAST, **more: str) -> Run:
    """With instructions for its seats and a bound on their answers."""
    run = start(*models, policy=policy, **more)
    spec = Spec.from_dict(run.spec)
    panel = [replace(p, system_prompt="Be brief.", max_output_tokens=8000) for p in spec.panel]
    run.spec = replace(spec, panel=tuple(panel)).to_dict()
    run.save(update_fields=["spec"])
    return run


def causes(run: Run, **place: Any) -> list[str]:
    return list(run.calls.filter(**place).order_by("number").values_list("cause", flat=True))


@pytest.mark.parametrize("script", [without_a_system, without_a_stream, of_4096_tokens])
def test_a_seat(
    worker: Worker, start: StartRun, upstream: Upstream, script: Callable[..., Script]
) -> None:
    upstream.script("picky", script)
    run = run_of(start, "picky", "good")
    carry_out(worker, str(run.pk))
    call = run.calls.filter(seat=0).latest("number")
    assert (call.status, call.text) == ("completed", "Fine.")
    assert causes(run, seat=0, step="panel") == ["first", "adapt"]
    again = run_of(start, "picky", "good")
    carry_out(worker, str(again.pk))
    assert causes(again, seat=0, step="panel") == ["first"]
    assert ModelTrait.objects.filter(model="picky").count() == 1


@pytest.mark.parametrize(
    "script", [without_a_system, without_a_schema, without_a_stream], ids=lambda s: s.__name__
)
def test_judge_and_synthesizer(
    worker: Worker, start: StartRun, upstream: Upstream, script: Callable[..., Script]
) -> None:
    upstream.script("picky", script)
    run = run_of(start, "good", "good", judge="picky", synthesizer="picky")
    carry_out(worker, str(run.pk))
    run.refresh_from_db()
    assert run.status == "completed"
    assert causes(run, step="analysis")[:2] == ["first", "adapt"]
    synthesis = run.calls.filter(step="synthesis")
    assert [call.text for call in synthesis if call.status == "completed"] == ["Fine."]
    assert causes(run, step="synthesis") == ["first"], "the judge's call has shown it"


def test_an_answer_that_comes_at_once_has_the_whole_time(
    worker: Worker, start: StartRun, upstream: Upstream
) -> None:
    """Nothing is heard of it until it is whole."""

    def slow(body: dict[str, Any]) -> Script:
        return replace(without_a_stream(body), delay=0 if body["stream"] else 1.5)

    upstream.script("picky", slow)
    hasty = Policy(first_token_timeout=0.5, stall_timeout=0.3, total_timeout=20)
    run = run_of(start, "picky", "good", policy=hasty)
    carry_out(worker, str(run.pk))
    assert run.calls.filter(seat=0).latest("number").text == "Fine."
