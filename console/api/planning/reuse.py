"""Answers of an earlier run that a request wants taken over, instead of asking for them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404

from ... import access
from ...engine.provider import Message
from ...engine.spec import Spec
from ...engine.state import CallState
from ...models import Run
from ...models.tokens import Scope
from ...record.asked import Forgotten, asked
from ...record.rows import state_from_rows
from ...services.attaching import ToAttach, content_of
from ...services.errors import Refused
from ...services.follow import OWN
from ...services.runs import spec_of
from ...services.taken import answers_to_take
from ..http.base import ApiCall
from ..http.errors import ApiError

PARAM = "fusion.reuse_answers"


def taken_for(
    call: ApiCall[Any],
    spec: Spec,
    prompt: str,
    messages: list[Message] | None,
    files: Sequence[ToAttach],
) -> list[CallState]:
    """Raises ApiError where that run may not be read, or was asked something else."""
    named = call.body.fusion.reuse_answers
    if named is None:
        return []
    readable = access.runs_visible_to(call.token.owner)
    if Scope.READ not in call.token.scopes:
        readable = readable.filter(token=call.token)
    try:
        run = access.one_of(readable, named)
        before = spec_of(run)
        was_asked = _was_asked(run)
    except Http404:
        raise ApiError("invalid_request", "There is no such run.", param=PARAM) from None
    except Refused as refused:
        raise ApiError("invalid_request", str(refused), param=PARAM) from None
    if was_asked != (messages or [{"role": "user", "content": content_of(prompt, files)}]):
        message = "That run was asked something else: only answers to the very same are taken over."
        raise ApiError("invalid_request", message, param=PARAM)
    return answers_to_take(run, state_from_rows(run), before, spec)


def _was_asked(run: Run) -> list[Message] | None:
    """None where it was not the same for every seat."""
    try:
        return None if run.follows_from == OWN else asked(run).messages
    except Forgotten:
        return None
