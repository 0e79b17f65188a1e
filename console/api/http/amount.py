"""How many values a body may have. One of a few bytes each takes a hundred times as many here, and
what parses and checks it gives nobody else a turn meanwhile."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from .errors import ApiError

# Long conversations with pictures and tools have some thousands.
MAX_VALUES = 100_000


def refuse_many(value: Any, most: int = MAX_VALUES, said: str = "The body has") -> None:
    """JSON of more values than that. Raises ApiError."""
    holders: list[list[Any] | dict[str, Any]] = [[value]]
    left = most + 1
    while holders:
        holder = holders.pop()
        held = holder.values() if isinstance(holder, dict) else holder
        left -= len(held)
        if left < 0:
            raise ApiError("invalid_request", f"{said} more than {most:,} values.")
        holders += [one for one in held if isinstance(one, (dict, list))]


def refuse_crowded(raw: bytes) -> None:
    """JSON that has many more, before it is parsed. Texts have such signs, too, but are no longer
    than a prompt may be. Raises ApiError."""
    most = MAX_VALUES + settings.MAX_PROMPT_CHARACTERS
    if any(raw.count(sign) > most for sign in (b"{", b"[", b":", b",")):
        raise ApiError("invalid_request", f"The body has more than {MAX_VALUES:,} values.")
