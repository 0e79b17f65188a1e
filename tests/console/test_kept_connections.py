"""A web process keeps connections to SQLite from one request to the next, as long as nothing of one
request can be seen by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from fusion_site.sqlite3 import base
from fusion_site.sqlite3.base import DatabaseWrapper

pytestmark = pytest.mark.django_db
Open = Callable[[], DatabaseWrapper]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept.sqlite3"


@pytest.fixture
def opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(base, "_most", 2)
    monkeypatch.setattr(base, "_free", [])
    made: list[DatabaseWrapper] = []

    def open_one() -> DatabaseWrapper:
        options = {"init_command": "PRAGMA journal_mode=WAL"}
        settings = connections.settings["default"] | {"NAME": str(file), "OPTIONS": options}
        one = DatabaseWrapper(settings, "kept")
        made.append(one)
        with one.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")
        return one

    yield open_one
    for one in made:
        one.in_atomic_block = False
        one.close()
    for connection, _ in base._free:
        connection.close()


def handed_on(one: DatabaseWrapper, opened: Open) -> bool:
    """Whether the next request has its connection."""
    raw: Any = one.connection
    one.close()
    return opened().connection is raw


def test_the_next_request_has_the_connection_of_the_one_before(opened: Open) -> None:
    one = opened()
    one.close_if_unusable_or_obsolete()
    assert one.connection is None, "it is given back when its request ends"
    assert handed_on(opened(), opened)


def test_no_more_are_kept_than_was_said(opened: Open) -> None:
    for one in [opened(), opened(), opened()]:
        one.close()
    assert len(base._free) == 2


def test_one_in_the_middle_of_a_transaction_is_closed(opened: Open) -> None:
    one = opened()
    with one.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
    assert not handed_on(one, opened)


def test_one_that_failed_is_closed(opened: Open) -> None:
    one = opened()
    one.errors_occurred = True
    assert not handed_on(one, opened)


def test_one_that_still_reads_is_closed_since_the_next_would_see_old_rows(opened: Open) -> None:
    one = opened()
    with one.cursor() as cursor:
        cursor.execute("INSERT INTO words VALUES ('one'), ('two')")
    reading = one.cursor()
    reading.execute("SELECT word FROM words")
    assert reading.fetchone() == ("one",)
    assert not handed_on(one, opened)


def test_where_another_file_stands_in_its_place_it_is_opened_anew(opened: Open, file: Path) -> None:
    one = opened()
    file.rename(file.with_suffix(".old"))
    assert not handed_on(one, opened)
    assert file.exists()


def test_other_processes_than_web_servers_keep_none(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_most", 0)
    one = opened()
    one.close_if_unusable_or_obsolete()
    assert one.connection is not None, "as long as CONN_MAX_AGE says"
    assert not handed_on(one, opened)
