"""Questions that are asked with every run: Django makes their SQL once.

Making it takes several times what the database does with it. What differs from one time to the
next stands in the queryset as `Given`; the SQL depends on the models and on the kind of database
alone, so it is good for as long as a process lives. Rows are made of what comes by Django's own
iterables. This is the one place that knows how Django puts that together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Expression, Field, QuerySet
from django.db.models.sql import UpdateQuery


class Given(Expression):
    """In a queryset, in the place of a value of that field: said each time it is asked."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


def some(name: str, field: Field[Any, Any], count: int) -> list[Given]:
    """For an `__in` with so many values."""
    return [Given(f"{name}{n}", field) for n in range(count)]


def each(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """What is said for `some`."""
    return {f"{name}{n}": value for n, value in enumerate(values)}


@dataclass(frozen=True)
class Statement:
    sql: str
    params: tuple[Any, ...]

    def filled(self, given: Mapping[str, Any], connection: Any) -> list[Any]:
        return [
            param.output_field.get_db_prep_save(given[param.name], connection)
            if isinstance(param, Given)
            else param
            for param in self.params
        ]


class Source:
    """What Django's iterables ask of a queryset, and of its query."""

    db = DEFAULT_DB_ALIAS
    _known_related_objects: Mapping[Any, Any] = {}

    def __init__(self, compiler: Any) -> None:
        self.query, self._compiler = self, compiler

    def get_compiler(self, using: str) -> Any:
        return self._compiler


class Prepared:
    """`make` gives the queryset: what it says besides `Given` is as it was the first time."""

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self._make = make
        self._read: dict[str, tuple[QuerySet[Any, Any], Any, Statement]] = {}
        self._updates: dict[tuple[str, ...], Statement] = {}

    def rows(self, **given: Any) -> list[Any]:
        """Instances, or what its `values_list` says."""
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor not in self._read:
            queryset = self._make()
            made = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
            self._read[connection.vendor] = queryset, made, Statement(*made.as_sql())
        queryset, made, statement = self._read[connection.vendor]
        compiler = copy.copy(made)
        compiler.connection = connection  # of this thread
        compiler.as_sql = lambda: (statement.sql, statement.filled(given, connection))
        return list(queryset._iterable_class(Source(compiler)))

    def update(self, fields: Mapping[str, Any], **given: Any) -> int:
        """How many rows have changed. What is an expression is as it was the first time."""
        connection = connections[DEFAULT_DB_ALIAS]
        key = (connection.vendor, *fields)
        if key not in self._updates:
            queryset = self._make()
            meta = queryset.model._meta
            query = queryset.query.chain(UpdateQuery)
            query.add_update_values(
                {
                    name: value if _is_expression(value) else Given(name, meta.get_field(name))
                    for name, value in fields.items()
                }
            )
            self._updates[key] = Statement(*query.get_compiler(DEFAULT_DB_ALIAS).as_sql())
        statement = self._updates[key]
        assert not given.keys() & fields.keys()
        with (
            transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.sql, statement.filled({**given, **fields}, connection))
            return int(cursor.rowcount)


def _is_expression(value: Any) -> bool:
    return hasattr(value, "resolve_expression")
