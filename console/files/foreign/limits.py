"""What the process that reads may use, and how much of a file becomes text."""

from __future__ import annotations

import resource
from typing import Any

CHARACTERS = 4_000_000  # of text, of one file
BLOCK = 3_000  # characters of running text that are one part
PARTS = 5_000


class Unreadable(Exception):
    """Goes on from the file's name: “is protected by a password”."""


def bound(*, megabytes: int, seconds: int) -> None:
    """Memory, time, and nothing written anywhere."""
    _limit(resource.RLIMIT_AS, megabytes * 2**20)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(of: int, value: int) -> None:
    try:
        resource.setrlimit(of, (value, value))
    except (OSError, ValueError):
        pass  # macOS does not know all of them; there time alone bounds it


class Parts:
    """Taken until there is enough."""

    def __init__(self) -> None:
        self._parts: list[dict[str, str]] = []
        self._left = CHARACTERS
        self.is_cut = False

    @property
    def is_full(self) -> bool:
        return self.is_cut or self._left <= 0 or len(self._parts) >= PARTS

    def add(self, name: str, text: str) -> None:
        text = text.replace("\0", "").strip("\n\r ")
        if not text:
            return
        if self.is_full or len(text) > self._left:
            self.is_cut = True
            text = text[: self._left]
        self._left -= len(text)
        if text and len(self._parts) < PARTS:
            self._parts.append({"name": name, "text": text})

    def found(self, **more: Any) -> dict[str, Any]:
        return {"parts": self._parts, "is_cut": self.is_cut, **more}


def blocks(parts: Parts, text: str, *, word: str = "lines") -> None:
    """Running text in parts of whole lines, named by them."""
    lines, first, size = [], 1, 0
    number = 0
    for number, line in enumerate(text.split("\n"), 1):
        lines.append(line)
        size += len(line) + 1
        if size >= BLOCK:
            parts.add(f"{word} {first}–{number}", "\n".join(lines))
            lines, first, size = [], number + 1, 0
        if parts.is_full:
            return
    parts.add(f"{word} {first}–{number}", "\n".join(lines))
