"""Wishes about data and money that stand where nobody reads them: refused, never ignored.

Whoever asks for no storage, for certain providers only or for a highest price
relies on it, and a reply without a word would say that it was granted. They
are looked for in the body as it came, where OpenRouter's words and ours may
stand; text and schemas of the caller's own are not searched. Those in the
request's `provider` and in that of a seat are read (`planning/terms.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator
from typing import Any

from .errors import ApiError

_DATA = "wishes about how data is handled"
_CHOICE = "a choice of providers"
_MONEY = "limits on what a request may cost"
# Of `provider` alone: elsewhere these are words like any other.
_OF_PROVIDER = {"only": _CHOICE, "ignore": _CHOICE}
_READ = {"zdr", "data_collection", "only", "ignore", "max_price"}
_OURS = ("zero_retention", "no_training", "only_local", "only_providers")
_OURS_PLAIN = {*(name.replace("_", "") for name in _OURS), "zerodataretention"}
# What may hold such a wish, at any depth.
_WITHIN = {
    *("extra_body", "provider", "fusion", "policy", "panel", "analysis_models"),
    *("plugins", "tools", "parameters", "config"),
}


def refuse_wishes(data: dict[str, Any], reads: Container[str] = (), *, place: str = "") -> None:
    """`reads` are the fields of the request; `place` is the one for wishes about data and
    providers, where that is one. Raises ApiError, which names the first wish."""
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), data)])
    while waiting:
        path, value = waiting.popleft()
        if isinstance(value, list):
            waiting.extend(((*path, str(n)), item) for n, item in enumerate(value))
        elif isinstance(value, dict) and not _is_of_the_caller(path, value):
            for name, kind in _wishes(value, of_provider=path[-1:] == ("provider",)):
                if _is_read(path, name, reads):
                    continue
                param = ".".join((*path, name))
                sentence = _sentence(kind, name, param, place)
                raise ApiError("invalid_request", sentence, param=param)
            waiting.extend(((*path, k), v) for k, v in value.items() if k in _WITHIN)


def _is_read(path: tuple[str, ...], name: str, reads: Container[str]) -> bool:
    if path and path[0] not in reads:
        return False
    match path:
        case ():
            return name in reads
        case ("provider",) | ("fusion", "panel", _, "provider"):
            return name in _READ
        case ("fusion",) | ("fusion", "panel", _):
            return name in _OURS
    return False


def _sentence(kind: str, name: str, param: str, place: str) -> str:
    plain = _plain(name)
    if plain.startswith("maxcost") or (place and kind is _MONEY):
        return (
            f"Write {kind} as “max_cost” of the request itself: it is not read here ({param}). "
            "Nothing was sent."
        )
    where = place or ("fusion" if plain in _OURS_PLAIN else "provider")
    return f"Write {kind} in “{where}”: they are not read here ({param}). Nothing was sent."


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _is_of_the_caller(path: tuple[str, ...], value: dict[str, Any]) -> bool:
    """A tool of the caller's own: its parameters may have any name."""
    in_tools = path[-2:-1] == ("tools",)
    return in_tools and not str(value.get("type", "function")).startswith("openrouter:")


def _wishes(value: dict[str, Any], *, of_provider: bool) -> Iterator[tuple[str, str]]:
    for name, wished in value.items():
        plain = _plain(name)
        of_data = plain in _OURS_PLAIN or plain == "zdr"
        if wished and (of_data or (plain == "datacollection" and wished != "allow")):
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
