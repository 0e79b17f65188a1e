"""Answers from elsewhere, carried out by a real worker, and one that is lost in the middle."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.utils import timezone

from console.engine.spec import NOBODY, Panelist, Policy, Spec
from console.engine.state import Step
from console.engine.steps import prompts
from console.engine.steps.fuse import NO_JUDGE
from console.models import Credential, Run
from console.record.rows import state_from_rows
from console.services import runs as services
from console.services.brought import Brought, brought
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT
from tests.realtime.test_fuse_command import answered, fuse  # noqa: F401 - a fixture
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

TEXTS = ("It is wet. " * 40, "It is dry.")


def answers() -> list[Brought]:
    return [brought(number=n, name=f"Text {n}", text=t, by="alice") for n, t in enumerate(TEXTS)]


def start(*models: str, judge: Panelist | None = None, policy: Policy = PATIENT) -> Run:
    owner = User.objects.get_or_create(username="alice")[0]
    judge = judge or Panelist("judge", "test")
    spec = Spec(
        panel=(*(Panelist(m, "test") for m in models), *(a.panelist for a in answers())),
        judge=judge,
        prompts=prompts.load(),
        policy=policy,
        stop_after="panel" if judge == NOBODY else "",
        shuffle_seed=7,
    )
    return services.run_start(owner=owner, prompt="Water?", spec=spec, answers=answers())


def test_a_run_of_them_alone_is_completed_without_a_request(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start(judge=NOBODY)
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert (state.status, state.error) == ("completed", NO_JUDGE) and not upstream.calls
    assert [call.text for call in state.calls.values()] == [t.strip("\n") for t in TEXTS]
    run.refresh_from_db()
    assert run.cost == 0 and not run.cost_is_partial
    assert_log_equals_rows(run)


def test_with_models_and_a_judge_each_is_asked_once(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("good")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed"
    assert state.fusions[1].judged == ["panel-0-1", "panel-1-1", "panel-2-1"]
    assert len(upstream.calls_of("good")) == 1
    assert len(upstream.calls) == sum(c.sent_at is not None for c in state.calls.values())
    assert_log_equals_rows(run)


@pytest.mark.database
@pytest.mark.parametrize("how", ["shutdown", "lost"])
def test_a_worker_that_ends_in_the_middle_loses_and_repeats_nothing(
    worker: Worker, upstream: Upstream, credential: Credential, how: str
) -> None:
    run = start("hold--hold_after=1")
    before = state_from_rows(run).calls
    thread = in_background(worker, run)
    wait_for(lambda: len(upstream.calls_of("hold--hold_after=1")) == 1)
    time.sleep(0.1)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, how)
    thread.join(60)
    if how == "lost":
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now())
    assert {k: c for k, c in rows(run).calls.items() if c.is_brought} == before
    upstream.script("hold--hold_after=1", Script(text="At last."))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.attempt == 2
    assert {k: c for k, c in state.calls.items() if c.is_brought} == before
    for seat in (1, 2):
        assert len(state.calls_of(Step.PANEL, seat=seat)) == 1
    assert_log_equals_rows(run)


def test_it_is_stopped_as_any_run_is(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("hold--hold_after=1")
    thread = in_background(worker, run)
    wait_for(lambda: len(upstream.calls_of("hold--hold_after=1")) == 1)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "cancelled")
    thread.join(60)
    state = rows(run)
    assert state.status == "cancelled"
    assert [state.calls[f"panel-{n}-1"].status for n in (1, 2)] == ["completed"] * 2


# by the shell


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in (("one.md", "# It is wet"), ("two.txt", "It is dry.")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return [str(tmp_path / name) for name in ("one.md", "two.txt")]


def given(files: list[str]) -> list[str]:
    return [word for file in files for word in ("--answer", file)]


def test_the_shell_takes_files(
    answered: None,  # noqa: F811
    credential: Credential,
    upstream: Upstream,
    files: list[str],
) -> None:
    code, out, _ = fuse(*given(files), "--answers-only", "--judge", "test:judge")
    assert code == 0 and "=== A · one ===\n# It is wet" in out and "=== B · two ===" in out
    assert "=== Fused answer ===" in out and not upstream.calls_of("good")


def test_the_shell_takes_files_beside_models(
    answered: None,  # noqa: F811
    credential: Credential,
    files: list[str],
) -> None:
    panel = ("--panel", "test:good", "--judge", "test:judge")
    code, out, _ = fuse(*given(files[:1]), *panel)
    assert code == 0 and "=== A · good ===" in out and "=== B · one ===" in out


def test_the_shell_sets_them_side_by_side_where_nobody_can_judge(
    answered: None,  # noqa: F811
    db: None,
    files: list[str],
) -> None:
    Credential.objects.all().update(enabled=False)
    code, out, err = fuse(*given(files), "--answers-only")
    assert code == 0 and "=== B · two ===\nIt is dry." in out and NO_JUDGE in err


@pytest.mark.parametrize(
    ("content", "args", "sentence"),
    [
        (b"%PDF-1.7", ["--answers-only"], "is no PDF that can be read: it is broken"),
        (b"\x89PNG\0", ["--answers-only"], "is no text that can be read"),
        (b"a" * 2_000_000, ["--answers-only"], "has 2.0 MB; at most 1.6 MB are read"),
        (b" \n", ["--answers-only"], "“x” has no text"),
        (b"wet", ["--answers-only"], "One answer alone is compared with nothing"),
        (b"wet", ["--answers-only", "--panel", "test:good"], "either --panel or --answers-only"),
        (None, ["--answers-only"], "No such file or directory"),
        (None, [], "--answers-only goes with --answer FILE"),
    ],
)
def test_what_the_shell_cannot_take_is_said_in_a_sentence(
    answered: None,  # noqa: F811
    credential: Credential,
    tmp_path: Path,
    content: bytes | None,
    args: list[str],
    sentence: str,
) -> None:
    file: Any = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        fuse(*(["--answer", str(file), *args] if args else ["--answers-only"]))
    assert not Run.objects.exists()
