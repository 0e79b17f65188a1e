"""Which threads keep their connection to the database between two requests.

PostgreSQL has a hundred for all processes unless told otherwise, so only some do. Pages, of which
few are made at once, are not counted.
"""

from __future__ import annotations

from threading import Thread, current_thread
from weakref import WeakSet

from django.db import connections

AT_MOST = 8

_keeping: WeakSet[Thread] = WeakSet()


def keep_or_give_back() -> None:
    """This thread's, which keeps it where few others do."""
    me = current_thread()
    if me not in _keeping and len(_keeping) < AT_MOST:
        _keeping.add(me)
    if me not in _keeping:
        give_back()


def give_back() -> None:
    _keeping.discard(current_thread())
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
