"""One request as the upstream saw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import shapes


@dataclass
class Received:
    """Times are of `time.time()`."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int  # which socket, counted from 1
    bytes_sent: int = 0
    deltas_sent: int = 0
    text_sent: str = ""  # what those deltas held, or the one JSON document
    finished: bool = False  # all that the script wanted to send was sent
    closed_by_client: bool = False  # the client hung up before that
    ended_at: float | None = None

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def is_messages(self) -> bool:
        """Of Anthropic's API, rather than of chat completions."""
        return self.path.split("?")[0].endswith("/messages")

    @property
    def is_anthropics(self) -> bool:
        return self.is_messages or "anthropic-version" in self.headers

    @property
    def wants_json(self) -> bool:
        return shapes.wanted_schema(self.body) is not None
