"""Whose run is next: nobody waits longer than for a place because another asked a hundred."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.api.runs.object import run_reply
from console.engine.errors import Reason
from console.engine.state import RunStatus
from console.live.watch import _note
from console.models import ApiToken, Run
from console.models.runs import Origin
from console.models.tokens import Scope
from console.record.turns import next_of, note_place, whose_turn
from console.worker import worker as working
from console.worker.leases import claim_next
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.console.story import a_spec
from tests.realtime.conftest import StartRun

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

Make = Callable[..., Run]


@pytest.fixture
def make(db: None) -> Make:
    """make("alice", n) is the run that alice asked in second n; "" is nobody."""

    def make(name: str, second: int = 0, status: str = "queued", **more: Any) -> Run:
        owner = User.objects.get_or_create(username=name)[0] if name else None
        more = {"spec": a_spec().to_dict(), "messages": [], "prompt": "What?"} | more
        run = Run.objects.create(owner=owner, status=status, **more)
        at = timezone.now() + timedelta(seconds=second - 1000)
        Run.objects.filter(pk=run.pk).update(created_at=at)
        if status == "running":
            going_on(run)
        run.refresh_from_db()
        return run

    return make


def going_on(run: Run) -> None:
    until = timezone.now() + timedelta(seconds=60)
    Run.objects.filter(pk=run.pk).update(status="running", lease_until=until, attempt=1)


# Who has runs going on, and those that wait (whose, asked when, what more) in the order in which
# they are taken.
PAGE, API, SHELL = ({"origin": o} for o in (Origin.PAGE, Origin.API, Origin.SHELL))
EVALUATION = {"origin": Origin.EVALUATION}
ORDERS: dict[str, tuple[list[str], list[tuple[str, int, dict[str, Any]]]]] = {
    "the oldest first": ([], [("alice", 1, {}), ("alice", 2, {}), ("alice", 3, {})]),
    "everybody in turn": (
        [],
        [("alice", 1, {}), ("bob", 9, {}), ("alice", 2, {}), ("bob", 10, {}), ("alice", 3, {})],
    ),
    "who has fewer going on first": (
        ["alice"],
        [("bob", 9, {}), ("alice", 1, {}), ("bob", 10, {})],
    ),
    "who has many going on waits for who has some": (
        ["alice", "alice", "alice", "bob"],
        [("bob", 9, {}), ("bob", 10, {}), ("alice", 1, {}), ("bob", 11, {}), ("alice", 2, {})],
    ),
    "whom nobody knows is one, too": (["", ""], [("bob", 9, {}), ("bob", 10, {}), ("", 1, {})]),
    "a person's own pages before their programs": (
        [],
        [("alice", 8, PAGE), ("alice", 1, API), ("alice", 2, SHELL), ("alice", 0, EVALUATION)],
    ),
    "of two with as many, pages before programs before an evaluation": (
        [],
        [("carol", 9, PAGE), ("bob", 2, API), ("", 1, EVALUATION), ("carol", 3, API)],
    ),
    "another's program before a page of who has one going on": (
        ["alice"],
        [("bob", 9, API), ("alice", 1, PAGE)],
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_places_are_given(make: Make, name: str) -> None:
    owners, order = ORDERS[name]
    for owner in owners:
        make(owner, 0, "running")
    runs = [make(owner, second, **more) for owner, second, more in order]
    for run in runs:
        note_place(run)
    assert [run.queue_place for run in runs] == [n + 1 for n in range(len(runs))]
    for run in runs:
        assert whose_turn() == run.pk
        going_on(run)
    assert whose_turn() is None


@pytest.mark.parametrize(
    "more",
    [
        {"status": "completed"},
        {"cancel_requested_at": timezone.now()},
        {"reason": Reason.NEEDS_NEWER_VERSION, "rung_at": timezone.now() + timedelta(hours=1)},
    ],
)
def test_what_does_not_wait_has_no_turn(make: Make, more: dict[str, Any]) -> None:
    Run.objects.filter(pk=make("alice").pk).update(**more)
    assert whose_turn() is None


def test_a_person_with_as_many_going_on_as_may_be_waits_for_their_own(
    make: Make, settings: Any
) -> None:
    settings.RUNS_PER_PERSON = 2
    first, _ = make("alice", 0, "running"), make("alice", 1, "running")
    waits = make("alice", 2)
    assert whose_turn() is None and next_of(waits.owner_id) is None
    note_place(waits)
    assert waits.queue_place == 1
    assert whose_turn() is None
    theirs = make("bob", 3)
    assert whose_turn() == theirs.pk
    Run.objects.filter(pk=first.pk).update(status="completed")
    assert next_of(waits.owner_id) == waits.pk, "it is rung for when one of the others ends"
    settings.RUNS_PER_PERSON = 0
    assert next_of(waits.owner_id) is None, "nobody is held back"


def test_with_all_places_taken_anothers_run_takes_the_first_that_becomes_free(
    worker: Worker, start: StartRun
) -> None:
    """Whatever run the ring was for: it says that somebody waits."""
    hundred = [start("good") for _ in range(5)]
    for run in hundred[:3]:
        going_on(run)
    theirs = start("good", owner=User.objects.create_user("bob"))
    carry_out(worker, str(hundred[3].pk))
    assert Run.objects.get(pk=theirs.pk).status == RunStatus.COMPLETED
    assert Run.objects.get(pk=hundred[3].pk).status == RunStatus.QUEUED
    carry_out(worker, str(theirs.pk))
    assert Run.objects.get(pk=hundred[3].pk).status == RunStatus.COMPLETED, "and so is its ring"


def test_the_end_of_a_run_rings_for_who_waited_for_nothing_else(
    worker: Worker, start: StartRun, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUNS_PER_PERSON = 1
    rung: list[Any] = []
    monkeypatch.setattr(working, "ring", rung.append)
    first, second = start("good"), start("good")
    carry_out(worker, str(first.pk))
    assert rung == [second.pk]
    carry_out(worker, str(second.pk))
    assert rung == [second.pk]


def test_a_run_that_lost_its_holder_is_taken_by_its_own_ring(make: Make) -> None:
    lost, waits = make("alice", 0, "running"), make("bob", 1)
    Run.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    claimed = claim_next(str(lost.pk), ())
    assert claimed and claimed[0].pk == lost.pk
    claimed = claim_next(str(lost.pk), ())
    assert claimed and claimed[0].pk == waits.pk, "a ring too many is another's"
    assert claim_next(str(lost.pk), ()) is None


def test_where_nobody_rang_what_was_lost_first_and_is_not_held_goes_first(make: Make) -> None:
    lost = [make("alice", n, "running") for n in range(4)]
    for n, run in enumerate(lost):
        until = timezone.now() - timedelta(seconds=10 - n)
        Run.objects.filter(pk=run.pk).update(lease_until=until)
    with CaptureQueriesContext(connection) as asked:
        claimed = claim_next("", {str(lost[0].pk)})
    assert claimed and claimed[0].pk == lost[1].pk
    assert "LIMIT 2" in asked[0]["sql"], "one more than are held"


def test_what_cannot_be_carried_out_costs_nobody_a_ring(make: Make) -> None:
    unreadable = make("alice", 0, spec={})
    too_new = make("alice", 1, spec=a_spec().to_dict() | {"v": 999})
    held, waits = make("alice", 2), make("alice", 3)
    claimed = claim_next(str(unreadable.pk), {str(held.pk)})
    assert claimed and claimed[0].pk == waits.pk
    assert Run.objects.get(pk=unreadable.pk).status == RunStatus.FAILED
    assert Run.objects.get(pk=too_new.pk).status == RunStatus.QUEUED


def test_one_that_was_stopped_while_it_waited_is_closed_by_its_ring(make: Make) -> None:
    run = make("alice")
    Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now())
    assert claim_next(str(run.pk), ()) is None
    assert Run.objects.get(pk=run.pk).status == RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("before", "says"),
    [(0, "as soon as one is free"), (1, "There is one run before this"), (3, "There are 3 runs")],
)
def test_a_page_and_programs_are_told_the_place(
    make: Make, rf: Any, before: int, says: str
) -> None:
    for n in range(before):
        make("alice", n)
    run = make("alice", 100)
    assert run.owner
    token = ApiToken(owner=run.owner, scopes=[Scope.READ])
    assert run_reply(rf.get("/"), token, run).queue_place == before + 1
    assert says in _note(run)
    going_on(run)
    run.refresh_from_db()
    assert run_reply(rf.get("/"), token, run).queue_place is None
