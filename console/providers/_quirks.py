"""Fields that a model does not take, learned from what the provider refused.

A refusal that names a field costs nothing, so the request is sent again
without the field, or with the name it has there. What worked is remembered.
"""

from __future__ import annotations

import re
from typing import Any

from console.engine.errors import ProviderError, Reason

OUTPUT_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
OPTIONAL = (
    "response_format",
    "stream_options",
    "reasoning_effort",
    "reasoning",
    "temperature",
    "seed",
)


class Quirks:
    def __init__(self) -> None:
        self._changes: dict[str, list[str]] = {}  # by model

    def apply(self, model: str, body: dict[str, Any]) -> dict[str, Any]:
        for name in self._changes.get(model, ()):
            body = change(body, name)
        return body

    def remember(self, model: str, changes: list[str]) -> None:
        if changes:
            self._changes[model] = self._changes.get(model, []) + changes


def refused_field(error: ProviderError, body: dict[str, Any], tried: list[str]) -> str | None:
    """The field of `body` that the provider named as its reason, if leaving it is an answer."""
    if error.status_code not in (400, 422) or error.reason != Reason.BAD_REQUEST:
        return None
    for name in (*OUTPUT_LIMITS, *OPTIONAL):
        if name not in body or not re.search(rf"(?<!\w){name}(?!\w)", error.message):
            continue
        strict = name == "response_format" and tried.count(name) < 2
        renamed_already = OUTPUT_LIMITS.get(name) in tried
        if strict or (name not in tried and not renamed_already):
            return name
    return None


def change(body: dict[str, Any], name: str) -> dict[str, Any]:
    """An output limit is renamed, never dropped: it bounds what a call may cost. A schema is
    first asked for less strictly."""
    if name not in body:
        return body
    rest = {key: value for key, value in body.items() if key != name}
    if name in OUTPUT_LIMITS:
        rest[OUTPUT_LIMITS[name]] = body[name]
    elif name == "response_format" and body[name]["json_schema"].get("strict"):
        schema = {**body[name]["json_schema"], "strict": False}
        rest[name] = {**body[name], "json_schema": schema}
    return rest
