"""How many values a body may have. One of a few bytes each takes a hundred times as many here, and
what parses and checks it gives nobody else a turn meanwhile."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from .errors import ApiError

# Long conversations with pictures and tools have some thousands.
MAX_VALUES = 100_000


class Values:
    """Those that may still come."""

    def __init__(self, most: int = MAX_VALUES) -> None:
        self._most = self._left = most

    def count(self, holder: list[Any] | dict[str, Any]) -> None:
        """Raises ApiError."""
        self._left -= len(holder)
        if self._left < 0:
            raise ApiError("invalid_request", f"The body has more than {self._most:,} values.")


def refuse_crowded(raw: bytes) -> None:
    """JSON that has many more, before it is parsed. Texts have such signs, too, but are no longer
    than a prompt may be. Raises ApiError."""
    most = MAX_VALUES + settings.MAX_PROMPT_CHARACTERS
    if any(raw.count(sign) > most for sign in (b"{", b"[", b":", b",")):
        raise ApiError("invalid_request", f"The body has more than {MAX_VALUES:,} values.")
