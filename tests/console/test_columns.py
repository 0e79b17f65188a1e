"""Columns whose words grow with the versions: a new word is no migration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from console.models import Run

from .story import Story

OPEN = {"status", "step", "cause", "retry_cause", "origin", "kind", "environment", "follows_from"}


def test_columns_that_name_steps_causes_origins_kinds_and_states_are_open() -> None:
    fields = [
        field
        for model in apps.get_app_config("console").get_models()
        for field in model._meta.concrete_fields
        if field.name in OPEN
    ]
    assert {field.name for field in fields} == OPEN
    for field in fields:
        assert not field.choices and (field.max_length or 0) >= 40, field


def migrated(name: str) -> Any:
    """The models as they were after that migration."""
    executor = MigrationExecutor(connection)
    executor.migrate([("console", name)])
    return executor.loader.project_state([("console", name)]).apps


@pytest.fixture
def and_back(transactional_db: None) -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def shape() -> dict[str, set[tuple[str, ...]]]:
    """Indexes, foreign keys and unique columns of each table of ours."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("console_"):
                parts = connection.introspection.get_constraints(cursor, table).values()
                found[table] = {
                    (*(part["columns"] or ()), str(part["foreign_key"]), str(part["unique"]))
                    for part in parts
                }
    return found


@pytest.mark.usefixtures("and_back")
def test_wider_columns_lose_no_row_no_index_and_no_tie() -> None:
    old = migrated("0008_unreadable")
    before = shape()
    owner = old.get_model("auth", "User").objects.create(username="somebody")
    run = old.get_model("console", "Run").objects.create(
        owner=owner, prompt="Why?", messages=[], spec={}, preset="q", preset_name="Q"
    )
    known = {"key": "panel-0-1", "step": "panel", "number": 1, "cause": "first", "panelist": {}}
    run.calls.create(**known, seat=0, status="completed", text="Because.")
    new = migrated("0009_columns")
    assert shape() == before
    run = new.get_model("console", "Run").objects.get(pk=run.pk)
    assert (run.owner.username, run.origin, run.status) == ("somebody", "page", "queued")
    assert run.log_position == "" and run.calls.get().text == "Because."
    long = "x" * 40
    assert run.calls.update(step=long, cause=long, retry_cause=long, status=long) == 1
    # One of the version before, which still serves while this one is begun, knows no position.
    old.get_model("console", "Run").objects.create(prompt="On?", messages=[], spec={}, preset="q")
    assert new.get_model("console", "Run").objects.update(status=long, origin=long) == 2


def test_an_admin_filters_by_words_and_reads_one_of_a_later_version(
    client: Client, ada: User, alice: User
) -> None:
    here = Story().whole().save(alice, prompt="From here?", visibility="team")
    there = Story().whole().save(alice, prompt="From there?", origin="desk", visibility="team")
    client.force_login(ada)
    html = client.get("/admin/console/run/").content.decode()
    assert "?origin__exact=shell" in html and ">Shell<" in html
    assert "?status__exact=cancelled" in html
    page = client.get("/admin/console/run/?origin__exact=page").content.decode()
    assert here.prompt in page and there.prompt not in page
    none = client.get("/admin/console/run/?status__exact=cancelled").content.decode()
    assert here.prompt not in none
    for run, word in ((here, "Page"), (there, "desk")):
        html = client.get(f"/admin/console/run/{run.pk}/change/").content.decode()
        assert f'<div class="readonly">{word}</div>' in html
    assert Run.objects.count() == 2
