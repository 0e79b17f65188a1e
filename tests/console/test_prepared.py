"""Questions whose SQL is made once say what Django's own say, whatever is asked for."""

from __future__ import annotations

import copy
import threading
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, connections, models, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import Call, Fusion, Run
from console.models.money import has_purse
from console.models.prepared import (
    Placeholder,
    Prepared,
    Upsert,
    count_for,
    each,
    put_at_hand,
    some,
)
from tests.console.story import Story

pytestmark = [pytest.mark.database, pytest.mark.django_db]

IT = Placeholder("run", Run._meta.pk)


def test_rows_are_those_of_the_queryset_each_time(alice: User) -> None:
    runs = [Story().whole().save(alice, prompt=prompt) for prompt in ("One?", "Two?")]
    question = Prepared(lambda: Run.objects.filter(pk=IT).annotate(paid=has_purse()))
    for run in (*runs, runs[0]):
        (row,) = question.rows(run=run.pk)
        expected = Run.objects.annotate(paid=has_purse()).get(pk=run.pk)
        assert {**row.__dict__, "_state": 0} == {**expected.__dict__, "_state": 0}
    assert question.rows(run=uuid.uuid4()) == []


def test_lists_and_moments_are_asked_for_as_well(alice: User) -> None:
    runs = [Story().whole().save(alice) for _ in range(4)]
    began = Placeholder("began", models.DateTimeField())
    places = some("run", Run._meta.pk, count_for(runs[:3]))
    question = Prepared(
        lambda: (
            Run.objects.filter(pk__in=places, created_at__lt=began)
            .order_by("created_at")
            .values_list("pk", flat=True)
        )
    )
    three, hour = [run.pk for run in runs[:3]], timedelta(hours=1)
    with CaptureQueriesContext(connection) as asked:
        assert question.rows(began=timezone.now() + hour, **each("run", three)) == three
        assert question.rows(began=timezone.now() - hour, **each("run", three)) == []
    assert len(asked) == 2


def test_rows_at_hand_are_what_their_owners_ask_the_database_for(alice: User) -> None:
    runs = [Story().whole().save(alice) for _ in range(2)]
    runs.append(Run.objects.create(owner=alice, prompt="Who?", messages=[], spec={}))
    theirs = [[*run.calls.order_by("-pk")] for run in runs]
    rows = [*Call.objects.filter(run__in=runs).order_by("-pk")]
    again = [*Run.objects.filter(pk__in=[run.pk for run in runs]).order_by("created_at")]
    put_at_hand(again, "calls", rows, of="run")
    with CaptureQueriesContext(connection) as asked:
        assert [[*run.calls.all()] for run in again] == theirs
        assert theirs[0] and not theirs[2]
        assert all(call.run is run for run in again for call in run.calls.all())
    assert not asked.captured_queries


def test_what_is_written_is_what_an_update_writes(alice: User) -> None:
    run, other = Story().whole().save(alice), Story().whole().save(alice)
    question = Prepared(lambda: Run.objects.filter(pk=IT))
    now = timezone.now()
    for said in ("first", "", "a “third” 'time' %s"):
        fields = {"error": said, "grace_until": now if said else None, "stopped_seats": [1]}
        assert question.update(fields | {"attempt": F("attempt") + 1}, run=run.pk) == 1
        run.refresh_from_db()
        assert (run.error, run.grace_until, run.stopped_seats) == tuple(fields.values())
    assert run.attempt == other.attempt + 3
    assert question.update({"error": "nobody's"}, run=uuid.uuid4()) == 0
    other.refresh_from_db()
    assert other.error == "" and other.attempt == run.attempt - 3


def test_what_is_refused_ends_the_transaction_around_it(alice: User) -> None:
    run = Story().whole().save(alice)
    question = Prepared(lambda: Run.objects.filter(pk=IT))
    with (
        transaction.atomic(),
        pytest.raises(DatabaseError),
        transaction.atomic(savepoint=False),
    ):
        question.update({"status": None}, run=run.pk)
    run.refresh_from_db()
    assert run.status


def test_rows_are_written_as_a_bulk_does_it_new_and_known_alike(alice: User) -> None:
    run, others = Story().whole().save(alice), Story().whole().save(alice)
    calls = [*others.calls.all()]
    for call in calls:
        call.pk, call.run, call.fusion = None, run, run.fusions.first()
        call.key = f"more-{call.key}"
    calls = [*run.calls.all(), *calls] * 8  # more than go into one statement
    for number, call in enumerate(calls := [copy.copy(call) for call in calls]):
        call.key = f"{number}-{call.key}" if call.key.startswith("more") else call.key
        call.text, call.sent_at, call.cost = f"“{number}” %s", None, Decimal("0.25")
    known = {call.key: call for call in calls}
    table = Upsert(Call, unique=["run", "key"], update=["text", "sent_at", "cost", "usage"])
    was = {call.key: call for call in run.calls.all()}
    table.write([*known.values()])
    table.write([*known.values()])
    rows = {call.key: call for call in run.calls.all()}
    assert rows.keys() == known.keys()
    for key, row in rows.items():
        assert row.pk == known[key].pk and row.pk == (was[key].pk if key in was else row.pk)
        for field in Call._meta.concrete_fields:
            name = field.attname
            assert getattr(row, name) == getattr(known[key], name), name
    fusion = run.fusions.get()
    fusion.status, fusion.text, began = "failed", "never", fusion.created_at
    Upsert(Fusion, unique=["run", "number"], update=["status"]).write([fusion])
    fusion.refresh_from_db()
    assert fusion.status == "failed" and fusion.text != "never" and fusion.created_at == began


@pytest.mark.django_db(transaction=True)
def test_every_thread_asks_by_its_own_connection(alice: User) -> None:
    run = Story().whole().save(alice)
    question = Prepared(lambda: Run.objects.filter(pk=IT).values_list("prompt", flat=True))
    found = question.rows(run=run.pk)

    def ask() -> None:
        found.extend(question.rows(run=run.pk))
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    assert found == [run.prompt] * 2
