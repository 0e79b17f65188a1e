"""Questions that are asked with every run: Django makes their SQL once.

Making it takes several times what the database does with it. What differs from one time to the
next stands in the queryset as `Placeholder`; the SQL depends on the models and on the kind of
database alone, so it is good for as long as a process lives. Rows are made of what comes by
Django's own iterables. This is the one place that knows how Django puts that together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.models import Expression, F, Field, IntegerField, QuerySet
from django.db.models.lookups import In
from django.db.models.sql import UpdateQuery


class Placeholder(Expression):
    """In a queryset, in the place of a value of that field: said each time it is asked."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


READER: Any = Placeholder("reader", IntegerField())  # by their key


def some(name: str, field: Field[Any, Any], count: int) -> list[Any]:
    """For an `__in` with so many values."""
    return [Placeholder(f"{name}{n}", field) for n in range(count)]


def among(name: str, field: Field[Any, Any], count: int) -> In:
    """The same of a foreign key, whose `__in` takes no placeholders."""
    return In(F(name), some(name, field, count))


def each(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """What is said for `some`, of `count_for` so many: where there are fewer, the last is said
    again."""
    return {f"{name}{n}": values[min(n, len(values) - 1)] for n in range(count_for(values))}


def count_for(values: Sequence[Any]) -> int:
    """Of lists of any length only a few lengths are asked for, so few statements are made."""
    return 1 << (len(values) - 1).bit_length()


@dataclass(frozen=True)
class _Statement:
    sql: str
    params: tuple[Any, ...]

    def filled(self, given: Mapping[str, Any], connection: Any) -> list[Any]:
        return [
            param.output_field.get_db_prep_save(given[param.name], connection)
            if isinstance(param, Placeholder)
            else param
            for param in self.params
        ]


class _Source:
    """What Django's iterables ask of a queryset, and of its query."""

    db = DEFAULT_DB_ALIAS
    _known_related_objects: Mapping[Any, Any] = {}
    _fields = None  # values come as the query has them: fields, then expressions

    def __init__(self, compiler: Any) -> None:
        self.query, self._compiler = self, compiler

    def get_compiler(self, using: str) -> Any:
        return self._compiler


class Prepared:
    """`make` gives the queryset: what it says besides `Placeholder` is as it was the first time."""

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self._make = make
        self._read: dict[str, tuple[QuerySet[Any, Any], Any, _Statement]] = {}
        self._updates: dict[Any, _Statement] = {}

    def rows(self, **given: Any) -> list[Any]:
        """Instances, or what its `values_list` says."""
        connection = connections[DEFAULT_DB_ALIAS]
        queryset, made, statement = self._reads(connection)
        compiler = copy.copy(made)
        compiler.connection = connection  # of this thread
        compiler.as_sql = lambda: (statement.sql, statement.filled(given, connection))
        iterable: Any = queryset._iterable_class
        return [*iterable(_Source(compiler))]

    def sql(self, **given: Any) -> tuple[str, list[Any]]:
        """And what is said in it, for a question that has this one in it."""
        connection = connections[DEFAULT_DB_ALIAS]
        _, _, statement = self._reads(connection)
        return statement.sql, statement.filled(given, connection)

    def _reads(self, connection: Any) -> tuple[QuerySet[Any, Any], Any, _Statement]:
        if connection.vendor not in self._read:
            queryset = self._make()
            made = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
            self._read[connection.vendor] = queryset, made, _Statement(*made.as_sql())
            made.connection = None  # of the thread that happened to be the first
        return self._read[connection.vendor]

    def update(self, fields: Mapping[str, Any], **given: Any) -> int:
        """How many rows have changed. What is an expression is as it was the first time."""
        connection = connections[DEFAULT_DB_ALIAS]
        key = (connection.vendor, *((name, _is_expression(fields[name])) for name in fields))
        if key not in self._updates:
            queryset = self._make()
            meta = queryset.model._meta
            query: Any = queryset.query.chain(UpdateQuery)
            query.add_update_values(
                {
                    name: value
                    if _is_expression(value)
                    else Placeholder(name, meta.get_field(name))
                    for name, value in fields.items()
                }
            )
            self._updates[key] = _Statement(*query.get_compiler(DEFAULT_DB_ALIAS).as_sql())
        statement = self._updates[key]
        assert not given.keys() & fields.keys()
        with (
            transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.sql, statement.filled({**given, **fields}, connection))
            return int(cursor.rowcount)


def put_at_hand(instances: Sequence[Any], name: str, rows: Sequence[Any], *, of: str) -> None:
    """As `prefetch_related_objects` does, of rows that have been read: those that say by `of` whose
    they are, in their order, for who asks an instance for its `name`."""
    whose: dict[Any, list[Any]] = {instance.pk: [] for instance in instances}
    by_key = {instance.pk: instance for instance in instances}
    for row in rows:
        key = getattr(row, type(row)._meta.get_field(of).attname)
        setattr(row, of, by_key[key])
        whose[key].append(row)
    for instance in instances:
        read = getattr(instance, name).get_queryset()
        read._result_cache, read._prefetch_done = whose[instance.pk], True
        instance._prefetched_objects_cache = {
            **getattr(instance, "_prefetched_objects_cache", {}),
            name: read,
        }


# Of what is stored as it is: neither database wants it in another form.
_AS_IT_IS = {
    *(models.CharField, models.TextField, models.BooleanField, models.FloatField),
    *(models.IntegerField, models.PositiveIntegerField, models.PositiveSmallIntegerField),
}
ROWS_AT_A_TIME = 20  # an older SQLite takes 999 values in a statement


class Upsert:
    """Whole rows, whether they are there already, by what is `unique` of them, or not: of those
    that are, `update` is written anew. As `bulk_create` does it, without going through a dozen
    calls for each value."""

    def __init__(self, model: type[models.Model], *, unique: list[str], update: list[str]) -> None:
        self._table = model._meta.db_table
        self._key = model._meta.pk.column
        columns = [field for field in model._meta.concrete_fields if not field.primary_key]
        self._fields = [(field, type(field) in _AS_IT_IS) for field in columns]
        self._statements: dict[tuple[str, int], str] = {}
        named: dict[str, Any] = {field.name: field for field in columns}
        self._unique = [named[name].column for name in unique]
        self._update = [named[name].column for name in update]

    def write(self, rows: Sequence[models.Model]) -> None:
        """Each has its primary key then, where the database says it."""
        for first in range(0, len(rows), ROWS_AT_A_TIME):
            self._write(rows[first : first + ROWS_AT_A_TIME])

    def _write(self, rows: Sequence[models.Model]) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        params = [
            value if as_it_is or value is None else field.get_db_prep_save(value, connection)
            for row in rows
            for field, as_it_is in self._fields
            for value in [field.pre_save(row, True)]
        ]
        with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
            cursor.execute(self._made(connection, len(rows)), params)
            if connection.features.can_return_rows_from_bulk_insert:
                for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
                    row.pk = key

    def _made(self, connection: Any, count: int) -> str:
        key = (connection.vendor, count)
        if key not in self._statements:
            self._statements[key] = self._sql(connection, count)
        return self._statements[key]

    def _sql(self, connection: Any, count: int) -> str:
        quote = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field, _ in self._fields)
        values = ", ".join([f"({', '.join(['%s'] * len(self._fields))})"] * count)
        anew = ", ".join(f"{quote(column)} = EXCLUDED.{quote(column)}" for column in self._update)
        sql = (
            f"INSERT INTO {quote(self._table)} ({columns}) VALUES {values}"
            f" ON CONFLICT ({', '.join(map(quote, self._unique))}) DO UPDATE SET {anew}"
        )
        says_keys = connection.features.can_return_rows_from_bulk_insert
        return f"{sql} RETURNING {quote(self._key)}" if says_keys else sql


def _is_expression(value: Any) -> bool:
    return hasattr(value, "resolve_expression")
