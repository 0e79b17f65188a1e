"""Django's sessions in the database, asked only for what can be one."""

from __future__ import annotations

from django.contrib.sessions.backends import base, db


class SessionStore(db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        """A cookie may hold anything, and PostgreSQL will not even look for a NUL."""
        possible = set(session_key or "") <= set(base.VALID_KEY_CHARS)
        super().__init__(session_key if possible else None)
