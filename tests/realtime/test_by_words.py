"""A run whose judge is too small to judge, carried out by a real worker: nobody is asked but the
panel, log and rows say the same, and it is fused again and followed like any other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.engine.findings.given import fused_answer
from console.engine.state import Step
from console.models import Run
from console.record.asked import asked
from console.services import fusions
from console.services.follow import run_follow
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, rows
from tests.upstream import Script, Upstream

CANBERRA = "The capital of Australia is Canberra."
SYDNEY = "The capital of Australia is Sydney."


@pytest.fixture
def by_words(worker: Worker, upstream: Upstream, start: StartRun) -> Run:
    upstream.script("a", Script(text=CANBERRA))
    upstream.script("b", Script(text=SYDNEY))
    upstream.script("c", Script(text=CANBERRA))
    run = start("a", "b", "c", judge="tiny:0.1b")
    spec = run.frozen_spec
    spec = replace(spec, judge=replace(spec.judge, judges=False))
    Run.objects.filter(pk=run.pk).update(spec=spec.to_dict())
    carry_out(worker, str(run.pk))
    run.refresh_from_db()
    return run


def test_nobody_is_asked_but_the_panel(upstream: Upstream, by_words: Run) -> None:
    state = rows(by_words)
    assert state.status == "completed" and fused_answer(state) == CANBERRA
    assert state.fusions[1].analysis_by == "words"
    assert upstream.calls_of("tiny:0.1b") == []
    assert by_words.fusions.get().text == CANBERRA
    assert not by_words.calls.exclude(step=Step.PANEL).exclude(sent_at=None).exists()
    assert_log_equals_rows(by_words)


def test_it_is_fused_again_by_words_and_by_another_judge(
    worker: Worker, upstream: Upstream, by_words: Run
) -> None:
    fusions.run_fuse(run=by_words, seats=[0, 1])
    carry_out(worker, str(by_words.pk))
    fusions.run_fuse(run=by_words, judge="test:judge")
    carry_out(worker, str(by_words.pk))
    state = rows(by_words)
    assert [f.analysis_by for f in state.fusions.values()] == ["words", "words", ""]
    assert upstream.calls_of("tiny:0.1b") == [] and len(upstream.calls_of("judge")) == 2
    assert_log_equals_rows(by_words)


def test_it_is_followed_from_what_was_put_together(by_words: Run) -> None:
    following = run_follow(run=by_words, owner=by_words.owner, prompt="And its river?")
    assert [m["content"] for m in asked(following).messages][1:] == [CANBERRA, "And its river?"]
