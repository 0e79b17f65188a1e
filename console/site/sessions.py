"""Django's sessions in the database, asked only for what can be one."""

from __future__ import annotations

from functools import cache

from django.contrib.sessions.backends import base, db
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from ..models.prepared import Placeholder, Prepared


class SessionStore(db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        """A cookie may hold anything, and PostgreSQL will not even look for a NUL."""
        possible = set(session_key or "") <= set(base.VALID_KEY_CHARS)
        super().__init__(session_key if possible else None)

    def _get_session_from_db(self) -> Session | None:
        """Asked with every page and socket, so its SQL is made once."""
        for row in _going_on().rows(key=self.session_key, now=timezone.now()):
            found: Session = row
            return found
        self._session_key = None
        return None


@cache
def _going_on() -> Prepared:
    key, now = Placeholder("key", CharField()), Placeholder("now", DateTimeField())
    return Prepared(lambda: Session.objects.filter(session_key=key, expire_date__gt=now))
