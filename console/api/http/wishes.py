"""Wishes about data and money that this server cannot pass on: refused, never ignored.

Whoever asks for no storage, for certain providers only or for a highest price
relies on it, and a reply without a word would say that it was granted. They
are looked for in the body as it came, where OpenRouter's words and ours may
stand; text and schemas of the caller's own are not searched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from .errors import ApiError

_DATA = "wishes about how data is handled"
_CHOICE = "a choice of providers"
_MONEY = "limits on what a request may cost"
# Of `provider` alone: elsewhere these are words like any other.
_OF_PROVIDER = {"only": _CHOICE, "ignore": _CHOICE}
# What may hold such a wish, at any depth.
_WITHIN = {
    *("extra_body", "provider", "fusion", "policy", "panel", "analysis_models"),
    *("plugins", "tools", "parameters", "config"),
}


def refuse_wishes(data: dict[str, Any]) -> None:
    """Raises ApiError, which names the first of them."""
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), data)])
    while waiting:
        path, value = waiting.popleft()
        if isinstance(value, list):
            waiting.extend(((*path, str(n)), item) for n, item in enumerate(value))
        elif isinstance(value, dict) and not _is_of_the_caller(path, value):
            for name, kind in _wishes(value, of_provider=path[-1:] == ("provider",)):
                param = ".".join((*path, name))
                message = f"This server cannot pass on {kind} yet ({param}); nothing was sent."
                raise ApiError("invalid_request", message, param=param)
            waiting.extend(((*path, k), v) for k, v in value.items() if k in _WITHIN)


def _is_of_the_caller(path: tuple[str, ...], value: dict[str, Any]) -> bool:
    """A tool of the caller's own: its parameters may have any name."""
    in_tools = path[-2:-1] == ("tools",)
    return in_tools and not str(value.get("type", "function")).startswith("openrouter:")


def _wishes(value: dict[str, Any], *, of_provider: bool) -> Iterator[tuple[str, str]]:
    for name, wished in value.items():
        plain = name.replace("_", "").replace("-", "").casefold()
        if wished and (plain == "zdr" or (plain == "datacollection" and wished != "allow")):
            yield name, _DATA
        elif plain.startswith(("maxcost", "maxprice")) and _limits(wished):
            yield name, _MONEY
        elif of_provider and name in _OF_PROVIDER and wished:
            yield name, _OF_PROVIDER[name]


def _limits(wished: Any) -> bool:
    """0 does: nothing may be spent."""
    if isinstance(wished, dict):
        return any(_limits(part) for part in wished.values())
    return wished is not None and wished is not False and wished not in ("", [])
