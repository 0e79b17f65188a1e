"""Tool calls, put together from the pieces they are streamed in."""

from __future__ import annotations

from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.text import storable

MOST = 128


class ToolCalls:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: dict[int, dict[str, str]] = {}

    def take(self, pieces: Any) -> None:
        """Pieces of one call share an index; whole calls may come without any."""
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, dict):
                continue
            index, number = piece.get("index"), piece.get("id")
            if not isinstance(index, int):
                index = len(self._calls)
            call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
            function = piece.get("function")
            function = function if isinstance(function, dict) else {}
            if isinstance(number, str) and not call["id"]:
                call["id"] = storable(number)[:200]
            for name in ("name", "arguments"):
                if isinstance(value := function.get(name), str):
                    self._limit -= len(value)
                    call[name] += value
            if self._limit < 0 or len(self._calls) > MOST:
                raise ProviderError(Reason.TOO_LARGE)

    def whole(self) -> tuple[dict[str, Any], ...]:
        return tuple(
            {
                "id": call["id"] or f"call_{index}",
                "type": "function",
                # Only now: two pieces may hold a half of one character each.
                "function": {
                    "name": storable(call["name"]),
                    "arguments": storable(call["arguments"]) or "{}",
                },
            }
            for index, call in sorted(self._calls.items())
            if call["name"]
        )
