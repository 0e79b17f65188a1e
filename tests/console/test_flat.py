"""What is asked again and again costs the same whether 1,000 runs were made before or 2,000.

What a database looks at is counted, not timed: on PostgreSQL the rows that a plan touched, on
SQLite the steps of its machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from console.admin import bounded
from console.api.planning.failures import failed_before
from console.api.planning.idempotency import _left
from console.engine.state import CallStatus, RunStatus, Step
from console.models import ApiToken, Call, Fusion, Run, Visibility
from console.models.runs import Origin, has_called
from console.money.purses import used_up
from console.record.turns import next_of, whose_turn
from console.services import presets
from console.services.presets import presets_changed
from console.services.quickest import quickest_seats
from console.services.seen_here import seen_here
from console.services.tokens import token_create, token_run_start
from console.worker.upkeep import left_behind

from .listed import Have
from .story import a_spec

pytestmark = pytest.mark.database

PEOPLE, RUNS, SEATS = 20, 1000, 3
Act = Callable[[], object]


@pytest.fixture
def token(alice: User) -> ApiToken:
    return token_create(owner=alice, spending_per_day=Decimal(1000))[0]


def more_history(token: ApiToken) -> None:
    """Runs of many people, of which all but a few ended long ago. Every tenth is the team's,
    every fifth was asked by the token."""
    people = [User(username=f"person-{User.objects.count()}-{n}") for n in range(PEOPLE)]
    owners = [token.owner, *User.objects.bulk_create(people)]
    presets = ("quality", "budget", "direct", "gone")
    spec = a_spec().to_dict()
    runs = Run.objects.bulk_create(
        Run(
            owner=owners[n % len(owners)],
            origin=Origin.PAGE if n % 5 else Origin.API,
            token=None if n % 5 else token,
            request_hash="" if n % 5 else f"hash-{n}",
            prompt="Why? " * 20,
            messages=[],
            spec=spec,
            preset=presets[n % 4],
            preset_name="Quality",
            status=RunStatus.COMPLETED,
            visibility=Visibility.PRIVATE if n % 10 else Visibility.TEAM,
        )
        for n in range(RUNS)
    )
    moment = timezone.now() - timedelta(days=2, minutes=Run.objects.count())
    for n, run in enumerate(runs):
        run.created_at = moment - timedelta(minutes=n)
    Run.objects.bulk_update(runs, ["created_at"], batch_size=400)
    Fusion.objects.bulk_create(
        Fusion(run=run, number=1, status="completed", judge={}, synthesizer={}, changed=True,
               called=f"call-{run.pk}", token=run.token, request_hash=run.request_hash)
        for run in runs
    )  # fmt: skip
    Call.objects.bulk_create(
        Call(run=run, key=f"panel-{seat}-1", step=Step.PANEL, seat=seat, number=1, cause="first",
             panelist={"model": "m", "credential": "c"}, status=CallStatus.COMPLETED, cost=1,
             started_at=run.created_at, sent_at=run.created_at, finished_at=run.created_at)
        for run in runs
        for seat in range(SEATS)
    )  # fmt: skip
    if connection.vendor == "postgresql":  # as it does of its own accord
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def a_few_of_today(owner: User) -> None:
    """As many whatever is behind them."""
    for status in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.COMPLETED):
        Run.objects.create(
            owner=owner, prompt="?", messages=[], spec=a_spec().to_dict(), preset="quality",
            preset_name="Quality", status=status,
        )  # fmt: skip


def looked_at(act: Act) -> int:
    """How much the database had to look at for it."""
    act()  # caches are warm
    if connection.vendor == "sqlite":
        return _steps(act)
    return sum(map(_rows_touched, _asked(act)))


def _steps(act: Act) -> int:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection.connection.set_progress_handler(count, 10)
    try:
        act()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted * 10


def _asked(act: Act) -> list[tuple[str, Any]]:
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(note):
        act()
    return [(sql, params) for sql, params in asked if sql.startswith("SELECT")]


def _rows_touched(query: tuple[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query[0]}", query[1])
        plan = cursor.fetchone()[0][0]["Plan"]
    return _touched(plan)


def _touched(node: dict[str, Any]) -> int:
    rows = 0
    if "Scan" in node["Node Type"]:
        removed = sum(v for k, v in node.items() if k.startswith("Rows Removed"))
        rows = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return int(rows) + sum(map(_touched, node.get("Plans", ())))


@contextmanager
def nothing_kept() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def acts(token: ApiToken, alice: User, ada: User, bob: User) -> dict[str, Act]:
    a, b, c = Client(), Client(), Client()
    a.force_login(alice), b.force_login(ada), c.force_login(bob)
    shown = Run.objects.filter(owner=alice).order_by("created_at")[7].pk
    old = "before=20200101T000000000000-" + 32 * "0"
    secret_of_bob = token_create(owner=bob)[1]

    def page(client: Client, path: str, **headers: str) -> Act:
        def get() -> None:
            assert client.get(path, headers=headers).status_code == 200

        return get

    def start() -> None:
        with nothing_kept():
            token_run_start(
                token=token, prompt="Why?", spec=a_spec(), request_hash="hash-5",
                repeated_since=timezone.now() - timedelta(minutes=30),
            )  # fmt: skip

    def sweep() -> None:
        with nothing_kept():
            left_behind()

    call: Any = SimpleNamespace(token=token, began_at=timezone.now())

    def has_failed() -> None:
        failed_before(call, ["hash-5", "hash-6"], [])

    def left() -> None:
        _left(call, Run.objects.all(), "hash-5")

    def turn() -> None:
        found = Fusion.objects.filter(has_called(), called="call-of-nobody")
        list(found.filter(run__token=token).order_by("-pk")[:20])

    own = [page(a, path) for path in ("/fusion", "/fusion/runs", f"/fusion/runs?{old}")]
    listed = "/admin/console/run/"
    filters = ("visibility__exact=team", "preset=quality", "status__exact=completed")
    lists = {
        f"admin {query}": page(b, f"{listed}?{query}")
        for query in ("", "p=3", *filters, "origin__exact=api")
    }
    others = ("auth/user/", "console/apitoken/", "console/preset/", "console/catalogmodel/")
    return {
        "compose": own[0],
        "history": own[1],
        "the end of history": own[2],
        "a run": page(a, f"/fusion/runs/{shown}"),
        "compose of who asked nothing": page(c, "/fusion"),
        "history of who asked nothing": page(c, "/fusion/runs"),
        "tokens": page(a, "/fusion/tokens"),
        "models": page(a, "/fusion/models"),
        "models seen here": seen_here,
        "runs of the API": page(Client(), "/v1/runs", authorization=f"Bearer {secret_of_bob}"),
        **lists,
        **{f"admin {path}": page(b, f"/admin/{path}") for path in others},
        "admin": page(b, "/admin/"),
        "a token's budget": lambda: used_up(alice.pk, token.pk),
        "a token's run": start,
        "the same request": has_failed,
        "one whose client left": left,
        "a turn": turn,
        "whose turn": whose_turn,
        "next of a person": lambda: next_of(alice.pk),
        "sweep": sweep,
        "quickest": quickest_seats,
        "changed": presets_changed,
    }


def test_nothing_that_is_asked_again_grows_with_the_history(
    token: ApiToken, alice: User, ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "COUNTED", 300)
    monkeypatch.setattr(presets, "NEWEST", 50)
    a_few_of_today(alice)
    more_history(token)
    before = {name: looked_at(act) for name, act in acts(token, alice, ada, bob).items()}
    for _ in range(2):
        more_history(token)
        again = acts(token, alice, ada, bob)
        costs = {name: looked_at(again[name]) for name in before}
        # What grows grows each time; a plan that tips over to another does so once.
        before = {name: costs[name] for name in before if costs[name] > 1.15 * before[name] + 300}
        if not before:
            break
    assert before == {}
    assert Run.objects.count() > 2 * RUNS


@pytest.mark.usefixtures("alice")
def test_what_reads_everything_is_seen_as_growing(token: ApiToken) -> None:
    def read() -> None:
        list(Run.objects.filter(prompt="What?"))

    more_history(token)
    before = looked_at(read)
    more_history(token)
    assert looked_at(read) > 1.7 * before


# With keys, lists and places to fill; what a page shows more of is not asked one by one.
MOST_QUERIES = {
    "compose": 16,
    "history": 9,
    "the end of history": 9,
    "a run": 11,
    "compose of who asked nothing": 18,
    "history of who asked nothing": 9,
    "tokens": 6,
    "models": 9,
    "admin ": 6,
    "admin preset=quality": 6,
}


def test_a_page_asks_a_few_questions(
    token: ApiToken, alice: User, ada: User, bob: User, have: Have
) -> None:
    have("openrouter", "anthropic")
    more_history(token)
    asked = {}
    for name, act in acts(token, alice, ada, bob).items():
        if name in MOST_QUERIES:
            act()
            asked[name] = len(_asked(act))
    assert {name: n for name, n in asked.items() if n > MOST_QUERIES[name]} == {}
