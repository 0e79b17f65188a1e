"""Django's SQLite, whose connections a web process keeps from one request to the next.

Every request has a thread to itself, and with it a connection. To open one, to set it
up and to read the schema takes as long as all that a page asks of it. Kept are only as many as
`keep` says, in the process that says it; in every other this is Django's own.
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Any

from django.db.backends.sqlite3 import base

# Which file it is: another one may stand in its place meanwhile.
File = tuple[int, int]
# Defined anew when a connection is given back: SQLite refuses that while a statement is under way,
# whose old view of the rows the next request would share.
PROBE = "fusion_is_idle"

_free: list[tuple[sqlite3.Connection, File]] = []  # its two ends are safe in any thread
_most = 0


def keep(most: int) -> None:
    """For a process that serves, and does not fork any more."""
    global _most
    _most = most


class DatabaseWrapper(base.DatabaseWrapper):
    _file: File | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._file = _file(str(conn_params["database"])) if _most else None
        while self._file:
            try:
                connection, file = _free.pop()
            except IndexError:
                break
            if file == self._file:
                return connection
            connection.close()
        connection = super().get_new_connection(conn_params)
        if _most:
            self._file = _file(str(conn_params["database"]))  # it may just have been made
            connection.create_function(PROBE, 0, _nothing)
        return connection

    def connect(self) -> None:
        super().connect()
        if _most:
            self.close_at = time.monotonic()  # given back when its request ends

    def _close(self) -> None:
        connection = self.connection
        if connection is not None and self._may_be_kept(connection):
            assert self._file
            _free.append((connection, self._file))
        else:
            super()._close()  # type: ignore[misc]  # which the stubs leave out

    def _may_be_kept(self, connection: Any) -> bool:
        if not self._file or len(_free) >= _most:
            return False
        if self.in_atomic_block or self.errors_occurred or connection.in_transaction:
            return False
        try:
            connection.create_function(PROBE, 0, _nothing)
        except sqlite3.Error:
            return False
        return True


def _nothing() -> None:
    return None


def _file(name: str) -> File | None:
    """None of a database in memory."""
    try:
        status = os.stat(name)
    except OSError:
        return None
    return status.st_dev, status.st_ino
