"""What a request wants of earlier runs, instead of asking again: some of their answers, or the
answer to the very same question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from django.utils import timezone

from ... import access
from ...engine.provider import Message
from ...engine.spec import Spec
from ...engine.state import CallState
from ...models import Project, Run
from ...models.tokens import Scope
from ...record.asked import Forgotten, asked
from ...record.rows import state_from_rows
from ...services.asked_before import answered_already
from ...services.attaching import ToAttach, content_of
from ...services.errors import Refused
from ...services.follow import OWN
from ...services.project_files import looked_into
from ...services.runs import spec_of
from ...services.taken import answers_to_take
from ..http.base import ApiCall
from ..http.errors import ApiError

PARAM = "fusion.reuse_answers"
# As OpenRouter names it, and what it says of the answer.
CACHE, STATUS, AGE = "X-OpenRouter-Cache", "X-OpenRouter-Cache-Status", "X-OpenRouter-Cache-Age"


def taken_for(
    call: ApiCall[Any],
    spec: Spec,
    prompt: str,
    messages: list[Message] | None,
    files: Sequence[ToAttach],
    project: Project | None,
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
    is_told_else = run.context != (project.context if project else "")
    asks = messages or [{"role": "user", "content": content_of(prompt, files)}]
    if is_told_else or was_asked != asks:
        message = "That run was asked something else: only answers to the very same are taken over."
        raise ApiError("invalid_request", message, param=PARAM)
    return answers_to_take(run, state_from_rows(run), before, looked_into(spec, project))


def _was_asked(run: Run) -> list[Message] | None:
    """None where it was not the same for every seat."""
    try:
        return None if run.follows_from == OWN else asked(run).messages
    except Forgotten:
        return None


def answered_before(
    call: ApiCall[Any],
    spec: Spec,
    prompt: str,
    messages: list[Message] | None,
    files: Sequence[ToAttach],
    project: Project | None,
) -> Run | None:
    """The run that has the answer, where that is asked for, its preset lets it stand and the token
    may read it. The reply's headers say which, and how many seconds old it is."""
    if not (call.body.fusion.reuse or call.request.headers.get(CACHE, "").lower() == "true"):
        return None
    reads = Scope.READ in call.token.scopes
    mine = [Run.objects.filter(token=call.token)]
    asks = messages or [{"role": "user", "content": content_of(prompt, files)}]
    readable = access.visible(call.token.owner) if reads else mine
    run = answered_already(readable, spec, asks, project)
    call.headers[STATUS] = "HIT" if run else "MISS"
    if run:
        call.headers[AGE] = str(max(int((timezone.now() - run.created_at).total_seconds()), 0))
    return run
