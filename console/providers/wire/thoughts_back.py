"""What a model wants to have back, as it came, when it goes on after calls of tools: thoughts that
its server has signed or sealed. Nobody here reads them; without them some servers refuse to go on,
and others think anew.

    reasoning_details    OpenRouter: pieces of one detail share an index
                         https://openrouter.ai/docs/use-cases/reasoning-tokens
    reasoning_content    DeepSeek and those who took it over
"""

from __future__ import annotations

import json
from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.text import storable, storable_all

TEXTS = ("text", "summary")  # of a detail, which come in pieces
SAME = ("type", "index", "format")  # of pieces of one detail


class ThoughtsBack:
    def __init__(self, limit: int) -> None:
        self._left = limit
        self._details: list[dict[str, Any]] = []
        self._texts: list[dict[str, list[str]]] = []  # of each detail, in pieces
        self._content: list[str] = []

    def take(self, delta: dict[str, Any]) -> None:
        details = delta.get("reasoning_details")
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict):
                self._count(detail)
                self._add(detail)
        content = delta.get("reasoning_content")
        if isinstance(content, str):
            self._count(content)
            self._content.append(content)

    def whole(self) -> dict[str, Any]:
        if self._details:
            whole = [
                detail | {name: "".join(pieces) for name, pieces in texts.items()}
                for detail, texts in zip(self._details, self._texts, strict=True)
            ]
            # Only now: two pieces may hold a half of one character each.
            return {"reasoning_details": [storable_all(detail) for detail in whole]}
        content = storable("".join(self._content))
        return {"reasoning_content": content} if content else {}

    def _add(self, detail: dict[str, Any]) -> None:
        told = {name: detail[name] for name in SAME if detail.get(name) is not None}
        last = self._details[-1] if self._details else None
        if last is None or "data" in detail or any(last.get(n) != one for n, one in told.items()):
            last = {}
            self._details.append(last)
            self._texts.append({})
        for name, value in detail.items():
            if name in TEXTS and isinstance(value, str):
                self._texts[-1].setdefault(name, []).append(value)
            elif value is not None or name not in last:
                last[name] = value

    def _count(self, value: Any) -> None:
        self._left -= len(json.dumps(value))
        if self._left < 0:
            raise ProviderError(Reason.TOO_LARGE)
