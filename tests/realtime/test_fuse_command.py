"""`manage.py fuse`: what it prints, how it ends, and what it says when nobody answers."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from console.models import Credential, Run
from console.services import runs as services
from console.services.projects import project_save
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.test_run_way import wait_for
from tests.stack import PATIENCE
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answered(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every ring is heard by the worker, and what it leads to has ended before the worker does."""
    heard: list[threading.Thread] = []

    def ring(run_id: Any) -> bool:
        heard.append(threading.Thread(target=carry_out, args=[worker, str(run_id)], daemon=True))
        heard[-1].start()
        return True

    monkeypatch.setattr(services, "ring", ring)
    yield
    for thread in heard:
        thread.join(PATIENCE)


def fuse(*args: str, err: io.StringIO | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), err or io.StringIO()
    code: Any = 0
    try:
        call_command("fuse", "What is the answer?", *args, stdout=out, stderr=err)
    except SystemExit as end:
        code = end.code
    return int(code), out.getvalue(), err.getvalue()


def test_one_object_says_everything(
    answered: None, credential: Credential, upstream: Upstream
) -> None:
    code, out, _ = fuse("--panel", "test:good,test:fault-401", "--judge", "test:judge", "--json")
    said = json.loads(out)
    assert code == 0, said
    assert said["id"] == str(Run.objects.get().pk) and said["status"] == "completed"
    good, bad = said["answers"]
    assert set(good) == {"seat", "model", "text", "finish_reason", "error"}
    assert (good["seat"], good["model"], good["finish_reason"], good["error"]) == (
        0,
        "good",
        "stop",
        None,
    )
    assert good["text"] and bad["error"]["reason"] == "unauthorized"
    assert said["fused_answer"] and said["usage"]["input_tokens"] and said["cost"] is None
    assert "analysis" in said
    # The object that the API tells, too.
    assert said["answer"] == said["fused_answer"] and said["stands_in"] is False
    assert {call["step"] for call in said["calls"]} == {"panel", "synthesis"}
    assert said["panel"] == ["good", "fault-401"] and said["fusions"][0]["judged"] == ["panel-0-1"]


def test_a_policy_without_a_value_is_refused_before_anything_is_asked(
    answered: None, credential: Credential
) -> None:
    for policy in ("quorum", "quorum=1,grace="):
        with pytest.raises(CommandError, match="has no value"):
            fuse("--panel", "test:good", "--policy", policy)
    assert not Run.objects.exists()


def test_what_its_calls_may_cost_is_kept_and_told(
    answered: None, credential: Credential, upstream: Upstream, settings: Any
) -> None:
    settings.WORST_PRICE = [Decimal(1), Decimal(10)]
    asked = ("--panel", "test:good", "--judge", "test:judge")
    for wrong in ("much", "-1", "NaN", "1e9"):
        with pytest.raises(CommandError, match="--max-cost is an amount in US dollars"):
            fuse(*asked, "--max-cost", wrong)
    assert not Run.objects.exists()
    code, out, err = fuse(*asked, "--max-cost", "0.0001")
    assert code == 3 and "This run's budget of $0.0001 does not pay for this call" in out + err
    assert not upstream.calls
    code, out, err = fuse(*asked, "--max-cost", "2")
    assert code == 0, out + err


def test_where_a_budget_pays_for_no_fused_answer_the_best_one_is_printed_and_the_end_tells(
    answered: None, credential: Credential, upstream: Upstream, settings: Any
) -> None:
    settings.WORST_PRICE = [Decimal(1), Decimal(10)]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 3}
    upstream.script("dear", Script(text="It is 42.", usage=usage))
    asked = ("--panel", "test:good,test:dear", "--judge", "test:judge", "--max-cost", "2")
    code, out, err = fuse(*asked)
    assert code == 3 and "=== Best single answer ===" in out and "It is 42." in out
    assert "This run's budget of $2 does not pay" in err and "can let it go on for more." in err
    said = json.loads(fuse(*asked, "--json")[1])
    assert (said["status"], said["error_code"]) == ("completed", "budget_exceeded")
    assert said["stands_in"] and said["answer"]
    assert not upstream.calls_of("judge")


def test_what_is_asked_of_data_is_kept_or_refused_before_anything_is_saved(
    answered: None, credential: Credential, upstream: Upstream
) -> None:
    panel = ("--panel", "test:good,test:echo", "--judge", "test:judge")
    code, out, _ = fuse(*panel, "--only-local", "--zero-retention", "--json")
    assert code == 0, out
    assert Run.objects.get().frozen_spec.terms.words == ["only on this machine", "zero retention"]
    asked = len(upstream.calls)
    Credential.objects.filter(pk=credential.pk).update(own_machine=False)
    for options, words in (
        (["--only-local"], "only on this machine"),
        (["--no-training"], "no training"),
        (["--only-providers", "azure, Groq"], "only azure, groq"),
    ):
        with pytest.raises(CommandError, match=f"Seat A .good. is asked at Test.*{words}"):
            fuse(*panel, *options)
    assert len(upstream.calls) == asked and Run.objects.count() == 1


def test_a_failed_run_exits_with_one(answered: None, credential: Credential) -> None:
    code, out, _ = fuse("--panel", "test:fault-401", "--judge", "test:judge", "--json")
    said = json.loads(out)
    assert (code, said["status"], said["fused_answer"]) == (1, "failed", None)


def test_a_stack_that_is_not_running_is_said_before_anything_is_saved(
    credential: Credential, settings: Any
) -> None:
    settings.REDIS_URL = ""
    with pytest.raises(CommandError, match=r"manage\.py up"):
        fuse("--panel", "test:good")
    assert not Run.objects.exists()


def test_without_a_worker_it_says_what_it_waits_for_and_ctrl_c_stops_the_run(
    worker: Worker, credential: Credential, ordinary_signals: None
) -> None:
    said = io.StringIO()

    def loses_patience() -> None:
        wait_for(lambda: "Waiting for a worker" in said.getvalue())
        os.kill(os.getpid(), signal.SIGINT)

    reader = threading.Thread(target=loses_patience, daemon=True)
    reader.start()
    code, _, err = fuse("--panel", "test:good", err=said)
    reader.join()
    assert code == 130
    assert "Stopped" in err
    assert Run.objects.get().status == "cancelled"


@pytest.mark.database
def test_a_run_that_is_deleted_meanwhile_ends_in_one_sentence(
    worker: Worker, credential: Credential
) -> None:
    def delete() -> None:
        wait_for(Run.objects.exists)
        Run.objects.all().delete()

    thread = threading.Thread(target=worker._db.submit, args=[delete])
    thread.start()
    with pytest.raises(CommandError, match="was deleted"):
        fuse("--panel", "test:good")
    thread.join()


@pytest.mark.parametrize("name", ["test:a\0b", "test:a\udcff", "test:" + "x" * 300, "test:a\nb"])
def test_a_name_no_database_or_server_takes_is_refused(credential: Credential, name: str) -> None:
    from console.services.build_spec import build
    from console.services.errors import Refused
    from console.services.wish import Wish

    with pytest.raises(Refused, match="name is one line"):
        build(Wish(panel=[name], judge="test:judge"))


def test_a_question_goes_into_a_project(
    answered: None, credential: Credential, upstream: Upstream
) -> None:
    who = User.objects.create_user("alice")
    project = project_save(by=who, name="Billing", context="We bill 40,000 customers.")
    panel = ("--panel", "test:good", "--judge", "test:judge")
    assert fuse(*panel, "--project", "billing")[0] == 0
    assert Run.objects.get().project == project
    assert "40,000" in str(upstream.calls_of("good")[0].body)
    with pytest.raises(CommandError, match="There is no project “biling”. .*billing"):
        fuse(*panel, "--project", "biling")
