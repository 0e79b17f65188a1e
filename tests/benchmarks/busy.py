"""CPU time of this process and of those of PostgreSQL that answer its questions: what a machine
does beside them is not in it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path


class Busy:
    def __init__(self) -> None:
        from django.db import connection

        self._server, self._name = 0, ""
        self._spent: dict[str, int] = {}  # by process, also by those that have ended
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), current_database()")
                backend, name = cursor.fetchone()
            self._server = int(
                Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1]
            )
            self._name = f" {name} "

    @property
    def ms(self) -> float:
        """So far."""
        spent = time.process_time() * 1000
        if self._server:
            children = Path(f"/proc/{self._server}/task/{self._server}/children").read_text()
            for child in children.split():
                with suppress(OSError):  # it has ended meanwhile
                    if child in self._spent or self._is_its(child):
                        said = Path(f"/proc/{child}/schedstat").read_text()
                        self._spent[child] = int(said.split()[0])
            spent += sum(self._spent.values()) / 1e6
        return spent

    def _is_its(self, process: str) -> bool:
        return self._name in Path(f"/proc/{process}/cmdline").read_text(errors="replace")
