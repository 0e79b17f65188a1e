"""Fields that a model does not take, learned from what the provider refused.

A refusal that names a field costs nothing. The next request is made without
the field, or with the name it has there, as a call of its own: calls on record
are requests that went out. What is answered then is remembered; what is refused
for another reason is forgotten, since some refusals quote the whole request.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Form:
    """A request as it goes out, and what it does without."""

    body: dict[str, Any]
    changes: tuple[str, ...]


class Quirks:
    def __init__(self) -> None:
        # By model: what was answered, and what is being tried instead.
        self._known: dict[str, tuple[str, ...]] = {}
        self._tried: dict[str, tuple[str, ...]] = {}

    def form(self, model: str, body: dict[str, Any]) -> Form:
        changes = self._next(model)
        for name in changes:
            body = change(body, name)
        return Form(body, changes)

    def answered(self, model: str, form: Form) -> None:
        # A call that was made before something was learned may be answered after that.
        self._known[model] = max(self._known.get(model, ()), form.changes, key=len)
        if self._next(model) == form.changes:
            self._tried.pop(model, None)

    def learn(self, model: str, form: Form, error: ProviderError, wanted: Container[str]) -> bool:
        """Whether the next form will be another; `wanted` is what must not be left out."""
        name = refused_field(error, form.body, form.changes)
        if name is None or name in wanted:
            if _is_of_form(error) and self._next(model) == form.changes:
                self._tried.pop(model, None)
            return False
        # Unless a call of another seat has learned something meanwhile: then that is tried first.
        if self._next(model) == form.changes:
            self._tried[model] = (*form.changes, name)
        return True

    def _next(self, model: str) -> tuple[str, ...]:
        return self._tried.get(model, self._known.get(model, ()))


def refused_field(error: ProviderError, body: dict[str, Any], tried: tuple[str, ...]) -> str | None:
    """The field of `body` that the provider named as its reason, if leaving it is an answer."""
    if not _is_of_form(error):
        return None
    for name in (*OUTPUT_LIMITS, *OPTIONAL):
        if name not in body or not re.search(rf"(?<!\w){name}(?!\w)", error.message):
            continue
        strict = name == "response_format" and tried.count(name) < 2
        renamed_already = OUTPUT_LIMITS.get(name) in tried
        if strict or (name not in tried and not renamed_already):
            return name
    return None


def _is_of_form(error: ProviderError) -> bool:
    return error.status_code in (400, 422) and error.reason == Reason.BAD_REQUEST


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
