"""What a model does not take of a request, learned from what the provider refused.

A refusal that names a trait of the request costs nothing. The next request is made in
another form, as a call of its own: calls on record are requests that went out. What is
answered then is remembered, here and as a trait of the model; what is refused for
another reason is forgotten, since some refusals quote the whole request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from dataclasses import dataclass

from console.engine.errors import ProviderError, Reason

from ..traits import Traits
from .forms import CHANGES, TOUCHES, Body, Change, change, is_known, limit_field, limited
from .output_limits import longest_output, what_is_left
from .refusals import Refusal
from .refused_traits import refused_trait

# Of refusals that may be for the form of a request. Some servers have one status for all,
# and templates of models fail as if the server had.
STATUSES = (400, 403, 404, 405, 406, 413, 415, 422, 500, 501)
REASONS = (Reason.BAD_REQUEST, Reason.FORBIDDEN, Reason.UPSTREAM_ERROR)
# What is told by a sentence of its own, and not by the mere name of a field.
CLEAR = ("system_role", "roles", "response_format", "stream")


@dataclass(frozen=True)
class Form:
    """A request as it goes out, and how it differs from the usual one."""

    usual: Body
    body: Body
    changes: tuple[Change, ...]
    made: frozenset[Change]  # those of them that changed this body


class Quirks:
    def __init__(self, traits: Traits | None = None) -> None:
        self._traits = traits or Traits()
        # By model: what was answered, and what is being tried instead.
        self._known: dict[str, tuple[Change, ...]] = {}
        self._tried: dict[str, tuple[Change, ...]] = {}
        # By model and conversation: how long an answer may be beside this prompt.
        self._left: dict[tuple[str, str], int] = {}
        self._remembered: set[str] = set()  # models whose traits are of earlier runs

    def form(self, model: str, body: Body, wanted: Container[str] = ()) -> Form:
        """`wanted` are the fields that somebody asked for by name: they go out as they are."""
        usual, changes = body, self._next(model)
        made = set()
        for name, value in dict(changes).items():
            touched = TOUCHES.get(name, name)
            changed = body if touched in wanted else change(body, name, value)
            if changed is not body:
                made.add((name, value))
            body = changed
        if self._left and (left := self._left.get(_conversation(model, usual))):
            body = limited(body, left)
        return Form(usual, body, changes, frozenset(made))

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
        if not isinstance(error, Refusal) or error.status_code not in STATUSES:
            return False
        if self._learn_what_is_left(model, form, error):
            return True
        next_change = _next_change(form, error)
        if next_change is None or TOUCHES.get(next_change[0], next_change[0]) in wanted:
            if _is_of_form(error) and self._next(model) == form.changes:
                self._tried.pop(model, None)
            return _is_of_form(error) and self._doubt(model, form)
        # Unless a call of another seat has learned something meanwhile: then that is tried first.
        if self._next(model) == form.changes:
            self._tried[model] = (*form.changes, next_change)
        return True

    def _learn_what_is_left(self, model: str, form: Form, error: Refusal) -> bool:
        field = limit_field(form.body)
        if field is None or error.reason not in (Reason.CONTEXT_LENGTH, Reason.BAD_REQUEST):
            return False
        left = what_is_left(error.body.message, form.body[field])
        if left is not None:
            self._left[_conversation(model, form.usual)] = left
        return left is not None

    def _doubt(self, model: str, form: Form) -> bool:
        """What an earlier run has learned may be true no longer: once in a run it is asked
        as usual where a form that rests on nothing else is refused."""
        if model not in self._remembered or not form.made:
            return False
        self._remembered.discard(model)
        self._known[model] = ()
        for name in dict(form.changes):
            self._traits.forget(model, name)
        return True

    def _next(self, model: str) -> tuple[Change, ...]:
        return self._tried.get(model, self._knows(model))

    def _knows(self, model: str) -> tuple[Change, ...]:
        if model not in self._known:
            traits = self._traits.of(model)
            known = tuple((n, traits[n]) for n in CHANGES if n in traits and is_known(n, traits[n]))
            self._known[model] = known
            if known:
                self._remembered.add(model)
        return self._known[model]


def _next_change(form: Form, error: Refusal) -> Change | None:
    """What of the form was named as the reason, and what is sent instead."""
    if error.reason not in REASONS:
        return None
    field = limit_field(form.body)
    if field is not None:
        limit = longest_output(error.body.message, form.body[field])
        if limit is not None:
            return "max_output", str(limit)
    refused = refused_trait(error.body, form.body, dict(form.changes))
    # Whatever else has another status may quote anything.
    return refused if refused and (_is_of_form(error) or refused[0] in CLEAR) else None


def _is_of_form(error: ProviderError) -> bool:
    return error.status_code in (400, 422) and error.reason == Reason.BAD_REQUEST


def _conversation(model: str, body: Body) -> tuple[str, str]:
    text = json.dumps(body["messages"], ensure_ascii=False).encode(errors="replace")
    return model, hashlib.blake2b(text, digest_size=16).hexdigest()
