"""Which names somebody may have meant who typed one that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

# Below that, names have little more in common than being names of models.
_ALIKE = 0.7
MOST = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ " Did you mean “a” or “b”?", with the space before it, or nothing."""
    return question(names_like(name, known))


def names_like(name: str, known: Iterable[str]) -> list[str]:
    """Alike as a whole, or without their vendor, which people leave out or guess."""
    wholes = {k.casefold(): k for k in known}
    shorts: dict[str, str] = {}
    for folded, k in wholes.items():
        shorts.setdefault(_short(folded), k)
    name = name.casefold()
    near = [
        *(wholes[k] for k in get_close_matches(name, wholes, MOST, _ALIKE)),
        *(shorts[k] for k in get_close_matches(_short(name), shorts, MOST, _ALIKE)),
    ]
    return list(dict.fromkeys(near))


def question(likely: Sequence[str]) -> str:
    names = " or ".join(f"“{name}”" for name in likely[:MOST])
    return f" Did you mean {names}?" if names else ""


def _short(name: str) -> str:
    return name.rpartition("/")[2]
