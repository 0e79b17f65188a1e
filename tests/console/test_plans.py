"""What is asked again and again finds its rows by an index, however long the history is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from console.engine.state import RunStatus
from console.models import Run, Visibility
from console.services.gains import LOOKED_AT
from tests.console.story import a_spec

pytestmark = pytest.mark.database

PEOPLE, RUNS = 50, 80
OLD = "/fusion/runs?before=20270101T000000000000-" + 32 * "0"


@pytest.fixture
def history(alice: User) -> None:
    """Of many people, who share a run now and then; nearly all of it has ended."""
    names = [User(username=f"person-{n}") for n in range(PEOPLE)]
    owners = [alice, *User.objects.bulk_create(names)]
    Run.objects.bulk_create(
        Run(
            owner=owner,
            prompt="Why?",
            messages=[],
            spec={"panel": []},
            preset="quality",
            preset_name="Quality",
            status=RunStatus.COMPLETED if n else RunStatus.QUEUED,
            visibility=Visibility.PRIVATE if n % 40 else Visibility.TEAM,
        )
        for n in range(RUNS)
        for owner in owners
    )
    # PostgreSQL does of its own accord, SQLite when somebody tells it to.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def plans(act: Callable[[], object]) -> dict[str, str]:
    """How the database finds the runs that `act` asks for, by the SQL that asks."""
    asked: dict[str, Any] = {}

    def note(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        asked[sql] = params
        return execute(sql, params, *rest)

    # With the very parameters: SQLite plans for a literal what it does not for a parameter.
    with connection.execute_wrapper(note):
        act()
    found = {}
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        for sql, params in asked.items():
            if sql.startswith(("SELECT", "WITH")) and ' FROM "console_run"' in sql:
                cursor.execute(explain + sql, params)
                found[sql] = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert found
    return found


def reads_all(plan: str) -> bool:
    whole = "Seq Scan on console_run " if connection.vendor == "postgresql" else "SCAN console_run "
    return any(whole in f"{line} " and "USING" not in line for line in plan.splitlines())


@pytest.mark.parametrize("page", ["/fusion/runs", OLD, "/fusion", "/fusion/runs?origin=evaluation"])
def test_a_page_that_lists_runs_reads_only_those_that_may_be_seen(
    client: Client, alice: User, history: None, page: str
) -> None:
    client.force_login(alice)
    for sql, plan in plans(lambda: client.get(page)).items():
        assert not reads_all(plan), f"{sql}\n{plan}"
        used = ["console_run_owner", "console_run_visibil", "run_of_owner_unfinished"]
        used.append("run_evaluated")
        # What fusing has brought is told of the newest of all, which are read now and then.
        newest = ["run_listed"] if f"LIMIT {LOOKED_AT}" in sql else []
        assert any(index in plan for index in (*used, *newest)), plan
        if " IN ('queued', 'running')" in sql:  # runs under way, at the head of the page
            assert "run_of_owner_unfinished" in plan, plan
        assert "TEMP B-TREE FOR ORDER BY" not in plan, plan  # at most runs of one moment are sorted


def test_a_runs_page_finds_its_thread_among_all_that_are_not_of_it(
    client: Client, alice: User, history: None
) -> None:
    client.force_login(alice)
    run = Run.objects.filter(owner=alice).latest("created_at")
    run.spec = a_spec().to_dict()
    run.save()
    asked = plans(lambda: client.get(f"/fusion/runs/{run.pk}"))
    assert not any(sql.startswith("WITH RECURSIVE") for sql in asked)
    [plan] = [plan for sql, plan in asked.items() if '"is_followed"' in sql]
    assert not reads_all(plan) and "run_followed_by" in plan, plan

    later = Run(owner=alice, prompt="And then?", spec=run.spec, messages=[], follows=run)
    later.save()
    asked = plans(lambda: client.get(f"/fusion/runs/{run.pk}"))
    [plan] = [plan for sql, plan in asked.items() if sql.startswith("WITH RECURSIVE")]
    assert "run_followed_by" in plan, plan
    assert not reads_all(plan), plan
    # Nor by way of an index, nor to see beforehand what is in none of it.
    assert not {"SCAN r", "BLOOM FILTER"} & {" ".join(s.split()[:2]) for s in plan.splitlines()}


def test_a_plan_that_reads_everything_is_seen_as_one(history: None) -> None:
    [plan] = plans(lambda: list(Run.objects.filter(prompt="What?").order_by())).values()
    assert reads_all(plan)
