"""A conversation in parts, from the run to its follow-up and their pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.models import Run
from console.record.asked import asked
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.follow import run_follow
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = [{"type": "text", "text": "Is it wet?"}, {"type": "text", "text": "And is it cold?"}]
TEXT = "Is it wet?\nAnd is it cold?"


def carried_out(worker: Worker, run: Run) -> Run:
    carry_out(worker, str(run.pk))
    return Run.objects.get(pk=run.pk)


def page_of(run: Run) -> str:
    assert run.owner
    client = Client()
    client.force_login(run.owner)
    answer = client.get(f"/fusion/runs/{run.pk}")
    assert answer.status_code == 200
    return answer.content.decode()


def started(start: StartRun, content: Any) -> Run:
    return start("a", "b", prompt=TEXT, messages=[{"role": "user", "content": content}])


@pytest.mark.parametrize("source", ["fused", "seat-1", "own"])
@pytest.mark.parametrize("content", [TEXT, PARTS])
def test_a_conversation_in_parts_is_asked_judged_followed_and_shown_like_text(
    worker: Worker, upstream: Upstream, start: StartRun, content: Any, source: str
) -> None:
    upstream.script("a", Script(text="Wet."))
    upstream.script("b", Script(text="Cold."))
    upstream.script("judge", Script(text="Wet and cold."))
    run = carried_out(worker, started(start, content))
    assert run.status == "completed" and run.messages == [{"role": "user", "content": content}]
    then = run_follow(run=run, owner=run.owner, prompt="Since when?", follows_from=source)
    assert asked(then).messages[0]["content"] == content
    then = carried_out(worker, then)
    assert then.status == "completed"
    for call in upstream.calls_of("b"):
        assert call.body["messages"][0]["content"] == TEXT
    followed = [m["content"] for m in upstream.calls_of("b")[-1].body["messages"]]
    said = "Wet and cold." if source == "fused" else "Cold."
    assert followed == [TEXT, said, "Since when?"]
    first, second = (c.body["messages"][-1]["content"] for c in written(upstream))
    assert f" PROMPT ===\n{TEXT}\n===" in first
    assert f" PROMPT ===\n[user]\n{TEXT}\n\n[assistant]\n" in second
    told = str(run_object(run, run.frozen_spec, state_from_rows(run)))
    for shown in (page_of(run), page_of(then), told):
        assert "{'type'" not in shown and "&#x27;type&#x27;" not in shown
    assert TEXT in page_of(run) and "Wet and cold." in page_of(then)


def written(upstream: Upstream) -> list[Any]:
    """What the synthesizer was asked."""
    return [c for c in upstream.calls_of("judge") if not c.wants_json]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"type": "source", "number": 1}, "“source”, which cannot be sent to this provider"),
        ({"type": "video", "hash": "9f2b"}, "“video” in a form that is not known here"),
    ],
)
def test_a_part_that_cannot_be_sent_fails_the_run_in_words_and_nothing_goes_out(
    worker: Worker, upstream: Upstream, start: StartRun, part: Any, told: str
) -> None:
    run = carried_out(worker, started(start, [*PARTS, part]))
    assert run.status == "failed" and upstream.requests == []
    assert {c.reason for c in run.calls.all()} == {"bad_request"}
    assert told in page_of(run)
