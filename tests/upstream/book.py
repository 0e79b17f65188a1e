"""What the upstream itself counts of each request, told to whoever asked or not: its own books, for
a receipt to be laid beside.

A model of this account reads and writes a token for so many characters of its own. What it tells of
a request is kept as it was told; of one that it tells nothing of, it knows what it read and how far
it came.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .received import Received
from .script import Script
from .server import Upstream

TELLING = {"prompt_tokens", "input_tokens"}


@dataclass(frozen=True)
class Counted:
    """`told`: as it stood in the answer; None where it never arrived. `is_refused`: nothing was
    read, and so nothing is billed."""

    model: str
    input_tokens: int
    output_tokens: int
    told: dict[str, Any] | None
    is_refused: bool


class Book:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._characters: dict[str, float] = {}
        self._scripts: dict[str, list[Script]] = {}

    def opened(self, model: str, *scripts: Script, characters: float = 4) -> None:
        """A script's `usage` is told besides what is counted; `{}`: nothing is told."""
        self._characters[model], self._scripts[model] = characters, list(scripts)
        asked = iter(scripts)
        last = scripts[-1]

        def answer(body: dict[str, Any]) -> Script:
            script = next(asked, last)
            if script.usage is None:  # counted
                made = self._tokens(model, (script.text or "") + script.reasoning)
                usage = {"prompt_tokens": self._read(model, body), "completion_tokens": made}
                return replace(script, usage=usage)
            return script

        self._upstream.script(model, answer)

    def entries(self) -> list[Counted]:
        """In the order in which each model was asked."""
        turns: Counter[str] = Counter()
        return [self._entry(asked, turns) for asked in self._upstream.calls]

    def _entry(self, asked: Received, turns: Counter[str]) -> Counted:
        model = asked.model
        scripts = self._scripts[model]
        script = scripts[min(turns[model], len(scripts) - 1)]
        turns[model] += 1
        given = self._read(model, asked.body)
        thought = script.reasoning if script.status < 400 else ""
        made = self._tokens(model, asked.text_sent + thought)
        told = None
        if asked.finished and script.status < 400 and script.usage != {}:
            told = script.usage or {"prompt_tokens": given, "completion_tokens": made}
        return Counted(model, given, made, told, is_refused=script.status >= 400)

    def _read(self, model: str, body: dict[str, Any]) -> int:
        """Texts, and what a form of the answer adds; not what only marks it."""
        return self._tokens(model, "".join(_texts(body)))

    def _tokens(self, model: str, text: str) -> int:
        return round(len(text) / self._characters[model])


def _texts(body: dict[str, Any]) -> Iterable[str]:
    said = [{"content": body.get("system", "")}, *body.get("messages", [])]
    for message in said:
        content = message.get("content") or ""
        yield content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
    if form := body.get("response_format"):
        yield json.dumps(form.get("json_schema", {}).get("schema", {}), ensure_ascii=False)
