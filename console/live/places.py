"""How many sockets may be open at once: in this process, from an address, of a person.

Who is refused hears why in a frame, and then the code `TOO_MANY`, since a browser tells a page
nothing of a handshake that failed; the page then asks every two seconds instead. Nobody is looked
up for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.html import escape

from ..site.addresses import counted

TOO_MANY = 4429
_MEANWHILE = "This page asks for news every two seconds instead."


@dataclass(frozen=True)
class Limit:
    """`of` says whose sockets are counted together; None: this one is not counted."""

    setting: str
    of: Callable[[dict[str, Any]], object]
    sentence: str

    @property
    def most(self) -> int:
        most: int = getattr(settings, self.setting)
        return most


PROCESS = Limit(
    "SOCKETS_PER_PROCESS", lambda scope: "all", "More pages follow runs than can be served."
)
ADDRESS = Limit(
    "SOCKETS_PER_ADDRESS",
    lambda scope: counted(str(scope["client"][0])) if scope.get("client") else None,
    "Too many pages follow runs from your address.",
)
PERSON = Limit(
    "SOCKETS_PER_PERSON",
    lambda scope: scope["user"].pk if scope["user"].is_authenticated else None,
    "Too many of your pages follow a run at once: close some.",
)


class Limited:
    def __init__(self, limit: Limit, application: Any) -> None:
        self._limit, self._application = limit, application
        self._open: Counter[object] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        key = self._limit.of(scope)
        if key is None:
            return await self._application(scope, receive, send)
        if self._open[key] >= self._limit.most:
            return await _refuse(f"{self._limit.sentence} {_MEANWHILE}", receive, send)
        self._open[key] += 1
        try:
            return await self._application(scope, receive, send)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


async def _refuse(sentence: str, receive: Any, send: Any) -> None:
    await receive()
    frame = {"fragments": {"run-asking": escape(sentence)}}
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(frame, ensure_ascii=False)})
    await send({"type": "websocket.close", "code": TOO_MANY})
