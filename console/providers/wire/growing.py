"""A text that comes in pieces and is looked at as a whole seldom or never."""

from __future__ import annotations

TOGETHER = 32


class Growing:
    """Those of an answer are a few letters each, and a string of a few letters takes as much
    memory as sixty: so they are put together, not all with every one, but many at once."""

    def __init__(self, text: str = "") -> None:
        self._together = [text] if text else []
        self._new: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._new or self._together)

    def __str__(self) -> str:
        return "".join(self._together) + "".join(self._new)

    def add(self, piece: str) -> None:
        self._new.append(piece)
        if len(self._new) == TOGETHER:
            self._together.append("".join(self._new))
            self._new.clear()
