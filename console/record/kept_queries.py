"""Queries whose SQL is made once in a process. Of a page of a list that is asked again and again,
writing its SQL from conditions takes ten times as long as the database needs to answer it.

A query is made with `Given` in the place of every value that differs from one asking to the next,
as who reads; the values go in when it is asked. It never becomes stale, since nothing but what
the product says went into it.
"""

from __future__ import annotations

from copy import copy
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, Field, QuerySet

Row = TypeVar("Row")


class Given(Expression):
    """A value that is known when the query is asked: it stands among the parameters till then."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name, self._field = name, field

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def written(self, value: Any, connection: Any) -> Any:
        """As the database takes it."""
        return self._field.get_db_prep_value(value, connection)


class KeptQuery(Generic[Row]):
    def __init__(self, queryset: QuerySet[Any, Row]) -> None:
        self._queryset = queryset
        self._compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()
        self._compiler.connection = None  # that thread's

    def ask(self, **given: Any) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]  # of this thread
        params = tuple(
            p.written(given[p.name], connection) if isinstance(p, Given) else p
            for p in self._params
        )
        # It knows what it selects already, and is told what it says instead of making it.
        compiler = copy(self._compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (self._sql, params)
        asked: Any = self._queryset.all()
        asked.query.get_compiler = lambda *_, **__: compiler
        return list(asked)
