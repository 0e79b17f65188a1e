"""What a model does not take of a request, learned from what the provider refused.

A refusal that names a trait of the request costs nothing. The next request is made in
another form, as a call of its own: calls on record are requests that went out. What is
answered then is remembered, here and as a trait of the model; what is refused for
another reason is forgotten, since some refusals quote the whole request.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from console.engine.errors import ProviderError, Reason

from ..traits import Traits

OUTPUT_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
OPTIONAL = (
    "response_format",
    "stream_options",
    "reasoning_effort",
    "reasoning",
    "temperature",
    "seed",
)
WITHOUT = "without"
LENIENT = "lenient"  # a schema that is asked for, not insisted on
# What a change is called, with all that it may be: a trait that a newer version has
# stored is none of them and changes nothing.
CHANGES = dict.fromkeys(OPTIONAL, (WITHOUT,)) | {
    "response_format": (LENIENT, WITHOUT),
    "limit_field": tuple(OUTPUT_LIMITS),
}

Change = tuple[str, str]  # a trait's name and value


@dataclass(frozen=True)
class Form:
    """A request as it goes out, and how it differs from the usual one."""

    body: dict[str, Any]
    changes: tuple[Change, ...]
    made: frozenset[Change]  # those of them that changed this body


class Quirks:
    def __init__(self, traits: Traits | None = None) -> None:
        self._traits = traits or Traits()
        # By model: what was answered, and what is being tried instead.
        self._known: dict[str, tuple[Change, ...]] = {}
        self._tried: dict[str, tuple[Change, ...]] = {}

    def form(self, model: str, body: dict[str, Any], wanted: Container[str] = ()) -> Form:
        """`wanted` are the fields that somebody asked for by name: they go out as they are."""
        changes = self._next(model)
        made = set()
        for name, value in dict(changes).items():
            changed = body if name in wanted else change(body, name, value)
            if changed is not body:
                made.add((name, value))
            body = changed
        return Form(body, changes, frozenset(made))

    def answered(self, model: str, form: Form) -> None:
        known = self._knows(model)
        # A call that was made before something was learned may be answered after that,
        # and one that had nothing to do without shows nothing.
        new = set(dict(form.changes).items()).difference(known)
        if len(form.changes) > len(known) and new <= form.made:
            self._known[model] = form.changes
            for name, value in dict(form.changes).items():
                self._traits.learn(model, name, value)
            if self._next(model) == form.changes:
                self._tried.pop(model, None)

    def learn(self, model: str, form: Form, error: ProviderError, wanted: Container[str]) -> bool:
        """Whether the next form will be another; `wanted` is what must not be left out."""
        found = refused(error, form.body, form.changes)
        if found is None or found[0] in wanted:
            if _is_of_form(error) and self._next(model) == form.changes:
                self._tried.pop(model, None)
            return False
        # Unless a call of another seat has learned something meanwhile: then that is tried first.
        if self._next(model) == form.changes:
            self._tried[model] = (*form.changes, found)
        return True

    def _next(self, model: str) -> tuple[Change, ...]:
        return self._tried.get(model, self._knows(model))

    def _knows(self, model: str) -> tuple[Change, ...]:
        if model not in self._known:
            traits = self._traits.of(model)
            self._known[model] = tuple(
                (name, traits[name])
                for name in CHANGES
                if name in traits and traits[name] in CHANGES[name]
            )
        return self._known[model]


def refused(error: ProviderError, body: dict[str, Any], tried: tuple[Change, ...]) -> Change | None:
    """What of `body` the provider named as its reason, if doing without it is an answer."""
    if not _is_of_form(error):
        return None
    for name, other in OUTPUT_LIMITS.items():
        if _names(error, name) and name in body and "limit_field" not in dict(tried):
            return "limit_field", other
    for name in OPTIONAL:
        if name in body and _names(error, name):
            lenient = name == "response_format" and (name, LENIENT) not in tried
            return name, LENIENT if lenient else WITHOUT
    return None


def _names(error: ProviderError, field: str) -> bool:
    return re.search(rf"(?<!\w){field}(?!\w)", error.message) is not None


def _is_of_form(error: ProviderError) -> bool:
    return error.status_code in (400, 422) and error.reason == Reason.BAD_REQUEST


def change(body: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """The body in the other form; the same one where there is nothing to change.

    An output limit is renamed, never dropped: it bounds what a call may cost. A schema is
    first asked for less strictly.
    """
    if name == "limit_field":
        other = OUTPUT_LIMITS[value]
        if other not in body:
            return body
        return {value if key == other else key: kept for key, kept in body.items()}
    if name not in body:
        return body
    if value == LENIENT:
        schema = {**body[name]["json_schema"], "strict": False}
        return {**body, name: {**body[name], "json_schema": schema}}
    return {key: kept for key, kept in body.items() if key != name}
