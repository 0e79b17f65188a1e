"""The rows that every test begins with, as they are again after a test that commits.

Django's own way is to empty every table and to make them anew, 180 permissions and the starters:
that took 35 ms of a processor, more than many of the tests that it came after.
"""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction

# A table with more rows is emptied in Django's way, which leaves nothing to be cleared up.
MANY = 1000
# Work that a migration leaves to the next worker, which does it once.
ONCE = {"console_searchfill"}

Row = tuple[Any, ...]


class Beginning:
    """Read when the database has just been made."""

    def __init__(self) -> None:
        self._tables = connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        self._rows = {table: _rows(table) for table in self._filled().keys() - ONCE}
        self._columns = {table: _columns(table) for table in self._rows}

    def come_back(self) -> None:
        filled = self._filled()
        if max(filled.values(), default=0) > MANY:
            quietly: dict[str, Any] = {"verbosity": 0, "interactive": False}
            call_command("flush", **quietly, reset_sequences=False, inhibit_post_migrate=True)
            filled = {}
        as_they_were = {t for t in self._rows if t in filled and _rows(t) == self._rows[t]}
        with transaction.atomic(), connection.cursor() as cursor:  # ties are looked at in the end
            for table in filled.keys() - as_they_were:
                cursor.execute(f"DELETE FROM {_quoted(table)}")
            for table in self._rows.keys() - as_they_were:
                columns = ", ".join(map(_quoted, self._columns[table]))
                places = ", ".join(["%s"] * len(self._columns[table]))
                insert = f"INSERT INTO {_quoted(table)} ({columns}) VALUES ({places})"
                cursor.executemany(insert, self._rows[table])
        ContentType.objects.clear_cache()

    def _filled(self) -> dict[str, int]:
        """Tables with rows, and how many: of many it is enough that they are."""
        some = f"SELECT 1 AS one FROM {{}} LIMIT {MANY + 1}"
        counts = " UNION ALL ".join(
            f"SELECT '{t}', count(*) FROM ({some.format(_quoted(t))}) AS found"
            for t in self._tables
        )
        with connection.cursor() as cursor:
            cursor.execute(counts)
            return {table: count for table, count in cursor.fetchall() if count}


def _rows(table: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {_quoted(table)}")
        rows: list[Row] = cursor.fetchall()
        return rows


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [c.name for c in connection.introspection.get_table_description(cursor, table)]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
