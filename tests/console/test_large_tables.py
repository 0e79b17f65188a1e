"""Columns come to tables of thousands of runs without a copy of the table, and what a copy on
SQLite would lose is still there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from console.migrations._columns import AddColumn

LARGE = {"run", "call", "fusion", "searchentry"}
# The last that was released with columns which SQLite copies a table for.
COPIED_UNTIL = "0036"
COPIES = (
    *(migrations.AlterField, migrations.RenameField, migrations.RemoveField),
    *(migrations.AddConstraint, migrations.RemoveConstraint, migrations.AlterUniqueTogether),
)


def copies(operation: Any) -> bool:
    """Whether Django has SQLite copy the whole table for it."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        is_plain = field.null and not field.unique and not field.has_default()
        return not is_plain and not isinstance(operation, AddColumn)
    return isinstance(operation, COPIES)


def test_no_migration_has_sqlite_copy_a_table_of_runs() -> None:
    assert [
        f"{name}: {operation.describe()}: say AddColumn (migrations/_columns.py), or let it be null"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app == "console" and name > COPIED_UNTIL + "_~"
        for operation in migration.operations
        if getattr(operation, "model_name", "").lower() in LARGE and copies(operation)
    ] == []


@pytest.mark.database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.CharField(max_length=9, db_default="", default=""), ""),
        (
            models.JSONField(db_default=models.Value({"a": "%"}, models.JSONField()), default=dict),
            {"a": "%"},
        ),
    ],
    ids=["text", "json"],
)
def test_such_a_column_is_one_statement_and_older_rows_have_its_default(
    transactional_db: None, field: Any, value: Any
) -> None:
    before = ProjectState()
    make = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])
    add = AddColumn("thing", "said", field)
    make.state_forwards("console", before)
    after = before.clone()
    add.state_forwards("console", after)
    try:
        with connection.schema_editor() as editor:
            make.database_forwards("console", editor, ProjectState(), before)
        before.apps.get_model("console", "Thing").objects.create()
        with (
            CaptureQueriesContext(
                connection,
            ) as asked,
            connection.schema_editor() as editor,
        ):
            add.database_forwards("console", editor, before, after)
        changes = [q["sql"] for q in asked if q["sql"].startswith(("ALTER", "CREATE", "INSERT"))]
        assert len(changes) == 1 and changes[0].startswith("ALTER TABLE"), changes
        things = after.apps.get_model("console", "Thing").objects
        before.apps.get_model("console", "Thing").objects.create()  # by the version before
        assert [thing.said for thing in things.all()] == [value, value]
        with connection.schema_editor() as editor:
            add.database_backwards("console", editor, after, before)
        assert before.apps.get_model("console", "Thing").objects.count() == 2
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(before.apps.get_model("console", "Thing"))


@pytest.mark.sqlite
def test_whoever_remade_the_searchs_table_gave_it_its_triggers_back(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            " AND tbl_name = 'console_searchentry'"
        )
        there = {name for (name,) in cursor.fetchall()}
    # SQLite drops them with the table that Django copies: migration 0036 says what they are.
    assert there == {f"console_searchentry_{name}" for name in ("put", "gone", "anew")}
