"""Tool calls, put together from the pieces they are streamed in.

Pieces of one call share an index. Some servers leave it out, or give all calls the same: then a
piece that has another id, or names a function where one was named already, begins another call,
and any other belongs to the last.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.text import storable

MOST = 128
LONG = 20_000  # characters
Call = dict[str, Any]


class ToolCalls:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: list[Call] = []
        self._at: dict[int, Call] = {}  # by index: the last of it

    def take(self, pieces: Any) -> None:
        pieces = [pieces] if isinstance(pieces, dict) else pieces
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                self._piece(piece)

    def whole(self) -> tuple[dict[str, Any], ...]:
        calls: dict[str, dict[str, Any]] = {}
        given = {call["id"] for call in self._calls}
        for number, call in enumerate(self._ordered()):
            # What a tool says names its call: no two have the same id.
            id = call["id"] if call["id"] not in calls else ""
            made_up = (f"call_{n}" for n in count(number))
            id = id or next(one for one in made_up if one not in given and one not in calls)
            calls[id] = {
                "id": id,
                "type": "function",
                # Only now: two pieces may hold a half of one character each.
                "function": {
                    "name": storable(call["name"]),
                    "arguments": storable(call["arguments"]) or "{}",
                },
            }
        return tuple(calls.values())

    def beside(self) -> dict[str, Any]:
        """Place of a call -> what stands beside it, for its server alone: Google's signatures.
        https://ai.google.dev/gemini-api/docs/thought-signatures"""
        ordered = enumerate(self._ordered())
        return {str(number): call["beside"] for number, call in ordered if call["beside"]}

    def _ordered(self) -> list[Call]:
        return sorted(filter(lambda call: call["name"], self._calls), key=lambda c: c["index"])

    def _piece(self, piece: dict[str, Any]) -> None:
        function = piece.get("function")
        function = function if isinstance(function, dict) else piece
        id, name = piece.get("id"), function.get("name")
        id = storable(id)[:200] if isinstance(id, str) else ""
        index = piece.get("index")
        if isinstance(index, str) and index.isdecimal() and len(index) < 9:
            index = int(index)
        name = name if isinstance(name, str) else ""
        call = self._call(index if isinstance(index, int) else None, id, name)
        call["id"] = call["id"] or id
        for field in ("name", "arguments"):
            value = function.get(field)
            if field == "arguments" and isinstance(value, dict):
                value = json.dumps(value, ensure_ascii=False)  # as Ollama's own API has them
            if field == "name" and call["name"] and (value == call["name"] or call["arguments"]):
                continue
            if isinstance(value, str):
                self._limit -= len(value)
                call[field] += value
        if isinstance(beside := piece.get("extra_content"), dict):
            self._limit -= len(json.dumps(beside))
            call["beside"] = beside
        if self._limit < 0 or len(self._calls) > MOST:
            raise ProviderError(Reason.TOO_LARGE)

    def _call(self, index: int | None, id: str, name: str) -> Call:
        last = self._calls[-1] if self._calls else None
        found = last if index is None else self._at.get(index)
        if found is not None and not _is_another(found, id, name, has_index=index is not None):
            return found
        order = len(self._calls) if index is None else index
        call = {"index": order, "id": "", "name": "", "arguments": "", "beside": {}}
        self._calls.append(call)
        if index is not None:
            self._at[index] = call
        return call


def _is_another(call: Call, id: str, name: str, *, has_index: bool) -> bool:
    if id and call["id"]:
        # Some servers make a new one up for every piece.
        return bool(id != call["id"]) and bool(name or _is_whole(call["arguments"]))
    if not name or not call["name"]:
        return False
    if has_index and name == call["name"]:
        return _is_whole(call["arguments"])  # some servers name it with every piece
    # A name, too, may come in pieces, before the arguments.
    return bool(call["arguments"]) or not has_index


def _is_whole(arguments: str) -> bool:
    """Of long ones nobody asks: it is asked with every piece."""
    if len(arguments) > LONG or not arguments.rstrip().endswith("}"):
        return False
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True
